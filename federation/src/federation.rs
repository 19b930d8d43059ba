//! The engine: one value per process, cheap to clone, shared by routes and workers.

mod compose;
mod discover;
mod peers;
mod relations;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::Router;
use farmops_protocol::{field::FieldError, time::Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    actor::{ActorKeys, KeyError, OsRng},
    delivery,
    fetch::{FetchError, Fetcher, Gate, Signer},
    host::{Host, HostError},
    http, inbox,
    settings::Settings,
    signature::sign::SignError,
    store::{Store, StoreError},
    webfinger::ResolveError,
};

/// The name of every server's own actor.
pub const INSTANCE: &str = "instance";

/// The engine.
#[derive(Clone)]
pub struct Federation {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) fetcher: Fetcher,
    pub(crate) client: reqwest::Client,
    pub(crate) mail_came: Notify,
    pub(crate) mail_goes: Notify,
    keys: Mutex<HashMap<String, ActorKeys>>,
}

/// The engine could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The public URL cannot be one.
    #[error("the public URL {0}")]
    PublicUrl(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The instance actor's key could not be had.
    #[error(transparent)]
    Key(#[from] FederationError),
    /// The fetching library refused its settings.
    #[error("the fetcher cannot be set up: {0}")]
    Fetcher(String),
}

/// A wish could not be granted.
#[derive(Debug, thiserror::Error)]
pub enum FederationError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The service failed.
    #[error("the service failed: {0}")]
    Host(#[source] HostError),
    /// A remote document could not be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A handle could not be resolved.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// A remote document, or an argument, breaks a rule.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// There is no such local actor.
    #[error("there is no local actor `{0}`")]
    NoSuchActor(String),
    /// There is nothing of this kind between the two actors.
    #[error("there is no such relation")]
    NoSuchRelation,
    /// The policy forbids it.
    #[error("not allowed: {0}")]
    Denied(&'static str),
    /// An RSA key could not be made or read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A request could not be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl FederationError {
    /// Whether another attempt later may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(_) | Self::Host(_) | Self::Key(_) => true,
            Self::Fetch(error) | Self::Resolve(ResolveError::Fetch(error)) => error.is_transient(),
            Self::Resolve(_)
            | Self::Field(_)
            | Self::NoSuchActor(_)
            | Self::NoSuchRelation
            | Self::Sign(_)
            | Self::Denied(_) => false,
        }
    }
}

impl Federation {
    /// Opens the engine. `client` is the service's one guarded client: it pins global unicast
    /// addresses, follows no redirects and says who we are. Makes the instance actor's key if
    /// there is none yet.
    pub async fn open(
        settings: Settings,
        client: reqwest::Client,
        store: Arc<dyn Store>,
        host: Arc<dyn Host>,
    ) -> Result<Self, OpenError> {
        check_public_url(&settings.public_url)?;
        let signer = Arc::new(Signer::default());
        let gate = Gate::new(&settings.public_url, settings.reach);
        let clock = settings.clock.clone();
        let fetcher = Fetcher::new(client.clone(), gate, signer.clone(), clock)
            .await
            .map_err(OpenError::Fetcher)?;
        let inner = Inner {
            settings,
            store,
            host,
            fetcher,
            client,
            mail_came: Notify::new(),
            mail_goes: Notify::new(),
            keys: Mutex::default(),
        };
        let federation = Self {
            inner: Arc::new(inner),
        };
        let keys = federation.keys(INSTANCE).await?;
        // A fresh cell: nobody else can have filled it.
        let _ = signer
            .0
            .set((Self::key_id(&federation.actor_id(INSTANCE)), keys));
        Ok(federation)
    }

    /// The routes; merge them into the service's router at the root.
    pub fn router(&self) -> Router {
        http::router(self.clone())
    }

    /// Runs the inbox and delivery workers until `stop`; what is in flight is finished first.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::join!(
            inbox::worker::run(self, &stop),
            delivery::worker::run(self, &stop)
        );
    }

    /// Tells the delivery worker that posts were appended (after the commit).
    pub fn wake(&self) {
        self.inner.mail_goes.notify_one();
    }

    /// The id of a local actor, `{public_url}/ap/{name}`.
    pub fn actor_id(&self, name: &str) -> Url {
        self.url(&format!("ap/{name}"))
    }

    /// The id of a local object, `{public_url}/ap/{kind}/{key}`; [`Host::object`] answers for it.
    pub fn object_id(&self, kind: &str, key: &str) -> Url {
        self.url(&format!("ap/{kind}/{key}"))
    }

    /// The id of a local actor's farm key, which its snapshots name as verification method.
    pub fn farm_key_id(&self, name: &str) -> String {
        format!("{}#farm-key", self.actor_id(name))
    }

    pub(crate) fn key_id(actor: &Url) -> String {
        format!("{actor}#main-key")
    }

    /// The name in a local actor's id.
    pub(crate) fn local_name<'a>(&self, id: &'a Url) -> Option<&'a str> {
        let rest = id.as_str().strip_prefix(self.url("ap/").as_str())?;
        (!rest.is_empty() && !rest.contains(['/', '?', '#'])).then_some(rest)
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.inner.settings.public_url.clone();
        url.set_path(path);
        url
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.inner.settings.clock)()
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.inner.store.as_ref()
    }

    pub(crate) fn host(&self) -> &dyn Host {
        self.inner.host.as_ref()
    }

    pub(crate) fn fetcher(&self) -> &Fetcher {
        &self.inner.fetcher
    }

    /// The RSA key of a local actor, made at its first use.
    pub(crate) async fn keys(&self, name: &str) -> Result<ActorKeys, FederationError> {
        if let Some(keys) = self.cached_keys().get(name) {
            return Ok(keys.clone());
        }
        let pem = match self.store().key(name).await? {
            Some(pem) => pem,
            None => self.store().keep_key(name, &fresh_pem().await?).await?,
        };
        let keys = ActorKeys::from_pem(&pem)?;
        self.cached_keys().insert(name.to_owned(), keys.clone());
        Ok(keys)
    }

    fn cached_keys(&self) -> std::sync::MutexGuard<'_, HashMap<String, ActorKeys>> {
        self.inner
            .keys
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A new key as PEM, made where it does not hold up the runtime.
async fn fresh_pem() -> Result<String, KeyError> {
    let made = tokio::task::spawn_blocking(|| ActorKeys::generate(&mut OsRng)?.to_pem());
    made.await
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// Refuses a URL at which no server can be reached for as long as its actors last.
///
/// # Errors
/// [`OpenError::PublicUrl`] with what is wrong.
pub fn check_public_url(url: &Url) -> Result<(), OpenError> {
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    match url.scheme() {
        "http" | "https" if bare && url.domain().is_some() => Ok(()),
        "http" | "https" if bare => Err(OpenError::PublicUrl("needs a domain name")),
        "http" | "https" => Err(OpenError::PublicUrl("must have no path")),
        _ => Err(OpenError::PublicUrl("must be http or https")),
    }
}
