//! `kill -9` of the real program under load: every acknowledged proof is there afterwards, once.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use farmops_protocol::{
    limits::PROOF_BYTES_MAX, log::TreeHead, proof::Category, time::Timestamp,
    wire::tracker::v1 as wire,
};
use farmops_service::outbound::{Outbound, Reach};
use farmops_tracker::serve::TOKEN_FILE;
use rand::RngExt as _;
use serde_json::{Value, json};
use tonic::transport::Channel;
use wire::tracker_client::TrackerClient;

use crate::{
    cast::TestAgent,
    log::Reader,
    server::{connect, database, message, now, word},
};

const KILLS: usize = 20;

/// The program, killed when it goes out of scope.
struct Program {
    child: Child,
    base: String,
}

impl Program {
    fn begin(folder: &Path, port: u16) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"))
            .args(["--db", &database(folder)])
            .env("FARMOPS_OWNER_TOKEN_PATH", folder.join(TOKEN_FILE))
            .args([
                "--port",
                &port.to_string(),
                "--handle",
                "alice",
                "--allow-loopback",
            ])
            .args([
                "--public-url",
                &format!("http://alice.localhost:{port}"),
                "--snapshot-delay",
                "0",
            ])
            .args(["--log", "warn"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let base = format!("http://127.0.0.1:{port}");
        Self { child, base }
    }

    async fn ready(&self, client: &reqwest::Client) {
        for _ in 0..1200 {
            if let Ok(answer) = client.get(format!("{}/readyz", self.base)).send().await
                && answer.status().is_success()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the tracker does not become ready");
    }

    fn kill(&mut self) {
        // SIGKILL: nothing is flushed, nothing is said.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn head_of(client: &mut TrackerClient<Channel>, agent: &TestAgent) -> Value {
    let request = wire::EnrollRequest {
        canonical_json: agent.enrolment(now()),
    };
    let answer = client.enroll(request).await.unwrap().into_inner();
    serde_json::from_slice(&answer.answer_json).unwrap()
}

/// Sends proofs from `from` on until the connection breaks; notes each acknowledged index.
async fn send(
    base: String,
    proofs: Arc<Vec<Vec<u8>>>,
    from: usize,
    acknowledged: Arc<Mutex<usize>>,
) {
    let mut client = connect(&base).await;
    let messages: Vec<_> = proofs[from..]
        .iter()
        .map(|bytes| message(bytes.clone()))
        .collect();
    let paced = tokio_stream::StreamExt::throttle(
        futures::stream::iter(messages),
        Duration::from_micros(200),
    );
    let Ok(answers) = client.submit_proofs(paced).await else {
        return;
    };
    let mut answers = answers.into_inner();
    let mut index = from;
    while let Ok(Some(answer)) = answers.message().await {
        assert!(
            ["chained", "duplicate"].contains(&word(&answer).as_str()),
            "{answer:?}"
        );
        index += 1;
        *acknowledged.lock().unwrap() = index;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_lose_nothing_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let client = Outbound::new(Reach::Operator, "test").unwrap().client();
    let mut agent = TestAgent::new(1);
    let start: Timestamp = now().saturating_add(-86_400);
    let made: Vec<_> = (0..20_000)
        .map(|n| agent.work(Category::Toil, start.saturating_add(n / 10)))
        .collect();
    assert!(
        made.iter()
            .all(|proof| proof.bytes().len() < PROOF_BYTES_MAX)
    );
    let proofs = Arc::new(made.iter().map(|p| p.bytes().to_vec()).collect::<Vec<_>>());
    let acknowledged = Arc::new(Mutex::new(0));

    let mut program = Program::begin(folder.path(), port);
    program.ready(&client).await;
    let token = std::fs::read_to_string(folder.path().join("owner.token")).unwrap();
    let base = program.base.clone();
    let post = |path: String, body: Value| {
        client
            .post(format!("{base}{path}"))
            .bearer_auth(token.trim())
            .json(&body)
            .send()
    };
    head_of(&mut connect(&base).await, &agent).await;
    let fingerprint = json!({ "fingerprint": agent.key.public().fingerprint() });
    assert!(
        post(format!("/api/v1/agents/{}/approve", agent.id), fingerprint)
            .await
            .unwrap()
            .status()
            .is_success()
    );

    let mut sequences = BTreeMap::new();
    let log = Reader::of(&client, &base).await;
    let mut heads: Vec<TreeHead> = Vec::new();
    for _ in 0..KILLS {
        let kept = head_of(&mut connect(&base).await, &agent).await;
        let kept = usize::try_from(kept["head"]["length"].as_u64().unwrap_or(0)).unwrap();
        assert!(
            kept >= *acknowledged.lock().unwrap(),
            "an acknowledged proof is gone"
        );
        let sending = tokio::spawn(send(
            base.clone(),
            proofs.clone(),
            kept,
            acknowledged.clone(),
        ));
        let pause = rand::rng().random_range(20..200);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        if let Ok(answer) = client
            .get(format!("{base}/api/v1/public/snapshot"))
            .send()
            .await
            && let Ok(snapshot) = answer.json::<Value>().await
            && let Some(sequence) = snapshot["farm:sequence"].as_u64()
        {
            let said = sequences
                .entry(sequence)
                .or_insert_with(|| snapshot["proof"].clone());
            assert_eq!(
                *said, snapshot["proof"],
                "one sequence number, two snapshots"
            );
        }
        heads.extend(log.head_if_alive().await);
        program.kill();
        sending.await.unwrap();
        program = Program::begin(folder.path(), port);
        program.ready(&client).await;
        // Whatever was signed before the kill, the log still begins with it.
        let now = log.head().await;
        for served in &heads {
            log.check_extends(served, now.as_ref().unwrap()).await;
        }
        heads.extend(now);
        heads.dedup();
    }
    assert!(heads.len() > KILLS / 2, "heads were served all along");
    let kept = head_of(&mut connect(&base).await, &agent).await["head"]["length"]
        .as_u64()
        .unwrap();
    assert!(kept >= u64::try_from(*acknowledged.lock().unwrap()).unwrap() && kept > 0);
    drop(program);
    let report = offline(folder.path(), &["fsck"]);
    assert_eq!(report["proofs"], kept, "{report}");
    let report = offline(folder.path(), &["proofs", "verify"]);
    assert_eq!(report["proofs"], kept, "each proof once");
}

/// What a command says of a database that it finds sound.
fn offline(folder: &Path, command: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"))
        .args(command)
        .args(["--json", "--db"])
        .arg(database(folder))
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{report}");
    report
}
