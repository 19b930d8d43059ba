//! `kill -9` of the real program: every snapshot that it acknowledged is there afterwards, once,
//! and announced once.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rand::RngExt as _;
use serde_json::Value;

use crate::{
    store::{announcements, created_and_delivered},
    tracker::{Place, REGISTER, Shown, TestTracker},
    world::{client, eventually, listener},
};

const KILLS: u32 = 20;

/// The program, killed when it goes out of scope.
struct Program {
    child: Child,
    url: String,
}

impl Place for Program {
    fn url(&self) -> &str {
        &self.url
    }
}

impl Program {
    async fn begin(folder: &Path, url: &str) -> Self {
        let port = url.rsplit(':').next().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_farmops-village"))
            .args(["--db", &format!("sqlite://{}/village.db", folder.display())])
            .args(["--name", "Orchard", "--port", port, "--public-url", url])
            .args(["--allow-loopback", "--log", "warn"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let program = Self {
            child,
            url: url.to_owned(),
        };
        eventually("the village is ready", async || {
            let answer = client().get(format!("{url}/readyz")).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        program
    }

    /// SIGKILL: nothing is flushed, nothing is said.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn get(&self, path: &str) -> Value {
        let answer = client()
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_lose_no_acknowledged_snapshot_and_announce_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (port_keeper, url) = listener("orchard").await;
    drop(port_keeper);
    let mut program = Program::begin(folder.path(), &url).await;
    let alice = TestTracker::start("alice", 1).await;
    let request = client()
        .post(format!("{url}{REGISTER}"))
        .body(alice.request(&program, None));
    assert_eq!(request.send().await.unwrap().status(), 201);
    eventually("the village follows her", async || {
        use farmops_federation::RelationState::Accepted;
        let followers = alice
            .federation
            .followers("actor", Some(Accepted), None, 10)
            .await
            .unwrap();
        (!followers.is_empty()).then_some(())
    })
    .await;

    for sequence in 1..=KILLS {
        alice
            .publish(Shown {
                sequence,
                coins: sequence * 10,
                ..Shown::default()
            })
            .await;
        eventually("it is acknowledged", async || {
            let delivered = created_and_delivered(&alice.database).await;
            (delivered == i64::from(sequence)).then_some(())
        })
        .await;
        let moment = Duration::from_micros(rand::rng().random_range(0..20_000));
        tokio::time::sleep(moment).await;
        program.kill();
        program = Program::begin(folder.path(), &url).await;
    }

    let last = u64::from(KILLS);
    let history = eventually("the last one is there", async || {
        let history = program.get("/api/v1/farmers/@alice/history").await;
        (history["items"][0]["sequence"] == last).then_some(history)
    })
    .await;
    let sequences: Vec<u64> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["sequence"].as_u64().unwrap())
        .collect();
    let expected: Vec<u64> = (1..=last).rev().collect();
    assert_eq!(sequences, expected);
    assert_eq!(
        program.get("/api/v1/leaderboard").await["items"][0]["value"],
        last * 10
    );
    let written = announcements(&folder.path().join("village.db")).await;
    assert_eq!(written, i64::from(KILLS));
}
