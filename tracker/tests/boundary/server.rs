//! A tracker in this process, and the ways to talk to it.

use std::path::Path;

use farmops_protocol::{time::Timestamp, wire::tracker::v1 as wire};
use farmops_service::outbound::{Outbound, Reach};
use farmops_tracker::{
    config::Config,
    serve::{Running, TOKEN_FILE, start},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use wire::tracker_client::TrackerClient;

use crate::{cast::TestAgent, described::Asking};

pub struct Tracker {
    pub folder: TempDir,
    pub base: String,
    pub token: String,
    pub client: reqwest::Client,
    stop: CancellationToken,
    running: Running,
}

/// The present second: proofs must not come from the future.
pub fn now() -> Timestamp {
    farmops_federation::system_clock()()
}

pub fn config(folder: &TempDir) -> Config {
    serde_json::from_value(json!({
        "db": database(folder.path()),
        "owner_token_path": folder.path().join(TOKEN_FILE),
        "port": 0,
        "public_url": "http://alice.localhost:8443",
        "handle": "alice",
        "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "allow_loopback": true,
        "publish": { "snapshot_delay_seconds": 0 },
    }))
    .unwrap()
}

/// The URL of the folder's database.
pub fn database(folder: &Path) -> String {
    named(folder, "farm")
}

/// The URL of a database of that name: a file in the folder, or, with `TEST_DATABASE=postgres`, a
/// database of a server, whose URL the folder keeps.
pub fn named(folder: &Path, name: &str) -> String {
    if std::env::var("TEST_DATABASE").as_deref() != Ok("postgres") {
        return format!("sqlite://{}/{name}.db", folder.display());
    }
    let kept = folder.join(format!("{name}.url"));
    std::fs::read_to_string(&kept).unwrap_or_else(|_| {
        let url = farmops_postgres::database().unwrap();
        std::fs::write(kept, &url).unwrap();
        url
    })
}

impl Tracker {
    pub async fn begin() -> Self {
        Self::at(tempfile::tempdir().unwrap()).await
    }

    pub async fn at(folder: TempDir) -> Self {
        let config = config(&folder);
        Self::configured(folder, config).await
    }

    pub async fn configured(folder: TempDir, config: Config) -> Self {
        let stop = CancellationToken::new();
        let running = start(&config, stop.clone()).await.unwrap();
        let token = std::fs::read_to_string(folder.path().join(TOKEN_FILE)).unwrap();
        Self {
            base: format!("http://{}", running.address),
            token: token.trim().to_owned(),
            client: Outbound::new(Reach::Operator, "test").unwrap().client(),
            folder,
            stop,
            running,
        }
    }

    pub async fn restart(self) -> Self {
        Self::at(self.end().await).await
    }

    /// Stops it, and gives the folder with what it left.
    pub async fn end(self) -> TempDir {
        self.stop.cancel();
        self.running.wait().await.unwrap();
        self.folder
    }

    /// The tracker itself.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// How it ends, unasked.
    pub async fn ended(self) -> anyhow::Result<()> {
        self.running.wait().await
    }

    /// A request without the owner's token.
    pub fn anyone(&self, method: Method, path: &str) -> Asking {
        Asking(self.client.request(method, format!("{}{path}", self.base)))
    }

    /// A request with it.
    pub fn owner(&self, method: Method, path: &str) -> Asking {
        self.anyone(method, path).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.owner(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    pub async fn post(&self, path: &str, bytes: impl Into<reqwest::Body>) -> (StatusCode, Value) {
        let request = self
            .anyone(Method::POST, path)
            .header("content-type", "application/json");
        let answer = request.body(bytes).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap_or_default())
    }

    pub async fn enrol(&self, agent: &TestAgent) -> (StatusCode, Value) {
        self.post("/api/v1/agents/enroll", agent.enrolment(now()))
            .await
    }

    pub async fn approve(&self, agent: &TestAgent) -> Value {
        let path = format!("/api/v1/agents/{}/approve", agent.id);
        let body = json!({ "fingerprint": agent.key.public().fingerprint() });
        let answer = self
            .owner(Method::POST, &path)
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.unwrap()
    }

    pub async fn trusted(&self, number: u8) -> TestAgent {
        let agent = TestAgent::new(number);
        self.enrol(&agent).await;
        self.approve(&agent).await;
        agent
    }

    pub async fn grpc(&self) -> TrackerClient<Channel> {
        connect(&self.base).await
    }

    /// Everything that a refused request must not change.
    pub async fn projections(&self) -> Value {
        json!({
            "farm": self.get("/api/v1/farm").await,
            "stats": self.get("/api/v1/farm/stats").await,
            "agents": self.get("/api/v1/agents").await,
            "proofs": self.get("/api/v1/proofs?limit=200").await,
            "ledger": self.get("/api/v1/ledger").await,
        })
    }
}

pub async fn connect(base: &str) -> TrackerClient<Channel> {
    let channel = Channel::from_shared(base.to_owned())
        .unwrap()
        .connect()
        .await
        .unwrap();
    TrackerClient::new(channel)
}

/// A message of the stream.
pub fn message(bytes: impl Into<Vec<u8>>) -> wire::SubmitProofsRequest {
    wire::SubmitProofsRequest {
        proof: Some(farmops_protocol::wire::proof::v1::SignedProof {
            canonical_json: bytes.into(),
        }),
    }
}

/// Sends a whole stream and collects the answers: the standing's name, or the refusal's code.
pub async fn stream(
    client: &mut TrackerClient<Channel>,
    messages: Vec<wire::SubmitProofsRequest>,
) -> Vec<String> {
    let answers = client
        .submit_proofs(futures::stream::iter(messages))
        .await
        .unwrap();
    let mut answers = answers.into_inner();
    let mut words = Vec::new();
    // A stranger's stream ends with an error after the answer.
    while let Ok(Some(answer)) = answers.message().await {
        words.push(word(&answer));
    }
    words
}

pub fn word(answer: &wire::SubmitProofsResponse) -> String {
    use wire::submit_proofs_response::Outcome;
    match answer.outcome.as_ref().unwrap() {
        Outcome::Accepted(accepted) => {
            accepted.standing().as_str_name()["STANDING_".len()..].to_lowercase()
        }
        Outcome::Refused(refused) => {
            assert!(
                !refused.field.is_empty() && !refused.reason.is_empty(),
                "{refused:?}"
            );
            refused.code.clone()
        }
    }
}
