//! The agents' door over gRPC: `farmops.tracker.v1.Tracker`.
//!
//! A stream of proofs is a pipeline: what has arrived is checked in chunks beside the runtime, handed
//! to the writer in order, and answered in order after the commit. Every stage holds a bounded number
//! of chunks, so a client that sends faster than the disk writes is slowed down by its own window.

use std::{pin::Pin, sync::Arc, time::Duration};

use farmops_protocol::{
    chain_reset::ParsedChainReset,
    enrolment::{EnrolmentAnswer, EnrolmentRequest},
    limits::PROOF_BYTES_MAX,
    rotation::ParsedKeyRotation,
    wire::tracker::v1 as wire,
};
use futures::{Stream, StreamExt as _, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Code, Request, Response, Status, Streaming};

use crate::{
    app::App,
    domain::{Refusal, Sort},
    http::refused::problem_of,
    writer::{Answer, Standing, WriteError},
};

/// Proofs checked and handed over together.
const CHUNK_PROOFS_MAX: usize = 128;
/// Chunks being checked at once.
const CHECKS_AHEAD_MAX: usize = 3;
/// Chunks waiting for their commit.
const COMMITS_AHEAD_MAX: usize = 32;
/// Streams open at once, over all connections; an agent needs one.
const STREAMS_MAX: usize = 128;
/// A stream on which nothing comes for so long is ended; the agent opens another when it has a proof.
const IDLE_MAX: Duration = Duration::from_mins(15);
/// Who opens a stream has a proof to send; one that says nothing gives its place to others.
const FIRST_MESSAGE_MAX: Duration = Duration::from_secs(10);
/// A message is a proof with a few bytes of framing; one that is a little too long is still answered in
/// the stream.
pub const MESSAGE_BYTES_MAX: usize = 2 * PROOF_BYTES_MAX;

/// The service.
#[derive(Clone)]
pub struct TrackerService {
    app: App,
    streams: Arc<Semaphore>,
}

/// The service, ready to be mounted beside the routes of HTTP.
pub fn service(app: App) -> wire::tracker_server::TrackerServer<TrackerService> {
    let streams = Arc::new(Semaphore::new(STREAMS_MAX));
    wire::tracker_server::TrackerServer::new(TrackerService { app, streams })
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
}

type Answers = Pin<Box<dyn Stream<Item = Result<wire::SubmitProofsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl wire::tracker_server::Tracker for TrackerService {
    async fn enroll(
        &self,
        request: Request<wire::EnrollRequest>,
    ) -> Result<Response<wire::EnrollResponse>, Status> {
        let bytes = request.into_inner().canonical_json;
        let now = self.app.now();
        let verified = EnrolmentRequest::verify(&bytes, now)
            .map_err(|error| status(&WriteError::Refused(error.into())))?;
        let answer = self
            .app
            .writer
            .enrol(verified)
            .await
            .map_err(|e| status(&e))?;
        let answer_json = json_of(&answer)?;
        Ok(Response::new(wire::EnrollResponse { answer_json }))
    }

    async fn rotate_key(
        &self,
        request: Request<wire::RotateKeyRequest>,
    ) -> Result<Response<wire::RotateKeyResponse>, Status> {
        let bytes = request.into_inner().canonical_json;
        let rotation = ParsedKeyRotation::parse(&bytes)
            .map_err(|error| status(&WriteError::Refused(error.into())))?;
        let answer = self.app.writer.rotate(rotation).await;
        let answer_json = json_of(&answer.map_err(|e| status(&e))?)?;
        Ok(Response::new(wire::RotateKeyResponse { answer_json }))
    }

    async fn request_chain_reset(
        &self,
        request: Request<wire::RequestChainResetRequest>,
    ) -> Result<Response<wire::RequestChainResetResponse>, Status> {
        let bytes = request.into_inner().canonical_json;
        let asked = ParsedChainReset::parse(&bytes)
            .map_err(|error| status(&WriteError::Refused(error.into())))?;
        let answer = self.app.writer.ask_reset(asked).await;
        let answer_json = json_of(&answer.map_err(|e| status(&e))?)?;
        Ok(Response::new(wire::RequestChainResetResponse {
            answer_json,
        }))
    }

    type SubmitProofsStream = Answers;

    async fn submit_proofs(
        &self,
        request: Request<Streaming<wire::SubmitProofsRequest>>,
    ) -> Result<Response<Answers>, Status> {
        let slot = Arc::clone(&self.streams).try_acquire_owned();
        let slot = slot.map_err(|_| Status::resource_exhausted("too many streams are open"))?;
        Ok(Response::new(pipeline(
            &self.app,
            request.into_inner(),
            slot,
        )))
    }
}

fn json_of(answer: &EnrolmentAnswer) -> Result<Vec<u8>, Status> {
    serde_json::to_vec(answer).map_err(|_| Status::internal("no answer"))
}

fn pipeline(
    app: &App,
    inbound: Streaming<wire::SubmitProofsRequest>,
    slot: OwnedSemaphorePermit,
) -> Answers {
    let directory = app.writer.directory().clone();
    let writer = app.writer.clone();
    let lively = stream::unfold(
        (inbound, FIRST_MESSAGE_MAX),
        async |(mut inbound, patience)| {
            let message = tokio::time::timeout(patience, inbound.next()).await;
            Some((message.ok()??, (inbound, IDLE_MAX)))
        },
    );
    let stop = app.stop.clone();
    let answers = lively
        .take_until(async move { stop.cancelled().await })
        .ready_chunks(CHUNK_PROOFS_MAX)
        .map(move |messages| {
            let directory = directory.clone();
            async move { directory.check_all(proofs(messages)).await }
        })
        .buffered(CHECKS_AHEAD_MAX)
        .then(move |chunk| {
            let writer = writer.clone();
            async move { writer.hand_over(chunk).await }
        })
        .map(async |handed| handed?.answers().await)
        .buffered(COMMITS_AHEAD_MAX)
        .flat_map(|answers| {
            stream::iter(match answers {
                Ok(answers) => answers.into_iter().flat_map(told).collect(),
                Err(error) => vec![Err(status(&error))],
            })
        });
    Box::pin(end_after_error(answers).inspect(move |_| {
        // The slot is given back when the stream is dropped.
        let _held = &slot;
    }))
}

/// The answer; after the refusal of a stranger also the stream's end. An agent says hello before it
/// sends, so whoever is unknown or signs with another key is none, and holds no stream open (`SUB-STREAM-001`).
fn told(answer: Answer) -> Vec<Result<wire::SubmitProofsResponse, Status>> {
    let stranger = match &answer {
        Err(refusal @ (Refusal::AgentUnknown | Refusal::BadSignature)) => Some(refusal.clone()),
        _ => None,
    };
    let end = stranger.map(|refusal| Err(status(&WriteError::Refused(refusal))));
    std::iter::once(Ok(response(answer))).chain(end).collect()
}

/// The bytes of the messages that arrived whole. A broken message ends the stream by itself, after
/// what came before it.
fn proofs(messages: Vec<Result<wire::SubmitProofsRequest, Status>>) -> Vec<Vec<u8>> {
    messages
        .into_iter()
        .map_while(Result::ok)
        .map(|message| message.proof.unwrap_or_default().canonical_json)
        .collect()
}

/// A stream that ends with its first error: answers after a gap would be attributed to the wrong proofs.
fn end_after_error<T>(
    answers: impl Stream<Item = Result<T, Status>>,
) -> impl Stream<Item = Result<T, Status>> {
    answers.scan(false, |ended, answer| {
        let item = (!*ended).then_some(answer);
        *ended |= matches!(item, Some(Err(_)));
        std::future::ready(item)
    })
}

fn response(answer: Answer) -> wire::SubmitProofsResponse {
    use wire::submit_proofs_response::Outcome;
    let outcome = match answer {
        Ok(receipt) => Outcome::Accepted(wire::Accepted {
            hash: receipt.hash.as_bytes().to_vec(),
            standing: match receipt.standing {
                Standing::Chained => wire::Standing::Chained,
                Standing::Buffered => wire::Standing::Buffered,
                Standing::Duplicate => wire::Standing::Duplicate,
            }
            .into(),
        }),
        Err(refusal) => Outcome::Refused(wire::Refused {
            code: refusal.code().to_owned(),
            field: refusal.field().to_owned(),
            reason: refusal.to_string(),
            retry_after_seconds: refusal.retry_after_seconds().unwrap_or(0),
        }),
    };
    wire::SubmitProofsResponse {
        outcome: Some(outcome),
    }
}

/// The status of a refused call; its details are the same problem document that REST answers with.
fn status(error: &WriteError) -> Status {
    let refusal = match error {
        WriteError::Unavailable => return Status::unavailable(error.to_string()),
        WriteError::Refused(refusal) => refusal,
    };
    let code = match refusal.sort() {
        Sort::NotFound => Code::NotFound,
        Sort::Denied => Code::PermissionDenied,
        Sort::TooMany => Code::ResourceExhausted,
        Sort::Invalid => Code::InvalidArgument,
        Sort::Taken => Code::AlreadyExists,
        Sort::Conflict => Code::FailedPrecondition,
    };
    let document = serde_json::to_vec(&problem_of(refusal)).unwrap_or_default();
    let message = format!("{}: {refusal}", refusal.field());
    Status::with_details(code, message, document.into())
}
