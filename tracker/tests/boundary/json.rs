//! Every command answers a program that asks for JSON with one document.

use std::{collections::BTreeSet, path::Path};

use clap::CommandFactory as _;
use farmops_protocol::proof::Category;
use farmops_tracker::cli::Cli;
use serde_json::Value;
use tokio::process::Command;

use crate::{
    cast::TestAgent,
    cli::run,
    server::{Tracker, database, named, now},
};

/// What prints no answer: scripts for a shell, and pages for a person.
const NO_ANSWER: [&str; 2] = ["completions", "man"];
/// What takes another server, or a season that is over, to succeed: other tests run it.
const TAKES_MORE: [&str; 14] = [
    "follow",
    "followers accept",
    "followers block",
    "followers reject",
    "followers unblock",
    "following add",
    "following remove",
    "join",
    "leagues offers",
    "leagues take",
    "villages join",
    "villages leave",
    "prune",
    "unprune",
];

/// The names of all commands that do something.
fn commands() -> BTreeSet<String> {
    fn walk(command: &clap::Command, path: &str, found: &mut BTreeSet<String>) {
        let mut below = command.get_subcommands().peekable();
        if below.peek().is_none() {
            found.insert(path.trim_start().to_owned());
        }
        for one in below {
            walk(one, &format!("{path} {}", one.get_name()), found);
        }
    }
    let mut found = BTreeSet::new();
    walk(&Cli::command(), "", &mut found);
    found
}

/// The command that these arguments name.
fn named_by(args: &[&str], commands: &BTreeSet<String>) -> String {
    let names = (1..=args.len()).map(|words| args[..words].join(" "));
    let found = names.into_iter().find(|name| commands.contains(name));
    found.unwrap_or_else(|| panic!("{args:?} names no command"))
}

#[tokio::test]
async fn every_command_answers_with_one_document() {
    let tracker = Tracker::begin().await;
    let folder = tracker.folder.path().to_owned();
    let mut agent = tracker.trusted(1).await;
    for n in 0..12 {
        let when = now().saturating_add((n - 20) * 3_600);
        let proof = agent.work(Category::Incident, when);
        tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    }
    let (waiting, stray) = (TestAgent::new(2), TestAgent::new(3));
    tracker.enrol(&waiting).await;
    tracker.enrol(&stray).await;
    let proof = agent.head.unwrap().proof_id.to_string();
    let (known, waiting_id, stray_id) = (
        agent.id.to_string(),
        waiting.id.to_string(),
        stray.id.to_string(),
    );
    let fingerprint = waiting.key.public().fingerprint().to_string();
    let profile = tracker.get("/api/v1/public/profile").await;
    let key = profile["farmer_key"].as_str().unwrap().to_owned();
    let today = now().to_string()[..10].to_owned();
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let rules = tracker.get("/api/v1/rules").await["rules"].to_string();
    std::fs::write(file("rules.json"), rules).unwrap();
    let (_, opened, _) = run(&tracker, &["ledger", "open", &proof]).await;
    std::fs::write(file("opening"), opened).unwrap();
    let db = database(&folder);
    let (rules, opening) = (file("rules.json"), file("opening"));
    let layout = file("layout");

    let all = commands();
    let mut tried: BTreeSet<String> = NO_ANSWER.map(str::to_owned).into();
    tried.extend(TAKES_MORE.map(str::to_owned));
    let told: [&[&str]; 46] = [
        &["doctor"],
        &["agents", "list"],
        &[
            "agents",
            "approve",
            &waiting_id,
            "--fingerprint",
            &fingerprint,
        ],
        &["agents", "dismiss", &stray_id],
        &["agents", "reset-chain", &known, "--anew"],
        &["proofs", "list"],
        &["proofs", "show", &proof],
        &["proofs", "verify"],
        &["farm", "show"],
        &["farm", "balance"],
        &["farm", "stats"],
        &["farm", "upgrades"],
        &["farm", "coins"],
        &["farm", "rename", "Hill farm"],
        &["farm", "calendar"],
        &["farm", "rest-days", "list"],
        &["farm", "rest-days", "add", &today],
        &["farm", "rest-days", "remove", &today],
        &["shop", "list"],
        &["shop", "buy", "scarecrow"],
        &["shop", "purchases"],
        &["layout", "list"],
        &["layout", "shed", "scarecrow.1"],
        &["layout", "place", "scarecrow.1", "15", "12"],
        &["layout", "usual", "scarecrow.1"],
        &["layout", "name", "scarecrow.1", "Jack"],
        &["layout", "save", &layout],
        &["layout", "merge", &layout],
        &["rules", "show"],
        &["rules", "set", &rules],
        &["leagues", "join", "cup", "--name", "Cup", "--rules", &rules],
        &["leagues", "list"],
        &["leagues", "leave", "cup"],
        &["ledger", "list"],
        &["ledger", "open", &proof],
        &["ledger", "check", &opening, "--key", &key],
        &["villages", "list"],
        &["followers", "list"],
        &["following", "list"],
        &["tokens", "create", "night shift", "--scope", "read"],
        &["tokens", "list"],
        &["tokens", "revoke", "night shift"],
        &["sessions", "end"],
        &["owner-token", "rotate"],
        &["agents", "revoke", &known],
        &["fsck", "--db", &db],
    ];
    for args in told {
        let args = [args, &["--json"]].concat();
        let (ok, said, complaint) = run(&tracker, &args).await;
        assert!(ok, "{args:?}: {complaint}");
        check(&args, &said);
        tried.insert(named_by(&args, &all));
    }
    let folder = tracker.end().await;
    tried.extend(tried_offline(folder.path(), &all).await);
    assert_eq!(tried, all);
}

/// Runs what works on a database that no tracker runs on; the names of those commands.
async fn tried_offline(folder: &Path, all: &BTreeSet<String>) -> Vec<String> {
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (db, restored) = (database(folder), named(folder, "restored"));
    let (backup, archive) = (file("backup.db"), file("farm.tar"));
    let offline: [&[&str]; 6] = [
        &["rebuild", "--db", &db],
        &["backup", &backup, "--db", &db],
        &["restore", &backup, "--db", &restored],
        &["export", &archive, "--db", &db],
        &["import", &archive, "--check"],
        &["owner-token", "reset", "--db", &db],
    ];
    let mut tried = Vec::new();
    for args in offline {
        let output = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"))
            .args(args)
            .arg("--json")
            .current_dir(folder)
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        check(args, std::str::from_utf8(&output.stdout).unwrap());
        tried.push(named_by(args, all));
    }
    tried
}

fn check(args: &[&str], said: &str) {
    let document: Result<Value, _> = serde_json::from_str(said);
    let document = document.unwrap_or_else(|error| panic!("{args:?}: {error}: {said}"));
    assert!(
        document.is_object() || document.is_null(),
        "{args:?}: {said}"
    );
}
