//! The REST road: one request per proof, for where HTTP/2 does not get through.

use std::time::Duration;

use farmops_protocol::enrolment::EnrolmentAnswer;
use farmops_service::outbound::{BoundedResponse, Bounds, Outbound, OutboundError, Reach};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use url::Url;
use uuid::Uuid;

use super::TrackerAddress;
use super::link::{ANSWER_BYTES_MAX, ANSWER_DEADLINE, LinkError, Problem, Refusal, wait};
use crate::store::Store;

/// Proofs read from the outbox at a time.
const BATCH: usize = 64;

/// A client and the tracker's address.
#[derive(Debug)]
pub(super) struct RestLink {
    outbound: Outbound,
    base: Url,
}

impl RestLink {
    pub(super) fn new(tracker: &TrackerAddress) -> Result<Self, LinkError> {
        // The operator named the tracker, so it may be anywhere.
        let (reach, ca_file) = (Reach::Operator, tracker.ca_file.as_deref());
        let outbound = match (tracker.client_identity()?, ca_file) {
            (Some(identity), ca_file) => {
                Outbound::with_identity(reach, crate::USER_AGENT, ca_file, &identity)
            }
            (None, Some(file)) => Outbound::with_ca_file(reach, crate::USER_AGENT, file),
            (None, None) => Outbound::new(reach, crate::USER_AGENT),
        };
        let mut base = tracker.url.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self {
            outbound: outbound.map_err(LinkError::away)?,
            base,
        })
    }

    pub(super) async fn hello(&mut self, request: Vec<u8>) -> Result<EnrolmentAnswer, LinkError> {
        self.ask("api/v1/agents/enroll", request).await
    }

    pub(super) async fn rotate(
        &mut self,
        agent_id: Uuid,
        rotation: Vec<u8>,
    ) -> Result<EnrolmentAnswer, LinkError> {
        let path = format!("api/v1/agents/{agent_id}/rotate");
        self.ask(&path, rotation).await
    }

    pub(super) async fn request_reset(
        &mut self,
        agent_id: Uuid,
        request: Vec<u8>,
    ) -> Result<EnrolmentAnswer, LinkError> {
        let path = format!("api/v1/agents/{agent_id}/chain-reset");
        self.ask(&path, request).await
    }

    async fn ask(&mut self, path: &str, request: Vec<u8>) -> Result<EnrolmentAnswer, LinkError> {
        let answer = self.post(path, request).await?;
        if answer.status.is_success() {
            return serde_json::from_slice(&answer.body).map_err(|_| {
                LinkError::Unsupported("its answer is no EnrolmentAnswer".to_owned())
            });
        }
        Err(refusal(&answer))
    }

    pub(super) async fn deliver(&mut self, store: &Store) -> Result<u64, LinkError> {
        let mut taken = 0;
        loop {
            let batch = store.proofs_after(store.delivered().await?, BATCH).await?;
            if batch.is_empty() {
                return Ok(taken);
            }
            for proof in batch {
                let answer = self.post("api/v1/proofs", proof.bytes).await?;
                match answer.status {
                    StatusCode::OK | StatusCode::CREATED | StatusCode::ACCEPTED => {
                        store.mark_delivered(proof.position).await?;
                        taken += 1;
                    }
                    _ => return Err(refusal(&answer)),
                }
            }
        }
    }

    async fn post(&self, path: &str, body: Vec<u8>) -> Result<BoundedResponse, LinkError> {
        let url = self.base.join(path).map_err(LinkError::away)?;
        let json = HeaderValue::from_static("application/json");
        let bounds = Bounds {
            deadline: ANSWER_DEADLINE,
            body_bytes_max: ANSWER_BYTES_MAX,
        };
        let answer = self.outbound.post(url, json, body, bounds).await;
        answer.map_err(|error: OutboundError| LinkError::away(error))
    }
}

/// What an answer other than success means.
fn refusal(answer: &BoundedResponse) -> LinkError {
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
    let retry_after = retry_after(answer);
    let refused = |code: &str| {
        LinkError::Refused(Refusal {
            code: if problem.code.is_empty() {
                code.to_owned()
            } else {
                problem.code.clone()
            },
            field: problem.field.clone(),
            reason: problem.detail.clone(),
            retry_after,
        })
    };
    match answer.status {
        // A tracker's own 404 says which agent it means; any other is somebody else's.
        StatusCode::NOT_FOUND if problem.code.is_empty() => {
            LinkError::Unsupported("there is no tracker at this URL".to_owned())
        }
        StatusCode::NOT_FOUND => LinkError::Refused(Refusal {
            code: "agent-unknown".to_owned(),
            field: problem.field,
            reason: problem.detail,
            retry_after,
        }),
        StatusCode::FORBIDDEN => refused("agent-revoked"),
        StatusCode::CONFLICT => refused("not-the-head"),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
            if problem.code == "buffer-full" =>
        {
            refused("buffer-full")
        }
        status if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
            refused("invalid")
        }
        status => LinkError::Away {
            reason: format!("it answered {status}"),
            retry_after,
        },
    }
}

fn retry_after(answer: &BoundedResponse) -> Option<Duration> {
    let seconds = answer.headers.get(RETRY_AFTER)?.to_str().ok()?;
    wait(seconds.trim().parse().ok()?)
}
