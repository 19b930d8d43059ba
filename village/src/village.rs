//! The village: what it can do, one file per deed. The HTTP handlers, the pages and the federation
//! engine all act through it.

mod catch_up;
mod following;
mod host;
mod introduce;
mod membership;
mod peering;
mod receive;
mod register;
mod resume;

use std::sync::{Arc, OnceLock};

use farmops_federation::{Account, Clock, Federation, Reach, Timestamp, account::authority};
use farmops_service::{outbound::Outbound, token::TokenHash};
use tokio::sync::{Mutex, Semaphore, broadcast};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    farmer::Farmer,
    leagues::Leagues,
    limits::{LISTENERS_MAX, REGISTRATIONS_AT_ONCE_MAX},
    policy::Standing,
    roster::Registration,
    store::{Store, StoreError, VillageRecord},
};

pub use self::{
    following::FollowError,
    membership::{ApproveError, LeaveError},
    peering::PeerError,
    register::{RegisterError, Registered},
};

/// The name of the village's actor: its id is `{public_url}/ap/village`.
pub const VILLAGE: &str = "village";

/// What a village is told at its start.
#[derive(Clone)]
pub struct Settings {
    /// Where it is reached, without a path.
    pub public_url: Url,
    /// Whether loopback peers are allowed: a development flag.
    pub reach: Reach,
    /// Who may join.
    pub registration: Registration,
    /// The leagues whose rules it supplies.
    pub leagues: Leagues,
    /// Where the source of this very program is offered.
    pub source_url: Url,
    /// The clock.
    pub clock: Clock,
    /// Cancelled when the process stops.
    pub stop: CancellationToken,
}

/// A running village. Cheap to clone.
#[derive(Clone)]
pub struct Village {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    host: String,
    record: VillageRecord,
    store: Store,
    outbound: Outbound,
    admin: TokenHash,
    federation: OnceLock<Federation>,
    live: broadcast::Sender<()>,
    /// Held while the roster is looked at and changed, so that two requests do not both win.
    roster: Mutex<()>,
    registrations: Semaphore,
    listeners: Arc<Semaphore>,
}

impl Village {
    /// Puts a village together. [`Self::federate`] must follow before anything else.
    pub fn new(
        settings: Settings,
        record: VillageRecord,
        store: Store,
        outbound: Outbound,
        admin: TokenHash,
    ) -> Self {
        let host = authority(&settings.public_url).unwrap_or_default();
        let inner = Inner {
            settings,
            host,
            record,
            store,
            outbound,
            admin,
            federation: OnceLock::new(),
            live: broadcast::Sender::new(16),
            roster: Mutex::new(()),
            registrations: Semaphore::new(REGISTRATIONS_AT_ONCE_MAX),
            listeners: Arc::new(Semaphore::new(LISTENERS_MAX)),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Gives the village its engine, which in turn holds the village as its host.
    pub fn federate(&self, federation: Federation) {
        // A second engine would be a fault of the caller; the first one stays.
        let _ = self.inner.federation.set(federation);
    }

    /// The engine.
    ///
    /// # Panics
    /// Before [`Self::federate`].
    pub fn federation(&self) -> &Federation {
        // Invariant: `serve` calls `federate` before it mounts a route or runs a worker.
        #[allow(clippy::expect_used)]
        self.inner
            .federation
            .get()
            .expect("the village has its engine from the start")
    }

    /// What the village remembers.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Its name and handle.
    pub fn record(&self) -> &VillageRecord {
        &self.inner.record
    }

    /// Who may join.
    pub fn registration(&self) -> Registration {
        self.inner.settings.registration
    }

    /// The leagues whose rules it supplies.
    pub fn leagues(&self) -> &Leagues {
        &self.inner.settings.leagues
    }

    /// The host of the village's handles, in development with a port.
    pub fn host_name(&self) -> &str {
        &self.inner.host
    }

    /// The village's own account.
    pub fn account(&self) -> Option<Account> {
        self.account_of(&self.inner.record.slug)
    }

    /// The account that a handle makes at this village.
    pub fn account_of(&self, handle: &str) -> Option<Account> {
        Account::parse(
            &format!("{handle}@{}", self.inner.host),
            self.inner.settings.reach,
        )
        .ok()
    }

    /// The village's URL as registrations name it: scheme and authority.
    pub fn url(&self) -> String {
        self.inner
            .settings
            .public_url
            .origin()
            .ascii_serialization()
    }

    /// A URL of this village.
    pub fn url_of(&self, path: &str) -> Url {
        let mut url = self.inner.settings.public_url.clone();
        url.set_path(path);
        url
    }

    /// What is reached, and how.
    pub fn reach(&self) -> Reach {
        self.inner.settings.reach
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.inner.settings.clock)()
    }

    /// Where the source of this very program is offered.
    pub fn source_url(&self) -> &Url {
        &self.inner.settings.source_url
    }

    /// Cancelled when the process stops.
    pub fn stopping(&self) -> &CancellationToken {
        &self.inner.settings.stop
    }

    /// Whether `presented` is the admin's token.
    pub fn is_admin(&self, presented: &str) -> bool {
        self.inner.admin.matches(presented)
    }

    /// What is known of a farmer, or of one who is not known yet: whether her actor's host, or
    /// the host of her handle, is blocked.
    async fn standing_of(
        &self,
        known: Option<&Farmer>,
        actor: &Url,
        account_host: &str,
    ) -> Result<Standing, StoreError> {
        if let Some(known) = known {
            return Ok(self.store().standing(known.id).await?.unwrap_or_default());
        }
        let host = authority(actor).unwrap_or_default();
        let blocked = self.store().any_blocked([&host, account_host]).await?;
        Ok(Standing {
            blocked,
            ..Standing::default()
        })
    }

    /// A code that only this village can derive from `seed`.
    pub(crate) fn derived_code(&self, seed: &str) -> String {
        let secret = self.inner.admin.to_string();
        farmops_protocol::digest::keyed(secret.as_bytes(), seed.as_bytes()).to_string()[..24]
            .to_owned()
    }

    /// Tells every listening page that a board changed. Says nothing about what changed: pages
    /// ask again, and so see only what they may.
    pub(crate) fn changed(&self) {
        // Nobody listening is fine.
        let _ = self.inner.live.send(());
    }

    /// A listener's place and its news; nothing if all places are taken.
    pub(crate) fn listen(
        &self,
    ) -> Option<(tokio::sync::OwnedSemaphorePermit, broadcast::Receiver<()>)> {
        let place = Arc::clone(&self.inner.listeners).try_acquire_owned().ok()?;
        Some((place, self.inner.live.subscribe()))
    }
}
