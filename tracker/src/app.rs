//! What every handler has at hand.

use std::sync::Arc;

use farmops_federation::{Clock, Federation};
use farmops_protocol::{key::SecretKey, log::commitment::SaltSource, time::Timestamp};
use farmops_service::outbound::Outbound;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    desk::Desk, host::FarmHost, keyring::Keyring, leagues::Offered, session::SessionKey,
    site::Site, store::Reads, writer::WriterHandle,
};

/// What every handler has at hand; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts an [`App`] is made of.
pub struct Parts {
    /// Where the farm is.
    pub site: Site,
    /// Where the database is; it may hold a password.
    pub db: String,
    /// The reading side of the store.
    pub reads: Arc<dyn Reads>,
    /// The way to the writer.
    pub writer: WriterHandle,
    /// The federation engine.
    pub federation: Federation,
    /// What the engine asks.
    pub host: Arc<FarmHost>,
    /// The client for villages.
    pub outbound: Outbound,
    /// The farm's key.
    pub farm_key: SecretKey,
    /// Who may do what.
    pub keyring: Arc<Keyring>,
    /// The salts of the transparency log.
    pub salts: SaltSource,
    /// The farm's layout.
    pub desk: Arc<Desk>,
    /// What villages were last seen to offer.
    pub offered: Offered,
    /// One turn at folding the ledger.
    pub folds: Semaphore,
    /// Cancelled when the tracker is to stop: long streams end by themselves.
    pub stop: CancellationToken,
    /// The clock.
    pub clock: Clock,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The key of the owner's browser sessions.
    pub fn sessions(&self) -> SessionKey {
        self.keyring.sessions()
    }

    /// The present second.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Sees `work` to its end, whatever becomes of who asked for it: what is written down must be in memory too.
///
/// # Errors
/// The work panicked, or the program ends.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, tokio::task::JoinError> {
    tokio::spawn(work).await
}
