//! The gRPC road: one stream per delivery, a window of proofs under way on it.

use std::collections::VecDeque;
use std::time::Duration;

use farmops_protocol::enrolment::EnrolmentAnswer;
use farmops_protocol::wire::proof::v1::SignedProof;
use farmops_protocol::wire::tracker::v1::submit_proofs_response::Outcome;
use farmops_protocol::wire::tracker::v1::tracker_client::TrackerClient;
use farmops_protocol::wire::tracker::v1::{
    EnrollRequest, RequestChainResetRequest, RotateKeyRequest, SubmitProofsRequest,
    SubmitProofsResponse,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Status};
use url::{Host, Url};

use super::TrackerAddress;
use super::link::{ANSWER_BYTES_MAX, ANSWER_DEADLINE, LinkError, Problem, Refusal, wait};
use crate::store::{Sealed, Store};

/// Proofs sent and not yet answered.
const WINDOW: usize = 256;
/// Answers after which the progress is saved. What is not saved is sent again and answered
/// "duplicate", so this only saves work.
const SAVE_EVERY: usize = 64;

/// A connection.
#[derive(Debug)]
pub(super) struct GrpcLink {
    client: TrackerClient<Channel>,
}

impl GrpcLink {
    pub(super) async fn connect(tracker: &TrackerAddress) -> Result<Self, LinkError> {
        let endpoint = endpoint(tracker)?;
        let channel = endpoint.connect().await.map_err(|error| {
            let mut reason = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(deeper) = cause {
                reason = deeper.to_string();
                cause = deeper.source();
            }
            LinkError::away(reason)
        })?;
        let client = TrackerClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
        Ok(Self { client })
    }

    pub(super) async fn hello(
        &mut self,
        canonical_json: Vec<u8>,
    ) -> Result<EnrolmentAnswer, LinkError> {
        let call = self.client.enroll(EnrollRequest { canonical_json });
        let answer = timely(call)
            .await?
            .map_err(|status| from_status(&status))?
            .into_inner();
        read(&answer.answer_json)
    }

    pub(super) async fn rotate(
        &mut self,
        canonical_json: Vec<u8>,
    ) -> Result<EnrolmentAnswer, LinkError> {
        let call = self.client.rotate_key(RotateKeyRequest { canonical_json });
        let answer = timely(call).await?.map_err(|status| from_status(&status))?;
        read(&answer.into_inner().answer_json)
    }

    pub(super) async fn request_reset(
        &mut self,
        canonical_json: Vec<u8>,
    ) -> Result<EnrolmentAnswer, LinkError> {
        let request = RequestChainResetRequest { canonical_json };
        let call = self.client.request_chain_reset(request);
        let answer = timely(call).await?.map_err(|status| from_status(&status))?;
        read(&answer.into_inner().answer_json)
    }

    pub(super) async fn deliver(&mut self, store: &Store) -> Result<u64, LinkError> {
        let (sender, receiver) = mpsc::channel(WINDOW);
        let mut delivery = Delivery {
            sender,
            under_way: VecDeque::new(),
            sent: store.delivered().await?,
            taken: 0,
            unsaved: None,
        };
        delivery.fill(store).await?;
        if delivery.under_way.is_empty() {
            return Ok(0);
        }
        let call = self.client.submit_proofs(ReceiverStream::new(receiver));
        let answers = timely(call)
            .await?
            .map_err(|status| from_status(&status))?
            .into_inner();
        let end = delivery.run(store, answers).await;
        // Also after a failure: what was taken is taken.
        delivery.save(store).await?;
        end.map(|()| delivery.taken)
    }
}

struct Delivery {
    sender: mpsc::Sender<SubmitProofsRequest>,
    under_way: VecDeque<Sealed>,
    /// The last position sent.
    sent: i64,
    taken: u64,
    /// The last position taken, while it is not saved.
    unsaved: Option<i64>,
}

impl Delivery {
    async fn run(
        &mut self,
        store: &Store,
        mut answers: tonic::Streaming<SubmitProofsResponse>,
    ) -> Result<(), LinkError> {
        let mut since_save = 0;
        while let Some(expected) = self.under_way.front() {
            let answer = timely(answers.message())
                .await?
                .map_err(|status| from_status(&status))?;
            match answer.and_then(|answer| answer.outcome) {
                Some(Outcome::Accepted(accepted))
                    if accepted.hash.as_slice() == expected.hash.as_bytes() =>
                {
                    self.unsaved = Some(expected.position);
                    self.taken += 1;
                    self.under_way.pop_front();
                }
                Some(Outcome::Accepted(_)) => {
                    return Err(LinkError::away("it answered for another proof"));
                }
                Some(Outcome::Refused(refused)) => {
                    return Err(LinkError::Refused(Refusal {
                        code: refused.code,
                        field: refused.field,
                        reason: refused.reason,
                        retry_after: wait(refused.retry_after_seconds.into()),
                    }));
                }
                None => return Err(LinkError::away("it ended the stream early")),
            }
            since_save += 1;
            if since_save >= SAVE_EVERY {
                since_save = 0;
                self.save(store).await?;
            }
            if self.under_way.len() <= WINDOW / 2 {
                self.fill(store).await?;
            }
        }
        Ok(())
    }

    /// Sends on until the window is full or everything is under way.
    async fn fill(&mut self, store: &Store) -> Result<(), LinkError> {
        let room = WINDOW - self.under_way.len();
        for proof in store.proofs_after(self.sent, room).await? {
            let request = SubmitProofsRequest {
                proof: Some(SignedProof {
                    canonical_json: proof.bytes.clone(),
                }),
            };
            // The channel is as long as the window, so this waits for nobody.
            if self.sender.send(request).await.is_err() {
                break;
            }
            self.sent = proof.position;
            self.under_way.push_back(proof);
        }
        Ok(())
    }

    async fn save(&mut self, store: &Store) -> Result<(), LinkError> {
        if let Some(position) = self.unsaved.take() {
            store.mark_delivered(position).await?;
        }
        Ok(())
    }
}

fn read(answer_json: &[u8]) -> Result<EnrolmentAnswer, LinkError> {
    serde_json::from_slice(answer_json)
        .map_err(|_| LinkError::Unsupported("its answer is no EnrolmentAnswer".to_owned()))
}

async fn timely<T>(answer: impl Future<Output = T>) -> Result<T, LinkError> {
    tokio::time::timeout(ANSWER_DEADLINE, answer)
        .await
        .map_err(|_| LinkError::away(format!("no answer within {ANSWER_DEADLINE:?}")))
}

fn endpoint(tracker: &TrackerAddress) -> Result<Endpoint, LinkError> {
    let unusable = |error: &dyn std::fmt::Display| LinkError::away(format!("its address: {error}"));
    let endpoint = Endpoint::from_shared(dial(&tracker.url).to_string())
        .map_err(|e| unusable(&e))?
        .origin(tracker.url.as_str().parse().map_err(|e| unusable(&e))?)
        .user_agent(crate::USER_AGENT)
        .map_err(|e| unusable(&e))?
        .connect_timeout(Duration::from_secs(5))
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    if tracker.url.scheme() != "https" {
        return Ok(endpoint);
    }
    let mut tls = ClientTlsConfig::new().with_native_roots();
    if let Some(host) = tracker.url.host_str() {
        tls = tls.domain_name(host);
    }
    if let Some(file) = &tracker.ca_file {
        let pem = std::fs::read(file).map_err(|e| unusable(&e))?;
        tls = tls.ca_certificate(Certificate::from_pem(pem));
    }
    if let Some(identity) = tracker.client_identity()? {
        tls = tls.identity(Identity::from_pem(identity.cert_pem(), identity.key_pem()));
    }
    endpoint.tls_config(tls).map_err(|e| unusable(&e))
}

/// The URL to connect to: names under `localhost` are this machine (RFC 6761), whatever DNS says.
fn dial(url: &Url) -> Url {
    let mut dialled = url.clone();
    if let Some(Host::Domain(name)) = url.host()
        && (name == "localhost" || name.ends_with(".localhost"))
    {
        // An address is a valid host for every http URL.
        let _ = dialled.set_host(Some("127.0.0.1"));
    }
    dialled
}

fn from_status(status: &Status) -> LinkError {
    let problem: Problem = serde_json::from_slice(status.details()).unwrap_or_default();
    let refused = |code: &str| {
        let given = Some(problem.code.clone()).filter(|code| !code.is_empty());
        LinkError::Refused(Refusal {
            code: given.unwrap_or_else(|| code.to_owned()),
            field: problem.field.clone(),
            reason: status.message().to_owned(),
            retry_after: None,
        })
    };
    match status.code() {
        Code::Unimplemented => LinkError::Unsupported(status.message().to_owned()),
        Code::PermissionDenied => refused("agent-revoked"),
        Code::NotFound => refused("agent-unknown"),
        Code::InvalidArgument => refused("invalid"),
        Code::AlreadyExists => refused("agent-id-taken"),
        Code::FailedPrecondition => refused("not-the-head"),
        // Too many calls, or a tracker that is not well: it may say for how long.
        _ => LinkError::Away {
            reason: format!("{:?}: {}", status.code(), status.message()),
            retry_after: retry_after(status),
        },
    }
}

fn retry_after(status: &Status) -> Option<Duration> {
    let seconds = status.metadata().get("retry-after")?.to_str().ok()?;
    wait(seconds.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracker_that_is_asked_too_often_says_for_how_long() {
        let mut status = Status::resource_exhausted("too many requests");
        let seconds = "7".parse().expect("is ASCII");
        status.metadata_mut().insert("retry-after", seconds);
        for (status, wanted) in [
            (status, Some(Duration::from_secs(7))),
            (Status::resource_exhausted("too many requests"), None),
            (Status::unavailable("stopping"), None),
        ] {
            let LinkError::Away { retry_after, .. } = from_status(&status) else {
                panic!("{status} is no refusal");
            };
            assert_eq!(retry_after, wanted, "{status}");
        }
    }
}
