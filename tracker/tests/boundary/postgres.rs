//! A tracker whose database is a server: what it refuses, and what becomes of it when the server dies.

use std::time::Duration;

use farmops_postgres::Server;
use farmops_protocol::proof::Category;
use farmops_tracker::serve::start;
use reqwest::StatusCode;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    forging::Forgery,
    keeping::run,
    server::{Tracker, config, database, now},
    store::{Invoices, empty},
};

/// A tracker on a database of `server`.
async fn on(server: &Server, name: &str) -> Tracker {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    config.db = server.create(name).unwrap();
    Tracker::configured(folder, config).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_takes_nothing_accepted_with_it() {
    let mut server = Server::start().unwrap();
    let tracker = on(&server, "farm").await;
    let mut agent = tracker.trusted(1).await;
    let mut accepted = 0;
    for death in 0..3 {
        for _ in 0..10 {
            let proof = agent.work(Category::Toil, now());
            let (status, answer) = tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
            assert_eq!(status, StatusCode::CREATED, "{answer}");
            accepted += 1;
        }
        server.kill().unwrap();
        // While it is away, a proof is not refused for good. What the server had begun it may still end.
        let late = agent.work(Category::Toil, now());
        let (status, answer) = tracker.post("/api/v1/proofs", late.bytes().to_vec()).await;
        let expected = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::CREATED];
        assert!(expected.contains(&status), "{answer}");
        server.restart().unwrap();
        let mut standing = json!(null);
        for _ in 0..200 {
            let (status, answer) = tracker.post("/api/v1/proofs", late.bytes().to_vec()).await;
            standing = answer["standing"].clone();
            if status.is_success() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // An attempt that was answered before it was decided may have been carried out meanwhile.
        assert!(
            standing == "chained" || standing == "duplicate",
            "after death {death}: {standing}"
        );
        accepted += 1;
        let page = tracker.get("/api/v1/proofs?limit=200").await;
        assert_eq!(page["proofs"].as_array().unwrap().len(), accepted);
    }
}

#[tokio::test]
async fn a_tracker_stops_while_its_server_is_away() {
    let mut server = Server::start().unwrap();
    let tracker = on(&server, "farm").await;
    let mut agent = tracker.trusted(1).await;
    server.kill().unwrap();
    let proof = agent.work(Category::Toil, now());
    let (status, _) = tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    assert!(!status.is_client_error());
    tracker.end().await;
}

#[tokio::test]
async fn two_trackers_do_not_share_a_database() {
    let server = Server::start().unwrap();
    let tracker = on(&server, "farm").await;
    let folder = tempfile::tempdir().unwrap();
    let mut second = config(&folder);
    second.db = server.url("farm");
    let refused = start(&second, CancellationToken::new())
        .await
        .err()
        .unwrap();
    let reasons = format!("{refused:#}");
    assert!(
        reasons.contains("a tracker is running on this database"),
        "{reasons}"
    );
    // Its place is free once the first one has gone.
    tracker.end().await;
    let stop = CancellationToken::new();
    let running = start(&second, stop.clone()).await.unwrap();
    stop.cancel();
    running.wait().await.unwrap();
}

#[tokio::test]
async fn an_unfit_database_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for (url, expected) in [
        (
            "postgres://alice:secret@127.0.0.1:1/farm".to_owned(),
            "opening postgres://alice@127.0.0.1:1/farm",
        ),
        ("mysql://alice@db/farm".to_owned(), "expected sqlite://PATH"),
    ] {
        let mut config = config(&folder);
        config.db = url;
        let refused = start(&config, CancellationToken::new())
            .await
            .err()
            .unwrap();
        let reasons = format!("{refused:#}");
        assert!(reasons.contains(expected), "{reasons}");
        assert!(!reasons.contains("secret"), "{reasons}");
    }
}

/// A database may hold other tables than ours.
#[tokio::test]
async fn what_others_keep_beside_the_farm_is_theirs() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let proof = agent.work(Category::Toil, now());
    tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let name = |name: &str| path(name).display().to_string();
    let db = database(tracker.folder.path());
    let (keyless, whole) = (name("keyless.tar"), name("whole.tar"));
    for words in [
        &["export", &keyless, "--db", &db][..],
        &["export", &whole, "--with-keys", "--db", &db],
    ] {
        let (ok, _, err) = run(words).await;
        assert!(ok, "{err}");
    }
    let mut damaged = Forgery::of(&path("whole.tar"));
    let (key, mut lines) = (damaged.key(), damaged.lines("ledger.ndjson"));
    lines.pop();
    damaged.set_lines("ledger.ndjson", &lines);
    damaged.write(&path("damaged.tar"), &key);

    let server = Server::start().unwrap();
    let url = server.create("shared").unwrap();
    let theirs = Invoices::make(&url).await;
    for archive in [&keyless, &name("damaged.tar")] {
        let (ok, said, err) = run(&["import", archive, "--db", &url]).await;
        assert!(!ok, "{said}{err}");
        assert_eq!(theirs.count().await, 1, "{archive}");
    }
    let (ok, _, err) = run(&["import", &whole, "--db", &url]).await;
    assert!(ok, "{err}");
    let backup = name("shared.backup");
    let (ok, _, err) = run(&["backup", &backup, "--db", &url]).await;
    assert!(ok, "{err}");
    let again = server.create("again").unwrap();
    let (ok, _, err) = run(&["restore", &backup, "--db", &again]).await;
    assert!(ok, "{err}");
    // A table of ours that is not empty is not filled.
    empty(&again, "ledger").await;
    let (ok, _, err) = run(&["restore", &backup, "--db", &again]).await;
    assert!(!ok && err.contains("holds something already"), "{err}");
    assert_eq!(theirs.count().await, 1);
}
