//! Databases that are not what was written: nobody works on them.

use farmops_protocol::proof::Category;
use farmops_tracker::{serve::start, store::Database};
use reqwest::Method;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    keeping::run,
    server::{Tracker, config, database, now},
    store::damage,
};

/// A farm whose head was signed, and some entries after that.
async fn lived_in() -> Tracker {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    for n in 0..12 {
        let when = now().saturating_add(-50_000 + n * 4_000);
        let proof = agent.work(Category::Security, when);
        tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    }
    let opening = "/api/v1/ledger/1/opening?parts=event";
    let opened = tracker.owner(Method::GET, opening).send().await.unwrap();
    assert!(opened.status().is_success());
    let proof = agent.work(Category::Security, now());
    tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    tracker
}

/// What is said of a damage that a glance sees, and by whom.
#[tokio::test]
async fn nothing_is_put_on_a_damaged_ledger() {
    let home = lived_in().await.end().await;
    let whole = home.path().join("whole.backup");
    let (ok, said, err) = run(&[
        "backup",
        whole.to_str().unwrap(),
        "--db",
        &database(home.path()),
    ])
    .await;
    assert!(ok && said.contains("fsck"), "{said}{err}");
    for (number, (statement, expected)) in [
        ("DELETE FROM ledger WHERE position > 8", "ends at entry 8"),
        ("DELETE FROM ledger WHERE position = 9", "has no entry 9"),
        ("DELETE FROM ledger WHERE position = 1", "begins at entry 2"),
        ("DELETE FROM ledger", "ends at entry 0"),
        ("DELETE FROM ledger_head", "and 0 were logged"),
        ("DELETE FROM secret", "keys are gone"),
        (
            "UPDATE ledger SET kind = 'farm_renamed' WHERE position = 5",
            "entry 5 is not the one that was logged",
        ),
        (
            "UPDATE checkpoint SET size = size + 40",
            "entries was signed",
        ),
        ("UPDATE checkpoint SET size = size - 1", "is not the log's"),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = tempfile::tempdir().unwrap();
        let db = database(folder.path());
        let (ok, _, err) = run(&["restore", whole.to_str().unwrap(), "--db", &db]).await;
        assert!(ok, "{err}");
        damage(&db, statement).await;
        let refused = start(&config(&folder), CancellationToken::new()).await;
        let refused = refused.err().map(|error| format!("{error:#}"));
        let refused = refused.unwrap_or_default();
        for word in [expected, "farmops-tracker fsck", "restore", "farm"] {
            assert!(refused.contains(word), "{statement}: {refused}");
        }
        let (ok, _, err) = run(&["fsck", "--db", &db]).await;
        assert!(!ok, "{statement}: {err}");
        let copy = home.path().join(format!("{number}.backup"));
        let (ok, said, err) = run(&["backup", copy.to_str().unwrap(), "--db", &db]).await;
        assert!(!ok && err.contains(expected), "{statement}: {said}{err}");
        assert!(copy.exists() && err.contains("earlier backups"), "{err}");
        let (_, report, err) = run(&[
            "--db",
            &db,
            "--public-url",
            "http://alice.localhost:8443",
            "--handle",
            "alice",
            "doctor",
            "--json",
            "--url",
            "http://127.0.0.1:1",
        ])
        .await;
        let report: Value = serde_json::from_str(&report).expect(&err);
        let findings = report["findings"].as_array().unwrap();
        let found = findings.iter().find(|f| f["check"] == "database").unwrap();
        assert_eq!(found["state"], "wrong", "{statement}: {found}");
        assert!(
            found["detail"].as_str().unwrap().contains(expected),
            "{found}"
        );
    }
}

/// The ledger's end goes while a tracker is at work.
#[tokio::test]
async fn nothing_is_put_behind_a_gap_that_comes_while_it_runs() {
    let tracker = lived_in().await;
    let db = database(tracker.folder.path());
    damage(&db, "DELETE FROM ledger WHERE position > 8").await;
    let agent = tracker.enrol(&crate::cast::TestAgent::new(9)).await;
    assert_eq!(agent.0.as_u16(), 503, "{agent:?}");
    let reads = Database::inspect(&db).await.unwrap();
    assert_eq!(reads.ledger(8, 100).await.unwrap().len(), 0);
}

/// A sound ledger of more than one bundle is taken, also right at a bundle's end.
#[tokio::test]
async fn a_sound_ledger_of_any_length_is_taken() {
    let mut tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let mut proofs = 0;
    for (more, opened) in [(249, true), (1, true), (1, false), (1, false), (40, true)] {
        for _ in 0..more {
            proofs += 1;
            let when = now().saturating_add(-600 + proofs);
            let proof = agent.work(Category::Security, when);
            let (status, _) = tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
            assert_eq!(status.as_u16(), 201);
        }
        if opened {
            let opening = "/api/v1/ledger/1/opening?parts=event";
            let answer = tracker.owner(Method::GET, opening).send().await.unwrap();
            assert!(answer.status().is_success());
        }
        let home = tracker.end().await;
        let reads = Database::inspect(&database(home.path())).await.unwrap();
        let entries = reads.glance().await.unwrap().unwrap();
        assert!(entries >= proofs.unsigned_abs() + 4, "{entries}");
        tracker = Tracker::at(home).await;
    }
}

/// A file whose pages make no sense is reported like any other damage.
#[tokio::test]
async fn a_file_that_is_no_database_is_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("torn.db");
    std::fs::write(&file, vec![7; 8192]).unwrap();
    let db = format!("sqlite://{}", file.display());
    let (ok, said, err) = run(&["fsck", "--json", "--db", &db]).await;
    let report: Value = serde_json::from_str(&said).expect(&err);
    assert!(!ok);
    assert_eq!(report["findings"][0]["remedy"], "restore");
    let (ok, said, _) = run(&["fsck", "--db", &db]).await;
    assert!(!ok && said.contains("restore a backup"), "{said}");
}
