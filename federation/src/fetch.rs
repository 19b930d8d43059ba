//! Everything read from other servers, through one client and one set of rules.
//!
//! The client comes from the service and dials global unicast addresses only. On top of it stand
//! the URL gate, a budget per inbound activity and per site, a memory of recent failures, a body
//! cap and one deadline. `ActivityPub` documents come through
//! [`activitypub_federation::fetch::fetch_object_http`], which checks media type and id; JRD and
//! NodeInfo through [`Fetcher::json`].

mod budget;
mod gate;
mod guard;
mod json;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use activitypub_federation::{
    config::{Data, FederationConfig},
    error::Error as ApError,
    fetch::fetch_object_http,
};
use farmops_protocol::{field::FieldError, time::Timestamp};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};
use url::Url;

pub use self::gate::{Gate, GateError};
pub(crate) use self::guard::Signer;
use self::{
    budget::{Reason, Sites},
    guard::Guard,
};
use crate::{account::authority, protocol::tolerant, settings::Clock};

/// Requests that one inbound activity, or one wish of a user, may cause.
pub const REQUESTS_PER_CAUSE_MAX: u32 = 8;
/// From the first byte sent to the last received.
pub const DEADLINE: Duration = Duration::from_secs(10);

const TOO_MANY: &str = "one cause may make 8 requests";

/// Reads from other servers.
pub struct Fetcher {
    config: FederationConfig<()>,
    client: reqwest::Client,
    gate: Gate,
    sites: Sites,
    clock: Clock,
}

/// The budget of one inbound activity, or of one wish of a user.
pub struct Cause {
    data: Data<()>,
    requests: AtomicU32,
}

impl Cause {
    /// Counts a request, each hop of a redirect for itself.
    fn spend(&self, url: &Url) -> Result<(), FetchError> {
        if self.requests.fetch_add(1, Ordering::Relaxed) < REQUESTS_PER_CAUSE_MAX {
            Ok(())
        } else {
            Err(budget_error(url, TOO_MANY))
        }
    }
}

/// Something could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The URL may not be asked.
    #[error("{0}")]
    Gate(#[from] GateError),
    /// It is gone for good.
    #[error("{0} is gone")]
    Gone(String),
    /// The server answered, but not with the document: wrong type, wrong id, an error status.
    #[error("{url} did not answer with the document: {reason}")]
    Refused {
        /// What was asked for.
        url: String,
        /// What was wrong.
        reason: String,
    },
    /// The document breaks a rule.
    #[error("the document at {url} is not acceptable: {source}")]
    Document {
        /// What was asked for.
        url: String,
        /// The member that is wrong.
        #[source]
        source: FieldError,
    },
    /// No answer in time. The reason says what a name resolves to: for our own people, not for
    /// the stranger who named it.
    #[error("{url} could not be reached: {reason}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What happened.
        reason: String,
    },
    /// One cause asked for too much, or one site was asked too often, or it failed just now.
    #[error("{url} is not asked now: {reason}")]
    Budget {
        /// What was asked for.
        url: String,
        /// Which limit.
        reason: &'static str,
    },
}

impl FetchError {
    /// Whether another attempt later may succeed.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Budget { .. })
    }
}

impl Fetcher {
    pub(crate) async fn new(
        client: reqwest::Client,
        gate: Gate,
        signer: Arc<Signer>,
        clock: Clock,
    ) -> Result<Self, String> {
        let guarded = reqwest_middleware::ClientBuilder::new(client.clone())
            .with(Guard {
                gate: gate.clone(),
                signer,
                clock: clock.clone(),
            })
            .build();
        let config = FederationConfig::builder()
            .domain(gate.local_authority())
            .app_data(())
            .client(guarded)
            .debug(gate.allows_loopback())
            .http_fetch_limit(REQUESTS_PER_CAUSE_MAX)
            .request_timeout(DEADLINE)
            .build()
            .await
            .map_err(|e| e.to_string())?;
        Ok(Self {
            config,
            client,
            gate,
            sites: Sites::default(),
            clock,
        })
    }

    /// A fresh budget.
    pub fn cause(&self) -> Cause {
        Cause {
            data: self.config.to_request_data(),
            requests: AtomicU32::new(0),
        }
    }

    /// The rule for URLs.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Fetches the `ActivityPub` document whose id is `url`.
    pub async fn object(&self, url: &Url, cause: &Cause) -> Result<Value, FetchError> {
        self.gate.check(url)?;
        cause.spend(url)?;
        let mut plain = url.clone();
        plain.set_fragment(None);
        let now = (self.clock)();
        self.admit(&plain, now)?;
        let fetched = fetch_object_http::<(), Document>(&plain, &cause.data).await;
        match fetched {
            // A redirect or a second look at the id may have led elsewhere on the same server;
            // what we asked for must be what we got.
            Ok(response) if response.url != plain => {
                self.sites.note_failure(&plain, Reason::Refused, now);
                Err(refused(&plain, "its id is another one"))
            }
            Ok(response) => {
                self.sites.note_success(&plain);
                let parsed = response.object.0;
                parsed.map_err(|source| FetchError::Document {
                    url: plain.to_string(),
                    source,
                })
            }
            Err(error) => {
                let error = fetch_error(&plain, error);
                self.note(&plain, &error, now);
                Err(error)
            }
        }
    }
}

impl Fetcher {
    fn admit(&self, url: &Url, now: Timestamp) -> Result<(), FetchError> {
        let site = authority(url).unwrap_or_default();
        self.sites
            .admit(url, &site, now)
            .map_err(|reason| match reason {
                Reason::Refused => refused(url, "it did not a moment ago"),
                Reason::Unreachable => budget_error(url, "it could not be reached a moment ago"),
                Reason::TooOften => {
                    budget_error(url, "its site was asked too often in the last minute")
                }
            })
    }

    fn note(&self, url: &Url, error: &FetchError, now: Timestamp) {
        match error {
            FetchError::Budget { .. } => {}
            error if error.is_transient() => {
                self.sites.note_failure(url, Reason::Unreachable, now);
            }
            _ => self.sites.note_failure(url, Reason::Refused, now),
        }
    }
}

fn budget_error(url: &Url, reason: &'static str) -> FetchError {
    FetchError::Budget {
        url: url.to_string(),
        reason,
    }
}

fn refused(url: &Url, reason: impl Into<String>) -> FetchError {
    FetchError::Refused {
        url: url.to_string(),
        reason: reason.into(),
    }
}

fn fetch_error(url: &Url, error: ApError) -> FetchError {
    match error {
        ApError::ObjectDeleted(url) => FetchError::Gone(url.into()),
        ApError::RequestLimit => budget_error(url, TOO_MANY),
        ApError::ReqwestMiddleware(reqwest_middleware::Error::Middleware(cause)) => {
            match cause.downcast::<guard::GuardError>() {
                Ok(guard::GuardError::Gate(error)) => FetchError::Gate(error),
                Ok(guard::GuardError::Status(status)) if status.is_server_error() => {
                    unreachable_because(url, format!("status {status}"))
                }
                Ok(guard::GuardError::Slow) => unreachable_because(url, "too slow"),
                Ok(other) => refused(url, other.to_string()),
                Err(cause) => unreachable_because(url, cause.to_string()),
            }
        }
        ApError::ReqwestMiddleware(reqwest_middleware::Error::Reqwest(cause))
        | ApError::Reqwest(cause) => unreachable_because(url, innermost(&cause)),
        // The fetch function looks names up once more for itself; its words would name addresses.
        ApError::DomainResolveError(_) | ApError::ResolveInternalIpError(..) => {
            unreachable_because(url, "its name has no public address")
        }
        ApError::IoError(cause) => unreachable_because(url, cause.to_string()),
        ApError::FetchInvalidContentType(_) => refused(url, "its media type is not ActivityPub's"),
        ApError::FetchWrongId(_) => refused(url, "its id is another one"),
        ApError::ParseFetchedObject(..) => refused(url, "it is not JSON"),
        other => refused(url, other.to_string()),
    }
}

fn unreachable_because(url: &Url, reason: impl Into<String>) -> FetchError {
    FetchError::Unreachable {
        url: url.to_string(),
        reason: reason.into(),
    }
}

/// The message of the deepest cause: the client's own says only that sending failed, not that the
/// name has no address or one that is never dialled.
fn innermost(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// A document read by our own rules out of the bytes that the fetch function parses.
#[derive(Clone)]
struct Document(Result<Value, FieldError>);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The raw text keeps what a map would already have lost: a member named twice.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(tolerant::document(raw.get().as_bytes())))
    }
}
