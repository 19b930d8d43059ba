//! The command line against a running tracker.

use farmops_farm::{
    catalogue::Owned,
    layout::{Farm, Layout},
};
use farmops_protocol::proof::Category;
use serde_json::Value;
use tokio::process::Command;

use crate::{
    cast::TestAgent,
    server::{Tracker, database, now},
};

/// Runs the program; whether it succeeded, what it printed, and what it complained about.
pub async fn run(tracker: &Tracker, args: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"))
        .args(args)
        .args(["--url", &tracker.base, "--token-file"])
        .arg(tracker.folder.path().join("owner.token"))
        .output()
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.success(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[tokio::test]
async fn the_owner_approves_looks_and_verifies() {
    let tracker = Tracker::begin().await;
    let mut agent = TestAgent::new(1);
    tracker.enrol(&agent).await;
    let (ok, listed, _) = run(&tracker, &["agents", "list", "--json"]).await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert!(ok && listed["agents"][0]["status"] == "pending");
    let id = agent.id.to_string();
    let (ok, _, complaint) = run(
        &tracker,
        &["agents", "approve", &id, "--fingerprint", "1234"],
    )
    .await;
    assert!(!ok && complaint.contains("fingerprint"), "{complaint}");
    let fingerprint = agent.key.public().fingerprint().to_string();
    let (ok, said, _) = run(
        &tracker,
        &["agents", "approve", &id, "--fingerprint", &fingerprint],
    )
    .await;
    assert!(ok && said.contains("is approved"));
    let approve = ["agents", "approve", &id, "--fingerprint", &fingerprint];
    let (ok, said, _) = run(&tracker, &approve).await;
    assert!(ok && said.contains("was approved already"), "{said}");
    let proof = agent.work(Category::Upgrade, now());
    tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    let proof_id = proof.body().proof_id.to_string();
    let (_, listed, _) = run(&tracker, &["proofs", "list", "--category", "upgrade"]).await;
    assert!(listed.contains(&proof_id));
    let (_, shown, _) = run(&tracker, &["proofs", "show", &proof_id]).await;
    assert!(shown.contains(std::str::from_utf8(proof.bytes()).unwrap()));
    let (ok, report, _) = run(&tracker, &["proofs", "verify", "--json"]).await;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(ok && report["proofs"] == 1 && report["findings"] == serde_json::json!([]));
    let (ok, said, _) = run(&tracker, &["agents", "revoke", &id]).await;
    assert!(ok && said.contains("is revoked. What it brought stays."));
    let (ok, said, _) = run(&tracker, &["agents", "revoke", &id]).await;
    assert!(ok && said.contains("was revoked already"), "{said}");
    let (ok, _, complaint) = run(&tracker, &["follow", "not a handle"]).await;
    assert!(!ok && complaint.contains("handle"), "{complaint}");
    let (ok, _, complaint) = run(&tracker, &["join", "http://orchard.localhost:1"]).await;
    assert!(!ok && complaint.contains("does not answer"), "{complaint}");
}

#[tokio::test]
async fn an_unknown_setting_is_named_with_what_was_meant() {
    let output = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"))
        .args(["--public-url", "http://alice.localhost:1"])
        .env("FARMOPS_HANDEL", "alice")
        .output()
        .await
        .unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        complaint.contains("FARMOPS_HANDEL") && complaint.contains("`handle`"),
        "{complaint}"
    );
}

#[tokio::test]
async fn the_doctor_names_what_is_wrong_and_what_to_do() {
    let tracker = Tracker::begin().await;
    let (ok, report, _) = run(&tracker, &["doctor", "--json"]).await;
    let report: Value = serde_json::from_str(&report).unwrap();
    let state = |report: &Value, check: &str| {
        let findings = report["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| finding["check"] == check);
        found.unwrap_or_else(|| panic!("{check} was not looked at: {report}"))["state"].clone()
    };
    assert!(ok, "{report}");
    assert_eq!(state(&report, "tracker"), "ok");
    assert_eq!(state(&report, "token"), "ok");
    assert_eq!(state(&report, "agents"), "look", "none has enrolled");
    tracker.enrol(&TestAgent::new(1)).await;
    let (_, report, _) = run(&tracker, &["doctor"]).await;
    assert!(report.contains("1 waits for your approval"), "{report}");

    let nowhere = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"))
        .args(["doctor", "--json", "--url", "http://127.0.0.1:1"])
        .current_dir(tracker.folder.path())
        .output()
        .await
        .unwrap();
    assert!(!nowhere.status.success());
    let report: Value = serde_json::from_slice(&nowhere.stdout).unwrap();
    assert_eq!(state(&report, "tracker"), "wrong");
}

#[tokio::test]
async fn a_command_finds_the_tracker_and_its_token_by_the_settings() {
    let tracker = Tracker::begin().await;
    let (home, elsewhere) = (tracker.folder.path(), tempfile::tempdir().unwrap());
    let file = home.join("tracker.yaml");
    let (_, port) = tracker.base.rsplit_once(':').unwrap();
    let written = format!(
        "port: {port}\ndb: {}\nowner_token_path: owner.token\n",
        database(home)
    );
    std::fs::write(&file, written).unwrap();
    let show = async || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"));
        command
            .args(["farm", "show", "--json", "--config"])
            .arg(&file);
        command
            .current_dir(elsewhere.path())
            .output()
            .await
            .unwrap()
    };
    let shown = show().await;
    assert!(shown.status.success(), "{shown:?}");
    let farm: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(farm["ledger_size"], 2);

    // What goes wrong is one document too.
    std::fs::write(&file, "prot: 1\n").unwrap();
    let refused = show().await;
    assert!(!refused.status.success());
    let said: Value = serde_json::from_slice(&refused.stdout).unwrap();
    let error = said["error"].as_str().unwrap();
    assert!(error.contains("did you mean `port`"), "{error}");
}

#[tokio::test]
async fn completions_and_man_pages_come_from_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"));
        command.args(args).current_dir(folder.path());
        command
    };
    for shell in ["bash", "zsh", "fish"] {
        let script = tracker(&["completions", shell]).output().await.unwrap();
        let script = String::from_utf8(script.stdout).unwrap();
        assert!(script.contains("approve") && script.contains("doctor"));
    }
    assert!(tracker(&["man", "pages"]).status().await.unwrap().success());
    let page = folder.path().join("pages/farmops-tracker-agents-approve.1");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("fingerprint"), "{page}");
}

#[tokio::test]
async fn the_owner_looks_at_the_farm_as_it_was() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let before = tracker.get("/api/v1/farm").await["ledger_size"].to_string();
    let proof = agent.work(Category::Incident, now());
    tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    let coins = async |args: &[&str]| {
        let args = [&["farm", "balance", "--json"], args].concat();
        let (ok, balance, complaint) = run(&tracker, &args).await;
        assert!(ok, "{complaint}");
        let balance: Value = serde_json::from_str(&balance).unwrap();
        balance["total_coins"].as_u64().unwrap()
    };
    assert_eq!(coins(&["--at", &before]).await, 0);
    assert!(coins(&[]).await > 0);
    let (ok, _, complaint) = run(&tracker, &["farm", "show", "--at", "99"]).await;
    assert!(!ok && complaint.contains("(at; status 422)"), "{complaint}");
    let id = proof.body().proof_id.to_string();
    let (ok, opened, _) = run(&tracker, &["ledger", "open", &id]).await;
    assert!(ok && opened.starts_with("c2sp.org/tlog-proof@v1\n"));
}

#[tokio::test]
async fn a_database_is_checked_and_made_anew_when_no_tracker_runs_on_it() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let proof = agent.work(Category::Upgrade, now());
    tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    let url = database(tracker.folder.path());
    // Checking only reads, so it may be done at any time.
    let (ok, report, complaint) = run(&tracker, &["fsck", "--db", &url, "--json"]).await;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(ok && report["proofs"] == 1, "{report} {complaint}");
    let (ok, _, complaint) = run(&tracker, &["rebuild", "--db", &url]).await;
    assert!(!ok && complaint.contains("a tracker is running on this database"));
    let before = tracker.projections().await;
    let folder = tracker.end().await;
    let output = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"))
        .args(["rebuild", "--db", &url])
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let tracker = Tracker::at(folder).await;
    assert_eq!(before, tracker.projections().await);
    let missing = format!("sqlite://{}/other.db", tracker.folder.path().display());
    for command in ["fsck", "rebuild"] {
        assert!(!run(&tracker, &[command, "--db", &missing]).await.0);
    }
    assert!(!tracker.folder.path().join("other.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_sees_one_moment_of_a_busy_tracker() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let url = database(tracker.folder.path());
    let checks = async {
        let mut entries = Vec::new();
        for _ in 0..5 {
            let (ok, report, complaint) = run(&tracker, &["fsck", "--db", &url, "--json"]).await;
            assert!(ok, "{report} {complaint}");
            let report: Value = serde_json::from_str(&report).unwrap();
            entries.push(report["entries"].as_u64().unwrap());
        }
        entries
    };
    let work = async {
        let start = now().saturating_add(-86_400);
        for n in 0.. {
            let proof = agent.work(Category::Toil, start.saturating_add(n));
            tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
        }
    };
    let entries = tokio::select! {
        entries = checks => entries,
        () = work => unreachable!("there is always work"),
    };
    assert!(
        entries.is_sorted() && entries[0] < entries[4],
        "{entries:?}"
    );
}

#[tokio::test]
async fn the_owner_runs_the_farm_from_the_terminal() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let mut when = now().saturating_add(-86_400);
    for category in [Category::Incident; 6] {
        let proof = agent.work(category, when);
        tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
        when = when.saturating_add(3_600);
    }
    let told = async |args: &[&str], expected: &str| {
        let (ok, said, complaint) = run(&tracker, args).await;
        assert!(
            ok && said.contains(expected),
            "{args:?}: {said} {complaint}"
        );
        said
    };
    let buy = ["shop", "buy", "compost-heap", "--key", "one"];
    told(&buy, "Bought compost-heap, level 1, for 50 coins.").await;
    told(&buy, "Bought compost-heap, level 1, for 50 coins.").await;
    told(&["shop", "purchases"], "compost-heap").await;
    told(&["shop", "list"], "sold from farm level").await;
    told(&["farm", "coins"], "50 spent").await;
    told(&["farm", "rename", "Hill farm"], "Hill farm").await;
    told(&["farm", "calendar"], "at first  UTC").await;
    let zone = ["farm", "calendar", "--time-zone", "America/Lima"];
    let days = ["--working-days", "tue,sat"];
    told(&[&zone[..], &days].concat(), "America/Lima  tue,sat").await;
    let today = now().to_string()[..10].to_owned();
    told(&["farm", "rest-days", "add", &today], &today).await;
    told(&["farm", "rest-days", "list"], &today).await;
    told(&["farm", "rest-days", "remove", &today], "No days off.").await;
    let rules = told(&["rules", "show"], "\"base_coins\"").await;
    let file = tracker.folder.path().join("rules.json");
    let file = file.to_str().unwrap().to_owned();
    std::fs::write(&file, rules.replace("30", "31")).unwrap();
    told(&["rules", "set", &file], "scored by the rules").await;
    let join = ["leagues", "join", "harvest", "--name", "Harvest league"];
    told(&[&join[..], &["--rules", &file]].concat(), "Harvest league").await;
    told(&["leagues", "leave", "harvest"], "left 2").await;
    told(&["ledger", "list"], "The farm is called “Hill farm” now.").await;
    let id = agent.id.to_string();
    told(
        &["agents", "reset-chain", &id, "--anew"],
        "with a first proof",
    )
    .await;
    let (ok, _, complaint) = run(&tracker, &["agents", "dismiss", &id]).await;
    assert!(!ok && complaint.contains("409"), "{complaint}");
    let taken = "is revoked. 6 proofs and ";
    told(&["agents", "revoke", &id, "--all"], taken).await;
    told(&["agents", "revoke", &id, "--all"], "was revoked already").await;
    let waiting = TestAgent::new(9);
    tracker.enrol(&waiting).await;
    let id = waiting.id.to_string();
    let sent = "is sent away. It had sent nothing.";
    told(&["agents", "dismiss", &id], sent).await;
    told(&["agents", "dismiss", &id], "was sent away already").await;
    told(&["agents", "list"], "  sent away cluster-9").await;
    told(&["farm", "balance"], "0 coins earned, 50 spent, 0 left").await;
}

#[tokio::test]
async fn the_farm_is_arranged_from_the_terminal_and_from_a_file() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let mut when = now().saturating_add(-10 * 86_400);
    while tracker.get("/api/v1/farm").await["total_coins"].as_u64() < Some(600) {
        let proof = agent.work(Category::Incident, when);
        tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
        when = when.saturating_add(3_600);
    }
    let told = async |args: &[&str]| {
        let (ok, said, complaint) = run(&tracker, args).await;
        assert!(ok, "{args:?}: {complaint}");
        said
    };
    assert!(told(&["layout", "list"]).await.contains("been bought yet"));
    for item in ["well", "scarecrow"] {
        told(&["shop", "buy", item]).await;
    }
    let usual = told(&["layout", "list"]).await;
    assert!(usual.contains("well.1       Well       4,10"), "{usual}");
    // A copy that is edited elsewhere keeps what it changed, and so does the tracker.
    let folder = tracker.folder.path();
    let file = folder.join("layout").to_str().unwrap().to_owned();
    told(&["layout", "save", &file]).await;
    let bytes = std::fs::read(&file).unwrap();
    let (owned, level) = (["scarecrow", "well"], tracker.get("/api/v1/farm").await);
    let owned = owned.map(|slug| Owned {
        slug: slug.to_owned(),
        level: 1,
    });
    let farm = Farm {
        owned: &owned,
        level: level["level"].as_u64().unwrap(),
    };
    let mut elsewhere = Layout::load(&bytes, [7; 16]).unwrap();
    let scarecrow = "scarecrow.1".parse().unwrap();
    elsewhere
        .rename(farm, &scarecrow, "Old Jack", now())
        .unwrap();
    std::fs::write(&file, elsewhere.save()).unwrap();
    let said = told(&["layout", "shed", "well.1"]).await;
    assert_eq!(said.trim_end(), "well.1 is in the shed now.");
    let both = told(&["layout", "merge", &file, "--json"]).await;
    let both: Value = serde_json::from_str(&both).unwrap();
    assert_eq!(both["shed"], serde_json::json!(["well.1"]));
    assert_eq!(both["names"]["scarecrow.1"], "Old Jack");

    let said = told(&["layout", "place", "well.1", "4", "9"]).await;
    assert_eq!(said.trim_end(), "well.1 stands at 4,9 now.");
    let said = told(&["layout", "name", "well.1", "The deep one"]).await;
    assert!(said.contains("well.1, called “The deep one”, stands at 4,9 now."));
    told(&["layout", "name", "well.1"]).await;
    assert_eq!(
        told(&["layout", "usual", "well.1"]).await.trim_end(),
        "well.1 stands at 4,10 now."
    );
    for (args, reason) in [
        (["well.1", "2", "2"], "House and fields stay"),
        (["barn.1", "9", "9"], "There is no barn.1"),
        (["well", "9", "9"], "like barn.1"),
    ] {
        let args = [&["layout", "place"][..], &args].concat();
        let (ok, _, complaint) = run(&tracker, &args).await;
        assert!(!ok && complaint.contains(reason), "{complaint}");
    }
    let (ok, _, complaint) = run(&tracker, &["layout", "save", &file]).await;
    assert!(!ok && complaint.contains("name a new file"), "{complaint}");
}
