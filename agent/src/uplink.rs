//! The way to the tracker: say hello, resume where its copy of the chain ends, deliver in order.
//!
//! gRPC first; where that does not get through (a proxy that speaks only HTTP/1), the REST twin. A
//! proof counts as delivered when the tracker says that it has kept it, never earlier.

mod grpc;
mod link;
mod rest;
mod rotation;
mod session;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use farmops_protocol::enrolment::{EnrolmentAnswer, EnrolmentRequest};
use farmops_protocol::field::FieldError;
use farmops_protocol::key::SecretKey;
use farmops_service::tls::ClientIdentity;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use self::grpc::GrpcLink;
use self::link::{Link, LinkError};
use self::rest::RestLink;
use self::session::Session;
use crate::backoff::Backoff;
use crate::clock;
use crate::identity::Identity;
use crate::keys::{KeyError, Stage};
use crate::status::{Standing, Status};
use crate::store::{Store, StoreError};

/// Where the tracker is and how it proves who it is.
#[derive(Debug, Clone)]
pub struct TrackerAddress {
    /// Its base URL.
    pub url: Url,
    /// A PEM file with certificate authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// PEM files with the certificate that the agent shows, and its key.
    pub client_pair: Option<(PathBuf, PathBuf)>,
}

impl TrackerAddress {
    /// What the agent shows, read anew for each connection: it may have been renewed.
    fn client_identity(&self) -> Result<Option<ClientIdentity>, LinkError> {
        let read = |(cert, key): &(PathBuf, PathBuf)| {
            ClientIdentity::from_files(cert, key, SystemTime::now())
        };
        let identity = self.client_pair.as_ref().map(read);
        identity.transpose().map_err(LinkError::away)
    }
}

/// How long the uplink waits for what.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// First pause after the tracker did not answer; it doubles.
    pub retry_first: Duration,
    /// Last pause.
    pub retry_max: Duration,
    /// Between two greetings while the owner's approval is awaited.
    pub hello_pending: Duration,
    /// Between two greetings otherwise.
    pub hello_active: Duration,
    /// Between two looks at a trouble that only the owner can end.
    pub owner: Duration,
    /// Between two looks for a key that waits to sign.
    pub key_look: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            retry_first: Duration::from_millis(250),
            retry_max: Duration::from_secs(10),
            hello_pending: Duration::from_secs(5),
            hello_active: Duration::from_mins(5),
            owner: Duration::from_mins(1),
            key_look: Duration::from_secs(1),
        }
    }
}

/// Delivers the outbox to one tracker.
#[derive(Debug, Clone)]
pub struct Uplink {
    /// Where to.
    pub tracker: TrackerAddress,
    /// Who says hello.
    pub identity: Identity,
    /// What this agent watches.
    pub cluster_alias: String,
    /// From where.
    pub store: Store,
    /// Where news of it is kept.
    pub status: Status,
    /// How long to wait for what.
    pub patience: Patience,
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
enum SessionEnd {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(
        "proofs that the tracker does not have follow another proof than its last; nothing is sent until \
         the owner runs `{}`",
        reset_command(.agent_id)
    )]
    ForeignChain {
        agent_id: Uuid,
        /// The tracker has our request.
        waiting: bool,
    },
    #[error("the next stay begins at once")]
    Again,
    #[error("the owner has revoked this agent")]
    Revoked,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the request would be invalid: {0}")]
    Request(#[from] FieldError),
}

impl Uplink {
    /// Delivers until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new(self.patience.retry_first, self.patience.retry_max);
        loop {
            let begin = Instant::now();
            let (end, progress) = tokio::select! {
                () = stop.cancelled() => return,
                end = self.stay() => end,
            };
            if progress || begin.elapsed() > self.patience.retry_max {
                backoff.reset();
            }
            if matches!(end, SessionEnd::Again) {
                continue;
            }
            let (standing, pause) = self.judge(&end, &mut backoff);
            let command = match &end {
                SessionEnd::ForeignChain { agent_id, .. } => Some(reset_command(agent_id)),
                _ => None,
            };
            self.status.troubled(standing, end.to_string(), command);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// What an end means, and how long to wait before the next try.
    fn judge(&self, end: &SessionEnd, backoff: &mut Backoff) -> (Standing, Duration) {
        let owner = self.patience.owner;
        match end {
            SessionEnd::Revoked => (Standing::Revoked, owner),
            // As for an approval, the owner may act at any moment.
            SessionEnd::ForeignChain { waiting: true, .. } => {
                (Standing::ChainResetNeeded, self.patience.hello_pending)
            }
            SessionEnd::ForeignChain { .. } => (Standing::ChainResetNeeded, owner),
            SessionEnd::Request(_) | SessionEnd::Key(_) => (Standing::Blocked, owner),
            SessionEnd::Again => (Standing::Connecting, Duration::ZERO),
            SessionEnd::Link(LinkError::Refused(refusal)) if refusal.is_revocation() => {
                (Standing::Revoked, owner)
            }
            // Enrol anew at once, but not in a tight circle.
            SessionEnd::Link(LinkError::Refused(refusal)) if refusal.is_unknown_agent() => {
                (Standing::Connecting, backoff.next(&mut rand::rng()))
            }
            SessionEnd::Link(LinkError::Refused(refusal)) => {
                (Standing::Blocked, refusal.retry_after.unwrap_or(owner))
            }
            SessionEnd::Link(LinkError::Away { retry_after, .. }) => {
                let pause = backoff.next(&mut rand::rng());
                (
                    Standing::Unreachable,
                    retry_after.map_or(pause, |wanted| wanted.max(pause)),
                )
            }
            SessionEnd::Link(LinkError::Unsupported(_)) | SessionEnd::Store(_) => {
                (Standing::Unreachable, backoff.next(&mut rand::rng()))
            }
        }
    }

    /// One stay with the tracker: why it ended, and whether anything was delivered.
    async fn stay(&self) -> (SessionEnd, bool) {
        let (link, answer) = match self.connect().await {
            Ok(connected) => connected,
            Err(end) => return (end, false),
        };
        let mut session = Session::new(self, link);
        match session.run(answer).await {
            Ok(never) => match never {},
            Err(end) => (end, session.progress),
        }
    }

    /// The first road that leads to the tracker.
    async fn connect(&self) -> Result<(Link, EnrolmentAnswer), SessionEnd> {
        let by_grpc = match GrpcLink::connect(&self.tracker).await {
            Ok(link) => self.begin(Link::Grpc(link)).await,
            Err(error) => Err(error.into()),
        };
        let error = match by_grpc {
            Err(SessionEnd::Link(error @ (LinkError::Away { .. } | LinkError::Unsupported(_)))) => {
                error
            }
            connected => return connected,
        };
        tracing::debug!(%error, "gRPC does not get through, trying REST");
        match self.begin(Link::Rest(RestLink::new(&self.tracker)?)).await {
            // No road at all: what gRPC met is told, it is the one expected to work.
            Err(SessionEnd::Link(LinkError::Unsupported(_))) => Err(error.into()),
            connected => connected,
        }
    }

    /// The first word: a rotation that is under way, else a greeting.
    async fn begin(&self, mut link: Link) -> Result<(Link, EnrolmentAnswer), SessionEnd> {
        if self.identity.key.stage() != Stage::Rotating {
            return self.greet(link).await;
        }
        let answer = self.rotate(&mut link).await?;
        Ok((link, answer))
    }

    async fn greet(&self, mut link: Link) -> Result<(Link, EnrolmentAnswer), SessionEnd> {
        let answer = link.hello(self.greeting()?).await?;
        Ok((link, answer))
    }

    fn greeting(&self) -> Result<Vec<u8>, FieldError> {
        self.greeting_of(&self.identity.key.current())
    }

    fn greeting_of(&self, key: &SecretKey) -> Result<Vec<u8>, FieldError> {
        let agent_id = self.identity.agent_id;
        EnrolmentRequest::sign(agent_id, &self.cluster_alias, key, clock::now())
    }
}

/// What the owner runs to let the chain of this agent go on where its own copy ends.
fn reset_command(agent_id: &Uuid) -> String {
    format!("farmops-tracker agents reset-chain {agent_id}")
}
