//! The way to the tracker: say hello, resume where its copy of the chain ends, deliver in order.
//!
//! gRPC first; where that does not get through (a proxy that speaks only HTTP/1), the REST twin. A
//! proof counts as delivered when the tracker says that it has kept it, never earlier.

mod grpc;
mod link;
mod rest;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use farmops_protocol::enrolment::{AgentStatus, EnrolmentAnswer, EnrolmentRequest};
use farmops_protocol::field::FieldError;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use self::grpc::GrpcLink;
use self::link::{Link, LinkError, Refusal};
use self::rest::RestLink;
use crate::backoff::Backoff;
use crate::clock;
use crate::identity::Identity;
use crate::status::{Standing, Status, Transport};
use crate::store::{Store, StoreError};

/// Where the tracker is and how it proves who it is.
#[derive(Debug, Clone)]
pub struct TrackerAddress {
    /// Its base URL.
    pub url: Url,
    /// A PEM file with certificate authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
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
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            retry_first: Duration::from_millis(250),
            retry_max: Duration::from_secs(10),
            hello_pending: Duration::from_secs(5),
            hello_active: Duration::from_mins(5),
            owner: Duration::from_mins(1),
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
    #[error("the tracker's copy of the chain is not the one this agent made")]
    ForeignChain,
    #[error("the owner has revoked this agent")]
    Revoked,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the enrolment request would be invalid: {0}")]
    Request(#[from] FieldError),
}

/// One stay with the tracker.
struct Session<'a> {
    uplink: &'a Uplink,
    link: Link,
    outbox: watch::Receiver<()>,
    /// Until when the tracker does not want proofs while it waits for its owner.
    not_before: Option<Instant>,
    /// It has refused a proof for its place in the chain since it last took one.
    misplaced: bool,
    /// Something was delivered.
    progress: bool,
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
            let (standing, pause) = self.judge(&end, &mut backoff);
            self.status.troubled(standing, end.to_string());
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
            SessionEnd::ForeignChain => (Standing::ChainResetNeeded, owner),
            SessionEnd::Request(_) => (Standing::Blocked, owner),
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
        let mut session = Session {
            uplink: self,
            link,
            outbox: self.store.watch_outbox(),
            not_before: None,
            misplaced: false,
            progress: false,
        };
        match session.run(answer).await {
            Ok(never) => match never {},
            Err(end) => (end, session.progress),
        }
    }

    /// The first road that leads to the tracker.
    async fn connect(&self) -> Result<(Link, EnrolmentAnswer), SessionEnd> {
        let by_grpc = match GrpcLink::connect(&self.tracker).await {
            Ok(link) => self.greet(Link::Grpc(link)).await,
            Err(error) => Err(error.into()),
        };
        let error = match by_grpc {
            Err(SessionEnd::Link(error @ (LinkError::Away { .. } | LinkError::Unsupported(_)))) => {
                error
            }
            connected => return connected,
        };
        tracing::debug!(%error, "gRPC does not get through, trying REST");
        match self.greet(Link::Rest(RestLink::new(&self.tracker)?)).await {
            // No road at all: what gRPC met is told, it is the one expected to work.
            Err(SessionEnd::Link(LinkError::Unsupported(_))) => Err(error.into()),
            connected => connected,
        }
    }

    async fn greet(&self, mut link: Link) -> Result<(Link, EnrolmentAnswer), SessionEnd> {
        let answer = link.hello(self.request()?).await?;
        Ok((link, answer))
    }

    fn request(&self) -> Result<Vec<u8>, FieldError> {
        let Identity { key, agent_id, .. } = &self.identity;
        EnrolmentRequest::sign(*agent_id, &self.cluster_alias, key, clock::now())
    }
}

impl Session<'_> {
    async fn run(
        &mut self,
        mut answer: EnrolmentAnswer,
    ) -> Result<std::convert::Infallible, SessionEnd> {
        loop {
            let interval = self.take_in(&answer).await?;
            let next_hello = Instant::now() + interval;
            while Instant::now() < next_hello {
                self.outbox.mark_unchanged();
                if !self.is_held_back() {
                    match self.link.deliver(&self.uplink.store).await {
                        Ok(0) => {}
                        Ok(_) => {
                            self.misplaced = false;
                            self.progress = true;
                        }
                        Err(LinkError::Refused(refusal)) => {
                            self.consider(refusal)?;
                            break;
                        }
                        Err(error) => return Err(error.into()),
                    }
                }
                tokio::select! {
                    _ = self.outbox.changed() => {}
                    () = tokio::time::sleep_until(next_hello) => {}
                }
            }
            answer = self.link.hello(self.uplink.request()?).await?;
        }
    }

    /// Resumes where the answer says; gives the time until the next greeting.
    async fn take_in(&mut self, answer: &EnrolmentAnswer) -> Result<Duration, SessionEnd> {
        let standing = match answer.status {
            AgentStatus::Revoked => return Err(SessionEnd::Revoked),
            AgentStatus::Pending => Standing::Pending,
            AgentStatus::Active => {
                self.not_before = None;
                Standing::Active
            }
        };
        let resumed = self.uplink.store.resume_at(answer.head.as_ref()).await?;
        resumed.map_err(|_| SessionEnd::ForeignChain)?;
        self.uplink.status.stands(standing, self.link.transport());
        Ok(match standing {
            Standing::Active => self.uplink.patience.hello_active,
            _ => self.uplink.patience.hello_pending,
        })
    }

    /// What to do about a refused proof: wait, look again where the chain ends, or give up.
    fn consider(&mut self, refusal: Refusal) -> Result<(), SessionEnd> {
        if refusal.is_misplaced() {
            if std::mem::replace(&mut self.misplaced, true) {
                return Err(SessionEnd::ForeignChain);
            }
            return Ok(());
        }
        match refusal.retry_after {
            Some(wait) if refusal.is_buffer_full() => {
                self.not_before = Some(Instant::now() + wait);
                Ok(())
            }
            _ => Err(LinkError::Refused(refusal).into()),
        }
    }

    fn is_held_back(&self) -> bool {
        self.not_before.is_some_and(|then| Instant::now() < then)
    }
}

impl Link {
    const fn transport(&self) -> Transport {
        match self {
            Self::Grpc(_) => Transport::Grpc,
            Self::Rest(_) => Transport::Rest,
        }
    }
}
