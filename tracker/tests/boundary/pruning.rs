//! `kill -9` while a season leaves the database, and while it comes back: nothing of it is lost.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use farmops_protocol::{log::commitment::SaltSource, proof::Category, time::Timestamp};
use farmops_tracker::{
    domain::{BufferBounds, Founding},
    store::{Database, Secrets},
    writer::{Setup, Writer},
};
use rand::RngExt as _;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{cast::TestAgent, server::database};

const PROOFS: i64 = 600;
const KILLS: usize = 6;

fn then() -> Timestamp {
    "2026-02-20T09:30:00Z".parse().unwrap()
}

/// A farm of last winter, whose season is over by the clock of the programs.
async fn last_winter(url: &str) {
    let database = Database::open(url).await.unwrap();
    let mut journal = database.journal().await.unwrap();
    let secrets = Secrets::generate(&mut rand::rng());
    journal.secrets(&secrets).await.unwrap();
    let setup = Setup {
        bounds: BufferBounds::default(),
        salts: SaltSource::new(secrets.farm_secret.clone()),
        clock: Arc::new(then),
    };
    let (mut writer, handle) = Writer::open(journal, setup).await.unwrap();
    let founding = Founding {
        handle: "alice".to_owned(),
        name: "Alice's farm".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        working_days: [true; 7],
    };
    writer.found(&founding, secrets.public_key()).await.unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(writer.run(stop.clone()));
    let mut agent = TestAgent::new(1);
    let request =
        farmops_protocol::enrolment::EnrolmentRequest::verify(&agent.enrolment(then()), then());
    handle.enrol(request.unwrap()).await.unwrap();
    let fingerprint = agent.key.public().fingerprint();
    handle.approve(agent.id, fingerprint).await.unwrap();
    let start = then().saturating_add(-PROOFS * 600);
    let proofs: Vec<_> = (0..PROOFS)
        .map(|n| agent.work(Category::Toil, start.saturating_add(n * 600)))
        .map(|proof| proof.bytes().to_vec())
        .collect();
    for chunk in proofs.chunks(500) {
        let checked = handle.directory().check_all(chunk.to_vec()).await;
        let answers = handle.submit(checked).await.unwrap();
        assert!(answers.iter().all(Result::is_ok));
    }
    stop.cancel();
    running.await.unwrap();
}

fn program(words: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"));
    program.args(words);
    program
}

fn said(words: &[&str]) -> (bool, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = program(words).output().unwrap();
    let text = String::from_utf8([stdout, stderr].concat()).unwrap();
    (status.success(), text)
}

/// Lets it run for so long at most.
fn killed_after(words: &[&str], pause: Duration) {
    let mut child = program(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(pause);
    // SIGKILL: nothing is flushed, nothing is undone.
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The proofs that a check of the database could not open. Nothing else may be said.
fn unopened(db: &str, archive: Option<&Path>) -> u64 {
    let mut words = vec!["fsck", "--db", db, "--json"];
    if let Some(archive) = archive {
        words.extend(["--archive", archive.to_str().unwrap()]);
    }
    let (ok, text) = said(&words);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert!(ok && report["findings"] == json!([]), "{text}");
    let seasons = report["archived"].as_array().unwrap();
    seasons
        .iter()
        .filter_map(|season| season["entries"].as_u64())
        .sum()
}

async fn ledger(url: &str) -> Vec<String> {
    let reads = Database::inspect(url).await.unwrap();
    let lines = reads.ledger(0, 100_000).await.unwrap();
    lines.iter().map(|line| format!("{line:?}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_while_a_season_leaves_or_comes_back_lose_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let db = database(folder.path());
    last_winter(&db).await;
    let before = ledger(&db).await;
    let file = folder.path().join("2026-Q1.tar");
    let path = file.to_str().unwrap();
    let prune = ["prune", "--season", "2026-Q1", "--to", path, "--db", &db];
    let unprune = ["unprune", "--from", path, "--db", &db];
    let all = u64::try_from(PROOFS).unwrap();
    // How long each takes when nobody kills it.
    let mut longest = Duration::ZERO;
    for words in [&prune[..], &unprune] {
        let begin = Instant::now();
        let (ok, text) = said(words);
        assert!(ok, "{text}");
        longest = longest.max(begin.elapsed());
    }
    std::fs::remove_file(&file).unwrap();
    for round in 0..KILLS {
        let pause = longest.mul_f64(rand::rng().random_range(0.0..1.1));
        if round % 3 < 2 {
            killed_after(&prune, pause);
            let left = unopened(&db, None);
            assert!(left == 0 || left == all, "{left} of {all} left it");
        } else if file.exists() {
            killed_after(&unprune, pause);
        }
        let archive = file.exists().then_some(file.as_path());
        assert_eq!(unopened(&db, archive), 0, "what left is in the file");
    }
    assert!(said(&prune).0);
    assert_eq!(unopened(&db, None), all);
    let (ok, text) = said(&unprune);
    assert!(ok, "{text}");
    assert_eq!(ledger(&db).await, before);
}
