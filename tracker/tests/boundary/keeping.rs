//! Backups, archives, and what becomes of them.

use std::{path::Path, time::Duration};

use farmops_farm::layout::Layout;
use farmops_protocol::{chain_reset::ChainResetRequest, proof::Category};
use farmops_tracker::{
    serve::TOKEN_FILE,
    store::{Batch, Database},
};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    forging::Forgery,
    server::{Tracker, database, named, now},
    store::damage,
};

/// Runs the program; whether it succeeded, what it printed, what it complained about.
pub async fn run(args: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"))
        .args(args)
        .output()
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    (output.status.success(), out, err)
}

fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

/// A farm on which something happened.
async fn lived_in() -> Tracker {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    for n in 0..20 {
        let when = now().saturating_add(-90_000 + n * 4_000);
        let proof = agent.work(Category::Security, when);
        tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    }
    let opening = "/api/v1/ledger/1/opening?parts=event";
    let opened = tracker.owner(reqwest::Method::GET, opening).send().await;
    assert!(opened.unwrap().status().is_success());
    tracker
}

fn private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().unwrap().permissions().mode() & 0o777 == 0o600
}

#[tokio::test]
async fn a_backup_of_a_running_tracker_becomes_the_same_farm() {
    let tracker = lived_in().await;
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("a.backup");
    let restored = named(folder.path(), "b");
    let db = database(tracker.folder.path());
    let (ok, said, err) = run(&["backup", &name(&backup), "--db", &db]).await;
    assert!(ok && said.contains("keys"), "{said}{err}");
    assert!(private(&backup));
    let (ok, _, err) = run(&["backup", &name(&backup), "--db", &db]).await;
    assert!(!ok && err.contains("not replaced"), "{err}");
    let (ok, said, err) = run(&["restore", &name(&backup), "--db", &restored]).await;
    assert!(ok, "{said}{err}");
    let (ok, said, err) = run(&["fsck", "--db", &restored]).await;
    assert!(ok && said.contains("everything holds"), "{said}{err}");
    let (ok, _, err) = run(&["restore", &name(&backup), "--db", &restored]).await;
    assert!(!ok && err.contains("move it away"), "{err}");

    // A damaged backup is not restored.
    let mut bytes = std::fs::read(&backup).unwrap();
    let proof = b"Resolved an alert";
    // All of them, because a page may hold stale copies of a row.
    let places: Vec<_> = (0..bytes.len() - proof.len())
        .filter(|at| bytes[*at..].starts_with(proof))
        .collect();
    for at in places {
        bytes[at] = b'S';
    }
    let damaged = folder.path().join("damaged.backup");
    std::fs::write(&damaged, bytes).unwrap();
    let other = folder.path().join("c.db");
    let (ok, said, err) = run(&["restore", &name(&damaged), "--db", &url(&other)]).await;
    assert!(!ok && err.contains("damaged"), "{said}{err}");
    assert!(!other.exists());
}

#[tokio::test]
async fn an_archive_is_checked_and_founds_the_farm_anew() {
    let tracker = lived_in().await;
    let farm = tracker.get("/api/v1/farm").await;
    let home = tracker.end().await;
    let db = database(home.path());
    let layout = arrange(&db).await;
    let folder = tempfile::tempdir().unwrap();
    let (plain, whole) = (
        folder.path().join("plain.tar"),
        folder.path().join("whole.tar"),
    );
    let (ok, _, err) = run(&["export", &name(&plain), "--db", &db]).await;
    assert!(ok, "{err}");
    let (ok, _, err) = run(&["export", &name(&whole), "--with-keys", "--db", &db]).await;
    assert!(ok && private(&whole), "{err}");
    for archive in [&plain, &whole] {
        let (ok, report, err) = run(&["import", &name(archive), "--check", "--json"]).await;
        let report: Value = serde_json::from_str(&report).unwrap();
        assert!(
            ok && report["findings"] == serde_json::json!([]),
            "{report}{err}"
        );
        assert_eq!(report["coins"], farm["total_coins"]);
    }
    let anew = named(folder.path(), "anew");
    let (ok, _, err) = run(&["import", &name(&plain), "--db", &anew]).await;
    assert!(!ok && err.contains("--with-keys"), "{err}");
    // Nothing is left of a farm that was not founded, or this would be refused.
    let (ok, said, err) = run(&["import", &name(&whole), "--db", &anew]).await;
    assert!(ok, "{said}{err}");
    let (ok, said, err) = run(&["fsck", "--db", &anew, "--json"]).await;
    let report: Value = serde_json::from_str(&said).unwrap();
    assert!(ok, "{said}{err}");
    assert_eq!(report["coins"], farm["total_coins"]);
    let reads = Database::inspect(&anew).await.unwrap();
    assert_eq!(reads.layout().await.unwrap(), Some(layout));
    assert!(
        report["heads"].as_u64() > Some(0),
        "the signed heads came along"
    );
}

/// Puts a layout into the database at `url`, where no tracker runs, and gives it.
async fn arrange(url: &str) -> Vec<u8> {
    let layout = Layout::new([7; 16]).save();
    let database = Database::open(url).await.unwrap();
    let batch = Batch {
        layout: Some(&layout),
        ..Batch::default()
    };
    let mut journal = database.journal().await.unwrap();
    journal.commit(&batch).await.unwrap();
    layout
}

#[tokio::test]
async fn nothing_that_was_changed_in_an_archive_goes_unseen() {
    let tracker = lived_in().await;
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("farm.tar");
    let db = database(tracker.folder.path());
    let (ok, _, err) = run(&["export", &name(&archive), "--db", &db]).await;
    assert!(ok, "{err}");
    let bytes = std::fs::read(&archive).unwrap();
    let find = |what: &[u8]| bytes.windows(what.len()).position(|w| w == what).unwrap();
    let changed = folder.path().join("changed.tar");
    for (what, member) in [
        (&b"\"position\":7"[..], "ledger.ndjson"),
        (b"\"level\"", "farm.json"),
        (b"farmops-archive-1", "manifest.json"),
        (b"<svg", "farm.svg"),
    ] {
        let mut bytes = bytes.clone();
        bytes[find(what) + 2] ^= 1;
        std::fs::write(&changed, bytes).unwrap();
        let (ok, _, err) = run(&["import", &name(&changed), "--check"]).await;
        assert!(!ok && err.contains(member), "{member}: {err}");
    }
    // Half an archive, and none.
    std::fs::write(&changed, &bytes[..bytes.len() / 2]).unwrap();
    assert!(!run(&["import", &name(&changed), "--check"]).await.0);
    std::fs::write(&changed, b"no archive").unwrap();
    assert!(!run(&["import", &name(&changed), "--check"]).await.0);
}

/// An older backup is restored under an agent at work, which keeps the last few of its proofs only.
#[tokio::test]
async fn an_agent_goes_on_at_the_end_of_a_tracker_that_lost_its_proofs() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let mut proofs = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    let (backup, db) = (
        folder.path().join("a.backup"),
        database(tracker.folder.path()),
    );
    for n in 0..6 {
        if n == 3 {
            assert!(run(&["backup", &name(&backup), "--db", &db]).await.0);
        }
        let proof = agent.work(Category::Toil, now().saturating_add(-9_000 + n * 1_000));
        let (status, _) = tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
        assert_eq!(status.as_u16(), 201);
        proofs.push(proof);
    }
    let before = tracker.end().await;
    let anew = tempfile::tempdir().unwrap();
    let restored = database(anew.path());
    let (ok, said, err) = run(&["restore", &name(&backup), "--db", &restored]).await;
    assert!(ok, "{said}{err}");
    // A backup has the owner's token as a hash only.
    let token = |folder: &tempfile::TempDir| folder.path().join(TOKEN_FILE);
    std::fs::copy(token(&before), token(&anew)).unwrap();
    let tracker = Tracker::at(anew).await;

    let next = agent.work(Category::Toil, now());
    let (status, problem) = tracker.post("/api/v1/proofs", next.bytes().to_vec()).await;
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (409, &json!("not-the-head"))
    );
    let (_, hello) = tracker.enrol(&agent).await;
    assert_eq!(hello["head"]["proof_id"], json!(proofs[2].body().proof_id));
    let ask = async |after| {
        let text = ChainResetRequest::sign(agent.id, Some(after), &agent.key, now()).unwrap();
        let path = format!("/api/v1/agents/{}/chain-reset", agent.id);
        tracker.post(&path, text).await
    };
    let (status, problem) = ask(proofs[5].body().proof_id).await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (422, &json!("resumes_after"))
    );
    let (status, answer) = ask(proofs[2].body().proof_id).await;
    assert_eq!(
        (status.as_u16(), &answer["reset_waiting"]),
        (202, &json!(true))
    );
    let path = format!("/api/v1/agents/{}/reset-chain", agent.id);
    let granted = tracker.owner(reqwest::Method::POST, &path).send().await;
    let granted: Value = granted.unwrap().json().await.unwrap();
    assert_eq!(
        (&granted["branch"], &granted["head"]),
        (&json!(1), &hello["head"])
    );

    // The fourth and the fifth are gone; the others are signed anew, under their own ids.
    let mut resumed = agent.clone();
    resumed.head = serde_json::from_value(granted["head"].clone()).unwrap();
    for lost in [&proofs[5], &next] {
        let body = lost.body();
        let again = resumed.work_as(body.proof_id, Category::Toil, body.timestamp);
        let (status, answer) = tracker.post("/api/v1/proofs", again.bytes().to_vec()).await;
        assert_eq!(status.as_u16(), 201, "{answer}");
        resumed.advance(&again);
    }
    let folder = tracker.end().await;
    let db = database(folder.path());
    let (ok, said, err) = run(&["fsck", "--db", &db]).await;
    assert!(ok && said.contains("everything holds"), "{said}{err}");
}

/// What SQLite left beside a database that was moved away is that database's.
#[tokio::test]
async fn nothing_is_put_beside_the_log_of_an_older_database() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("a.backup");
    let archive = folder.path().join("a.tar");
    let (ok, _, err) = run(&[
        "backup",
        &name(&backup),
        "--db",
        &database(tracker.folder.path()),
    ])
    .await;
    assert!(ok, "{err}");
    let of = url(&backup);
    let (ok, _, err) = run(&["export", &name(&archive), "--with-keys", "--db", &of]).await;
    assert!(ok, "{err}");
    let proof = agent.work(Category::Security, now());
    tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;

    let anew = folder.path().join("farm.db");
    for suffix in ["-wal", "-shm", "-journal"] {
        let left = folder.path().join(format!("farm.db{suffix}"));
        std::fs::write(&left, "left").unwrap();
        for (word, file) in [("restore", &backup), ("import", &archive)] {
            let (ok, said, err) = run(&[word, &name(file), "--db", &url(&anew)]).await;
            let expected = format!("{} is still there: move it away", left.display());
            assert!(!ok && err.contains(&expected), "{word}: {said}{err}");
            assert!(!anew.exists());
        }
        // Neither is a backup made where another one's log is.
        let (ok, _, err) = run(&["backup", &name(&anew), "--db", &of]).await;
        assert!(!ok && err.contains("is still there"), "{err}");
        assert_eq!(std::fs::read(&left).unwrap(), b"left");
        std::fs::remove_file(&left).unwrap();
    }
    let (ok, said, err) = run(&["restore", &name(&backup), "--db", &url(&anew)]).await;
    assert!(ok && said.contains("another head"), "{said}{err}");
}

#[tokio::test]
async fn a_killed_import_leaves_a_whole_farm_or_none() {
    let tracker = lived_in().await;
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("farm.tar");
    let db = database(tracker.folder.path());
    let (ok, _, err) = run(&["export", &name(&archive), "--with-keys", "--db", &db]).await;
    assert!(ok, "{err}");
    let anew = named(folder.path(), "anew");
    let file = folder.path().join("anew.db");
    for pause in (0..).map(|n| Duration::from_millis(n * 10)) {
        let mut import = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"))
            .args(["import", &name(&archive), "--db", &anew])
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let ended = tokio::time::timeout(pause, import.wait()).await;
        if ended.is_err() {
            import.kill().await.unwrap();
        }
        let beside = |suffix: &str| folder.path().join(format!("anew.db{suffix}"));
        assert!(!beside("-wal").exists() || file.exists());
        if file.exists() || Database::is_there(&anew).await.unwrap() {
            break;
        }
        assert!(ended.is_err(), "nothing stopped it");
    }
    let (ok, report, err) = run(&["fsck", "--db", &anew, "--json"]).await;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(ok && report["findings"] == json!([]), "{report}{err}");
    assert_eq!(report["proofs"], 20);
}

#[tokio::test]
async fn an_export_that_could_not_be_imported_is_not_made() {
    let tracker = lived_in().await;
    let folder = tempfile::tempdir().unwrap();
    let (backup, archive) = (folder.path().join("a.db"), folder.path().join("a.tar"));
    let db = database(tracker.folder.path());
    assert!(run(&["backup", &name(&backup), "--db", &db]).await.0);
    damage(&url(&backup), "DELETE FROM ledger WHERE position = 5").await;
    let (ok, _, err) = run(&["export", &name(&archive), "--db", &url(&backup)]).await;
    assert!(!ok && err.contains("5 comes next, and here is 6"), "{err}");
    assert!(!archive.exists());
}

/// A farm with something of everything that an archive may lie about.
async fn bargained() -> Tracker {
    let tracker = lived_in().await;
    let request = tracker
        .owner(reqwest::Method::POST, "/api/v1/shop/purchase")
        .header("Idempotency-Key", "one")
        .json(&json!({ "item": "compost-heap" }));
    assert!(request.send().await.unwrap().status().is_success());
    let mut agent = tracker.trusted(2).await;
    let first = agent.work(Category::Toil, now().saturating_add(-3_600));
    let second = agent.work(Category::Security, now());
    for proof in [&first, &second] {
        let (status, _) = tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
        assert_eq!(status.as_u16(), 201);
    }
    for (word, body) in [
        (
            "reset-chain",
            json!({ "resumes_after": first.body().proof_id }),
        ),
        ("revoke", json!({ "last_good_proof": null })),
    ] {
        let path = format!("/api/v1/agents/{}/{word}", agent.id);
        let asked = tracker.owner(reqwest::Method::POST, &path).json(&body);
        let answer = asked.send().await.unwrap();
        assert!(answer.status().is_success(), "{:?}", answer.text().await);
    }
    let opening = "/api/v1/ledger/1/opening?parts=event";
    let opened = tracker.owner(reqwest::Method::GET, opening).send().await;
    assert!(opened.unwrap().status().is_success());
    tracker
}

type Change<'a> = &'a dyn Fn(&mut Value);

#[tokio::test]
async fn a_forged_archive_is_refused() {
    let tracker = bargained().await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (plain, whole, forged) = (path("plain.tar"), path("whole.tar"), path("forged.tar"));
    let db = database(tracker.folder.path());
    assert!(run(&["export", &name(&plain), "--db", &db]).await.0);
    let (ok, _, err) = run(&["export", &name(&whole), "--with-keys", "--db", &db]).await;
    assert!(ok, "{err}");
    let farm = Forgery::of(&whole).key();
    assert_eq!(Forgery::of(&plain).founder(), farm.public());
    let stranger = farmops_protocol::key::SecretKey::from_bytes([9; 32]);
    let refused = async |forgery: Forgery, key: &_, expected: &str| {
        forgery.write(&forged, key);
        let (ok, report, err) = run(&["import", &name(&forged), "--check"]).await;
        assert!(
            !ok && report.contains(expected),
            "{expected}: {report}{err}"
        );
    };
    // Taken apart and put together it is the same.
    Forgery::of(&plain).write(&forged, &farm);
    let (ok, report, err) = run(&["import", &name(&forged), "--check"]).await;
    assert!(ok, "{report}{err}");

    // Somebody else's farm, under a key of one's own.
    refused(Forgery::of(&plain), &stranger, "founded with another key").await;
    // A second founding, and none.
    let mut twice = Forgery::of(&plain);
    let mut lines = twice.lines("ledger.ndjson");
    let mut again = lines[0].clone();
    again["position"] = json!(lines.len() + 1);
    lines.push(again);
    twice.set_lines("ledger.ndjson", &lines);
    refused(twice, &farm, "founded already").await;
    let mut never = Forgery::of(&plain);
    let mut lines = never.lines("ledger.ndjson").split_off(1);
    for (line, position) in lines.iter_mut().zip(1..) {
        line["position"] = json!(position);
    }
    never.set_lines("ledger.ndjson", &lines);
    refused(never, &farm, "the ledger begins with").await;

    // What was said to the world.
    let mut unsigned = Forgery::of(&plain);
    let mut heads = unsigned.lines("checkpoints.ndjson");
    heads[0]["root"] = json!("0".repeat(64));
    unsigned.set_lines("checkpoints.ndjson", &heads);
    refused(unsigned, &farm, "the row does not say what its note says").await;
    let mut richer = Forgery::of(&plain);
    let mut shown = Value::clone(&richer.lines("snapshot.json")[0]);
    shown["ledger_position"] = json!(2);
    richer.set_lines("snapshot.json", &[shown]);
    refused(richer, &farm, "the farm that was shown is not the one").await;
    let mut beyond = Forgery::of(&plain);
    let lines = beyond.lines("ledger.ndjson");
    beyond.set_lines("ledger.ndjson", &lines[..2]);
    refused(beyond, &farm, "entries was signed, and there are 2").await;

    // What an entry says of earlier ones.
    let price = |body: &mut Value| body["price"] = json!(0);
    let item = |body: &mut Value| body["item"] = json!("golden-plough");
    let withdrawn = |body: &mut Value| body["withdrawn"] = json!([]);
    let resumes = |body: &mut Value| body["resumes_at"]["length"] = json!(7);
    let changes: [(&str, Change<'_>, &str); 4] = [
        ("item_purchased", &price, "the price that the shop had"),
        ("item_purchased", &item, "the shop would have refused it"),
        ("agent_revoked", &withdrawn, "what is taken back is not"),
        (
            "chain_reset",
            &resumes,
            "resumes at a proof that it does not have",
        ),
    ];
    let anew = named(folder.path(), "anew");
    for (kind, change, expected) in changes {
        let mut plain = Forgery::of(&plain);
        let position = plain.retell(kind, change);
        let found = format!("position {position}, table ledger");
        refused(plain, &farm, &found).await;
        let mut whole = Forgery::of(&whole);
        whole.retell(kind, change);
        whole.write(&forged, &farm);
        let (ok, report, err) = run(&["import", &name(&forged), "--db", &anew]).await;
        assert!(!ok && report.contains(expected), "{report}{err}");
        assert!(err.contains("nothing was imported"), "{err}");
    }
    let (ok, _, err) = run(&["import", &name(&whole), "--db", &anew]).await;
    assert!(ok, "{err}");
}
