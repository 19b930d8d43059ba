//! Starting and stopping: which settings it takes, what it leaves, and which database a command finds.

use std::path::Path;

use farmops_tracker::{serve::start, store::Database};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    keeping::run,
    server::{Tracker, config, database},
};

/// Whether everything is in the file itself. A server keeps its own files.
fn is_whole(file: &Path) -> bool {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).map_or(0, |found| found.len()) == 0
}

#[tokio::test]
async fn a_tracker_that_has_stopped_leaves_one_file() {
    let tracker = Tracker::begin().await;
    tracker.trusted(1).await;
    let home = tracker.end().await;
    let file = home.path().join("farm.db");
    if !file.exists() {
        return;
    }
    assert!(is_whole(&file));
    let copy = home.path().join("copy.db");
    std::fs::copy(&file, &copy).unwrap();
    let copy = format!("sqlite://{}", copy.display());
    let reads = Database::inspect(&copy).await.unwrap();
    assert_eq!(reads.glance().await.unwrap(), Some(4));
    let db = database(home.path());
    for command in [&["rebuild"][..], &["owner-token", "reset"]] {
        let (ok, _, err) = run(&[command, &["--db", &db]].concat()).await;
        assert!(ok && is_whole(&file), "{command:?}: {err}");
    }
}

/// What works on a database needs no public address, and takes `--db` from either side.
#[tokio::test]
async fn a_command_finds_its_database() {
    let home = Tracker::begin().await.end().await;
    let db = database(home.path());
    let (backup, archive) = (home.path().join("a.backup"), home.path().join("a.tar"));
    let (backup, archive) = (backup.to_str().unwrap(), archive.to_str().unwrap());
    for command in [&["fsck"][..], &["backup", backup], &["export", archive]] {
        let (ok, said, err) = run(&[&["--db", &db], command].concat()).await;
        assert!(ok, "{command:?}: {said}{err}");
    }
    let settings = home.path().join("settings.toml");
    std::fs::write(&settings, format!("db = \"{db}\"\n")).unwrap();
    let settings = settings.to_str().unwrap();
    let (ok, said, err) = run(&["--config", settings, "fsck"]).await;
    assert!(ok && said.contains("2 entries"), "{said}{err}");
    for args in [
        ["--db", &db, "doctor", "--json"],
        ["doctor", "--db", &db, "--json"],
    ] {
        let (_, report, err) = run(&args).await;
        let report: Value = serde_json::from_str(&report).expect(&err);
        let findings = report["findings"].as_array().unwrap();
        let found = findings.iter().find(|f| f["check"] == "database").unwrap();
        assert_eq!(found["state"], "ok", "{found}");
        assert!(
            found["detail"].as_str().unwrap().contains("2 entries"),
            "{found}"
        );
    }
}

#[tokio::test]
async fn a_wrong_setting_is_told_before_anything_is_made() {
    for (change, expected) in [
        (
            r#"{"public_url": "http://alice.localhost:8443/farm"}"#,
            "public_url",
        ),
        (r#"{"handle": "A B"}"#, "handle"),
        (r#"{"time_zone": "Mars/Olympus"}"#, "time_zone"),
        (
            r#"{"publish": {"snapshot_delay_seconds": 9999999999}}"#,
            "publish.snapshot_delay_seconds",
        ),
        (r#"{"handle": null}"#, "handle"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&folder);
        let change: Value = serde_json::from_str(change).unwrap();
        if let Some(url) = change["public_url"].as_str() {
            config.public_url = url.parse().unwrap();
        }
        if let Some(handle) = change.get("handle") {
            config.handle = handle.as_str().map(str::to_owned);
        }
        if let Some(zone) = change["time_zone"].as_str() {
            zone.clone_into(&mut config.time_zone);
        }
        if let Some(seconds) = change["publish"]["snapshot_delay_seconds"].as_u64() {
            config.publish.snapshot_delay_seconds = seconds;
        }
        let refused = start(&config, CancellationToken::new()).await.err();
        let refused = refused
            .map(|error| format!("{error:#}"))
            .unwrap_or_default();
        assert!(
            refused.contains(&format!("`{expected}`")),
            "{change}: {refused}"
        );
        assert!(!config.owner_token_path.unwrap().exists(), "{change}");
        assert!(!folder.path().join("farm.db").exists(), "{change}");
    }
}

/// A handle is asked for when a farm is founded, and then never again.
#[tokio::test]
async fn a_farm_that_is_there_needs_no_handle() {
    let home = Tracker::begin().await.end().await;
    for handle in [None, Some("bob".to_owned())] {
        let mut config = config(&home);
        config.handle = handle;
        config.public_url = "http://bob.localhost:8443".parse().unwrap();
        let stop = CancellationToken::new();
        let running = start(&config, stop.clone()).await.unwrap();
        stop.cancel();
        running.wait().await.unwrap();
    }
    let reads = Database::inspect(&database(home.path())).await.unwrap();
    assert_eq!(reads.farm().await.unwrap().unwrap().profile.handle, "alice");
}
