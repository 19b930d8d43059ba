//! A tracker that keeps nothing but chains, and checks every link and every key of them.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use farmops_protocol::chain::{self, ChainHead};
use farmops_protocol::chain_reset::{ChainResetRequest, ParsedChainReset};
use farmops_protocol::enrolment::{AgentStatus, EnrolmentAnswer, EnrolmentRequest};
use farmops_protocol::int::SafeUint;
use farmops_protocol::proof::{ParsedProof, ProofBody};
use farmops_protocol::rotation::{KeyHistory, ParsedKeyRotation};
use farmops_protocol::wire::tracker::v1 as wire;
use farmops_protocol::wire::tracker::v1::submit_proofs_response::Outcome;
use farmops_protocol::wire::tracker::v1::tracker_server::{Tracker, TrackerServer};
use futures::{Stream, StreamExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status, Streaming};

/// What happens to the next rotation that arrives.
pub(crate) enum Fate {
    /// It is taken up only after this, and nobody hears of it.
    Unanswered(Box<dyn FnOnce() + Send>),
    /// It is not even looked at, and this happens.
    Unheard(Box<dyn FnOnce() + Send>),
    /// It is refused.
    Refused,
}

/// One agent's chain.
pub(crate) struct Ledger {
    pub(crate) status: AgentStatus,
    pub(crate) keys: Option<KeyHistory>,
    pub(crate) head: Option<ChainHead>,
    /// What each proof made the head.
    heads: Vec<ChainHead>,
    pub(crate) bodies: Vec<ProofBody>,
    pub(crate) hellos: usize,
    pub(crate) branch: u32,
    pub(crate) asked: Option<ChainResetRequest>,
    pub(crate) rotations: usize,
    pub(crate) fate: Option<Fate>,
    /// Streams of proofs break off.
    pub(crate) no_streams: bool,
}

/// Shared with the server that runs on it.
#[derive(Clone)]
pub(crate) struct Chains {
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    changed: watch::Sender<usize>,
}

impl Chains {
    pub(crate) fn new(status: AgentStatus) -> Self {
        Self {
            ledger: Arc::new(Mutex::new(Ledger {
                status,
                keys: None,
                head: None,
                heads: Vec::new(),
                bodies: Vec::new(),
                hellos: 0,
                branch: 0,
                asked: None,
                rotations: 0,
                fate: None,
                no_streams: false,
            })),
            changed: watch::Sender::new(0),
        }
    }

    /// Serves gRPC on `address` until the server is dropped, and its connections with it.
    pub(crate) fn serve(&self, address: &str) -> (SocketAddr, Server) {
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let bound = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let service = TrackerServer::new(self.clone());
        // A runtime of its own: what is dropped with it breaks off, as in a crash.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                let server = tonic::transport::Server::builder()
                    .add_service(service)
                    .serve_with_incoming(TcpListenerStream::new(listener));
                tokio::select! {
                    ended = server => ended.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        let server = Server {
            stop: Some(stop),
            thread: Some(thread),
        };
        (bound, server)
    }

    /// Waits until there are `count` proofs.
    pub(crate) async fn wait_for(&self, count: usize) {
        let mut changed = self.changed.subscribe();
        let wait = changed.wait_for(|now| *now >= count);
        let waited = tokio::time::timeout(std::time::Duration::from_mins(1), wait).await;
        assert!(waited.is_ok(), "{} of {count} proofs arrived", self.count());
    }

    pub(crate) fn count(&self) -> usize {
        self.ledger.lock().unwrap().bodies.len()
    }

    /// Greets, unless the agent's id is tied to another key.
    pub(crate) fn enrol(&self, bytes: &[u8]) -> Option<EnrolmentAnswer> {
        let request = EnrolmentRequest::verify(bytes, farmops_agent::clock::now()).unwrap();
        let mut ledger = self.ledger.lock().unwrap();
        ledger.hellos += 1;
        let (agent_id, key) = (request.agent_id, request.public_key);
        let keys = ledger
            .keys
            .get_or_insert_with(|| KeyHistory::new(agent_id, key));
        (*keys.current() == key).then(|| ledger.answer())
    }

    /// Takes up a rotation, also one that it has had already.
    pub(crate) fn rotate(&self, bytes: &[u8]) -> Result<EnrolmentAnswer, String> {
        let parsed = ParsedKeyRotation::parse(bytes).unwrap();
        parsed.check_fresh(farmops_agent::clock::now()).unwrap();
        let mut ledger = self.ledger.lock().unwrap();
        ledger.rotations += 1;
        let fate = ledger.fate.take();
        match fate {
            Some(Fate::Refused) => return Err("invalid".to_owned()),
            Some(Fate::Unheard(then)) => {
                then();
                return Err("unavailable".to_owned());
            }
            Some(Fate::Unanswered(then)) => {
                ledger.take_up(parsed)?;
                then();
                return Err("unavailable".to_owned());
            }
            None => ledger.take_up(parsed)?,
        }
        Ok(ledger.answer())
    }

    /// Keeps a request until the owner approves it, unless it names no proof of ours.
    pub(crate) fn ask(&self, bytes: &[u8]) -> Option<EnrolmentAnswer> {
        let parsed = ParsedChainReset::parse(bytes).unwrap();
        parsed.check_fresh(farmops_agent::clock::now()).unwrap();
        let mut ledger = self.ledger.lock().unwrap();
        let (agent_id, key) = (
            parsed.request().agent_id,
            *ledger.keys.as_ref().unwrap().current(),
        );
        let verified = parsed.verify(agent_id, &key).unwrap();
        let after = verified.request().resumes_after;
        let known = |id| ledger.heads.iter().any(|head| head.proof_id == id);
        if !after.is_none_or(known) {
            return None;
        }
        ledger.asked = Some(verified.request().clone());
        Some(ledger.answer())
    }

    /// Is as it was after the first `count` proofs, as if restored from a backup.
    pub(crate) fn forget_after(&self, count: usize) {
        let mut ledger = self.ledger.lock().unwrap();
        ledger.heads.truncate(count);
        ledger.bodies.truncate(count);
        ledger.head = ledger.heads.last().copied();
        self.changed.send_replace(count);
    }

    /// The owner approves what the agent asked for.
    pub(crate) fn approve_reset(&self) {
        let mut ledger = self.ledger.lock().unwrap();
        let after = ledger.asked.take().unwrap().resumes_after;
        let head = |id| {
            *ledger
                .heads
                .iter()
                .find(|head| head.proof_id == id)
                .unwrap()
        };
        ledger.head = after.map(head);
        ledger.branch += 1;
    }

    /// Takes a proof: its standing, or a code.
    pub(crate) fn submit(&self, bytes: &[u8]) -> (Vec<u8>, Result<wire::Standing, String>) {
        let parsed = ParsedProof::parse(bytes).unwrap();
        let hash = parsed.hash().as_bytes().to_vec();
        let mut ledger = self.ledger.lock().unwrap();
        let Some(keys) = &ledger.keys else {
            return (hash, Err("agent-unknown".to_owned()));
        };
        if ledger.status == AgentStatus::Revoked {
            return (hash, Err("agent-revoked".to_owned()));
        }
        if ledger.bodies.iter().any(|body| body == parsed.body()) {
            return (hash, Ok(wire::Standing::Duplicate));
        }
        let place = u64::try_from(ledger.bodies.len()).unwrap();
        let Ok(proof) = keys.verify(parsed, place) else {
            return (hash, Err("bad-signature".to_owned()));
        };
        match chain::extend(ledger.head.as_ref(), &proof, farmops_agent::clock::now()) {
            Ok(head) => {
                ledger.head = Some(head);
                ledger.heads.push(head);
                ledger.bodies.push(proof.body().clone());
                self.changed.send_replace(ledger.bodies.len());
                (hash, Ok(wire::Standing::Chained))
            }
            Err(error) => (hash, Err(error.code().to_owned())),
        }
    }
}

impl Ledger {
    pub(crate) fn fingerprint(&self) -> String {
        self.keys
            .as_ref()
            .unwrap()
            .current()
            .fingerprint()
            .to_string()
    }

    fn answer(&self) -> EnrolmentAnswer {
        EnrolmentAnswer {
            branch: SafeUint::from(self.branch),
            fingerprint: self.keys.as_ref().unwrap().current().fingerprint(),
            head: self.head,
            reset_waiting: self.asked.is_some(),
            status: self.status,
        }
    }

    fn take_up(&mut self, parsed: ParsedKeyRotation) -> Result<(), String> {
        let agent_id = parsed.rotation().agent_id;
        let place = u64::try_from(self.bodies.len()).unwrap();
        let keys = self.keys.as_mut().unwrap();
        if *keys.current() == parsed.rotation().new_key {
            // Known already: the key before it must have signed this one, too.
            let known: Vec<_> = keys.keys().map(|(_, key)| *key).collect();
            let before = known[known.len() - 2];
            let again = parsed.verify(agent_id, &before);
            return again.map(drop).map_err(|error| error.to_string());
        }
        let taken = keys.rotate(parsed, self.head.as_ref(), place);
        taken.map(drop).map_err(|error| error.to_string())
    }
}

/// A running server.
pub(crate) struct Server {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

#[tonic::async_trait]
impl Tracker for Chains {
    async fn enroll(
        &self,
        request: Request<wire::EnrollRequest>,
    ) -> Result<Response<wire::EnrollResponse>, Status> {
        let answer = self.enrol(&request.into_inner().canonical_json);
        let answer = answer.ok_or_else(|| Status::already_exists("another key"))?;
        Ok(Response::new(wire::EnrollResponse {
            answer_json: serde_json::to_vec(&answer).unwrap(),
        }))
    }

    async fn rotate_key(
        &self,
        request: Request<wire::RotateKeyRequest>,
    ) -> Result<Response<wire::RotateKeyResponse>, Status> {
        let answer = self.rotate(&request.into_inner().canonical_json);
        let answer = answer.map_err(|code| match code.as_str() {
            "unavailable" => Status::unavailable(code),
            _ => Status::invalid_argument(code),
        })?;
        Ok(Response::new(wire::RotateKeyResponse {
            answer_json: serde_json::to_vec(&answer).unwrap(),
        }))
    }

    async fn request_chain_reset(
        &self,
        request: Request<wire::RequestChainResetRequest>,
    ) -> Result<Response<wire::RequestChainResetResponse>, Status> {
        let answer = self.ask(&request.into_inner().canonical_json);
        let answer = answer.ok_or_else(|| {
            let problem = br#"{"code":"invalid","field":"resumes_after"}"#;
            Status::with_details(Code::InvalidArgument, "not ours", problem.to_vec().into())
        })?;
        Ok(Response::new(wire::RequestChainResetResponse {
            answer_json: serde_json::to_vec(&answer).unwrap(),
        }))
    }

    type SubmitProofsStream =
        Pin<Box<dyn Stream<Item = Result<wire::SubmitProofsResponse, Status>> + Send>>;

    async fn submit_proofs(
        &self,
        request: Request<Streaming<wire::SubmitProofsRequest>>,
    ) -> Result<Response<Self::SubmitProofsStream>, Status> {
        if self.ledger.lock().unwrap().no_streams {
            return Err(Status::unavailable("the stream broke"));
        }
        let chains = self.clone();
        let answers = request.into_inner().map(move |message| {
            let (hash, taken) = chains.submit(&message?.proof.unwrap().canonical_json);
            let outcome = match taken {
                Ok(standing) => Outcome::Accepted(wire::Accepted {
                    hash,
                    standing: standing.into(),
                }),
                Err(code) => Outcome::Refused(wire::Refused {
                    code,
                    ..wire::Refused::default()
                }),
            };
            Ok(wire::SubmitProofsResponse {
                outcome: Some(outcome),
            })
        });
        Ok(Response::new(Box::pin(answers)))
    }
}
