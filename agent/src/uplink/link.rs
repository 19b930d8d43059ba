//! A road to the tracker, and what can happen on it.

use std::time::Duration;

use farmops_protocol::enrolment::EnrolmentAnswer;
use serde::Deserialize;
use uuid::Uuid;

use super::grpc::GrpcLink;
use super::rest::RestLink;
use crate::store::{Store, StoreError};

/// Longest answer to a greeting.
pub(super) const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Longest wait for any single answer.
pub(super) const ANSWER_DEADLINE: Duration = Duration::from_secs(30);
/// Longest wait that a tracker can ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// A road to the tracker.
#[derive(Debug)]
pub(super) enum Link {
    Grpc(GrpcLink),
    Rest(RestLink),
}

impl Link {
    /// Presents a signed enrolment request.
    pub(super) async fn hello(&mut self, request: Vec<u8>) -> Result<EnrolmentAnswer, LinkError> {
        match self {
            Self::Grpc(link) => link.hello(request).await,
            Self::Rest(link) => link.hello(request).await,
        }
    }

    /// Presents a signed key rotation.
    pub(super) async fn rotate(
        &mut self,
        agent_id: Uuid,
        rotation: Vec<u8>,
    ) -> Result<EnrolmentAnswer, LinkError> {
        match self {
            Self::Grpc(link) => link.rotate(rotation).await,
            Self::Rest(link) => link.rotate(agent_id, rotation).await,
        }
    }

    /// Presents a signed request for a chain reset.
    pub(super) async fn request_reset(
        &mut self,
        agent_id: Uuid,
        request: Vec<u8>,
    ) -> Result<EnrolmentAnswer, LinkError> {
        match self {
            Self::Grpc(link) => link.request_reset(request).await,
            Self::Rest(link) => link.request_reset(agent_id, request).await,
        }
    }

    /// Delivers everything that the tracker lacks, in order; gives how many it took.
    pub(super) async fn deliver(&mut self, store: &Store) -> Result<u64, LinkError> {
        match self {
            Self::Grpc(link) => link.deliver(store).await,
            Self::Rest(link) => link.deliver(store).await,
        }
    }
}

/// What went wrong on the road.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    /// The tracker does not answer, or asks to be left alone for a while.
    #[error("the tracker is away: {reason}")]
    Away {
        reason: String,
        retry_after: Option<Duration>,
    },
    /// The tracker, or something before it, does not speak this way.
    #[error("the tracker does not speak this way: {0}")]
    Unsupported(String),
    /// The tracker understood and refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl LinkError {
    pub(super) fn away(reason: impl std::fmt::Display) -> Self {
        Self::Away {
            reason: reason.to_string(),
            retry_after: None,
        }
    }
}

impl From<StoreError> for LinkError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the outbox failed during a delivery");
        Self::away("our own outbox failed")
    }
}

/// The tracker's refusal of a greeting or a proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the tracker refuses: {code} at {field}: {reason}")]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) field: String,
    pub(super) reason: String,
    pub(super) retry_after: Option<Duration>,
}

impl Refusal {
    pub(super) fn is_revocation(&self) -> bool {
        self.code == "agent-revoked"
    }

    pub(super) fn is_unknown_agent(&self) -> bool {
        self.code == "agent-unknown"
    }

    /// The tracker ties this agent's id to another key.
    pub(super) fn is_other_key(&self) -> bool {
        self.code == "agent-id-taken"
    }

    pub(super) fn is_buffer_full(&self) -> bool {
        self.code == "buffer-full"
    }

    /// The tracker does not have the proof that a branch was to resume after.
    pub(super) fn is_about_lost_proof(&self) -> bool {
        self.field == "resumes_after"
    }

    /// The proof does not belong at the end of the tracker's chain.
    pub(super) fn is_misplaced(&self) -> bool {
        matches!(
            self.code.as_str(),
            "fork" | "not-the-head" | "wrong-hash" | "second-genesis" | "no-genesis" | "gap"
        )
    }
}

/// A wait in seconds as the tracker asks for it; zero asks for none.
pub(super) fn wait(seconds: u64) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

/// The members of a problem document (RFC 9457) that decide what to do. REST answers with it, and gRPC
/// carries it in a status's details.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    pub(super) code: String,
    pub(super) field: String,
    pub(super) detail: String,
}
