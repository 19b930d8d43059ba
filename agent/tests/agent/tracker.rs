//! A tracker that keeps nothing but chains, and checks every link of them.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use farmops_protocol::chain::{self, ChainHead};
use farmops_protocol::enrolment::{AgentStatus, EnrolmentAnswer, EnrolmentRequest};
use farmops_protocol::int::SafeUint;
use farmops_protocol::key::PublicKey;
use farmops_protocol::proof::{ParsedProof, ProofBody};
use farmops_protocol::wire::tracker::v1 as wire;
use farmops_protocol::wire::tracker::v1::submit_proofs_response::Outcome;
use farmops_protocol::wire::tracker::v1::tracker_server::{Tracker, TrackerServer};
use futures::{Stream, StreamExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming};

/// One agent's chain.
pub(crate) struct Ledger {
    pub(crate) status: AgentStatus,
    key: Option<PublicKey>,
    pub(crate) head: Option<ChainHead>,
    pub(crate) bodies: Vec<ProofBody>,
    pub(crate) hellos: usize,
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
                key: None,
                head: None,
                bodies: Vec::new(),
                hellos: 0,
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

    pub(crate) fn enrol(&self, bytes: &[u8]) -> EnrolmentAnswer {
        let request = EnrolmentRequest::verify(bytes, farmops_agent::clock::now()).unwrap();
        let mut ledger = self.ledger.lock().unwrap();
        ledger.hellos += 1;
        let key = *ledger.key.get_or_insert(request.public_key);
        assert_eq!(key, request.public_key);
        EnrolmentAnswer {
            branch: SafeUint::ZERO,
            fingerprint: key.fingerprint(),
            head: ledger.head,
            reset_waiting: false,
            status: ledger.status,
        }
    }

    /// Takes a proof: its standing, or a code.
    pub(crate) fn submit(&self, bytes: &[u8]) -> (Vec<u8>, Result<wire::Standing, String>) {
        let parsed = ParsedProof::parse(bytes).unwrap();
        let mut ledger = self.ledger.lock().unwrap();
        let Some(key) = ledger.key else {
            return (Vec::new(), Err("agent-unknown".to_owned()));
        };
        if ledger.status == AgentStatus::Revoked {
            return (Vec::new(), Err("agent-revoked".to_owned()));
        }
        let proof = parsed.verify(&key).unwrap();
        let hash = proof.hash().as_bytes().to_vec();
        if ledger.bodies.iter().any(|body| body == proof.body()) {
            return (hash, Ok(wire::Standing::Duplicate));
        }
        match chain::extend(ledger.head.as_ref(), &proof, farmops_agent::clock::now()) {
            Ok(head) => {
                ledger.head = Some(head);
                ledger.bodies.push(proof.body().clone());
                self.changed.send_replace(ledger.bodies.len());
                (hash, Ok(wire::Standing::Chained))
            }
            Err(error) => (hash, Err(error.code().to_owned())),
        }
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
        Ok(Response::new(wire::EnrollResponse {
            answer_json: serde_json::to_vec(&answer).unwrap(),
        }))
    }

    async fn rotate_key(
        &self,
        _: Request<wire::RotateKeyRequest>,
    ) -> Result<Response<wire::RotateKeyResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn request_chain_reset(
        &self,
        _: Request<wire::RequestChainResetRequest>,
    ) -> Result<Response<wire::RequestChainResetResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    type SubmitProofsStream =
        Pin<Box<dyn Stream<Item = Result<wire::SubmitProofsResponse, Status>> + Send>>;

    async fn submit_proofs(
        &self,
        request: Request<Streaming<wire::SubmitProofsRequest>>,
    ) -> Result<Response<Self::SubmitProofsStream>, Status> {
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
