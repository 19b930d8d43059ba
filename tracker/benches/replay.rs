//! `replay-1m`: a ledger of 1,000,000 proofs folded into the farm, on one core, step by step.
//!
//! Each way to go through the ledger runs in a process of its own, so that its peak memory is its own:
//!
//! - `fold`: pages are read from SQLite, parsed and folded, as time travel does it. Value of `replay-1m`:
//!   the seconds in the fold alone; baseline: those in reading and parsing before it.
//! - `log`: the same, and the transparency log commits to every entry.
//! - `verify`: the signature of every proof is checked under the key that its agent had then.
//! - `rebuild`: every projection is emptied and written again, in one transaction.
//!
//! Prints one line of JSON for each figure. `FARMOPS_BENCH_PROOFS` makes a shorter ledger.

#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    hint::black_box,
    process::Command,
    time::{Duration, Instant},
};

use farmops_ledger::{Entry, Event, PROOF_ACCEPTED};
use farmops_protocol::proof::ParsedProof;
use farmops_tracker::{
    domain::State,
    log::{Log, enter},
    store::{Database, LedgerLine, Nowhere},
};
use serde_json::{Value, json};

#[path = "../tests/boundary/cast.rs"]
mod cast;
#[path = "farm/past.rs"]
mod past;
#[path = "farm/story.rs"]
mod story;

/// Proofs, unless `FARMOPS_BENCH_PROOFS` says otherwise.
const PROOFS: usize = 1_000_000;
/// Entries read at once, as the tracker does.
const PAGE: u32 = 1000;
/// Entries between two looks at the clock. They are still in the processor's cache when they are folded, as
/// they are in the tracker, which folds each one as soon as it has parsed it.
const FEW: usize = 20;
/// Runs of the fold, of which the middle one counts.
const ROUNDS: usize = 5;
/// Which part this process is to do.
const PART: &str = "FARMOPS_BENCH_PART";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let proofs = std::env::var("FARMOPS_BENCH_PROOFS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(PROOFS);
    let path = past::database(proofs).await;
    let url = past::url(&path);
    match std::env::var(PART).ok().as_deref() {
        Some("fold") => println!("{}", fold(&url, Way::Fold).await),
        Some("log") => println!("{}", fold(&url, Way::Enter).await),
        Some("verify") => println!("{}", verify(&url).await),
        Some("rebuild") => println!("{}", rebuild(&url).await),
        Some(other) => panic!("there is no part {other}"),
        None => report(),
    }
}

/// Runs every part and prints its figures.
fn report() {
    let mut folds: Vec<_> = (0..ROUNDS).map(|_| part("fold")).collect();
    folds.sort_by(|a, b| seconds(a, "fold").total_cmp(&seconds(b, "fold")));
    let middle = &folds[ROUNDS / 2];
    let (least, most) = (&folds[0], &folds[ROUNDS - 1]);
    eprintln!(
        "{} entries, {} composites, {} coins; fold from {} to {} s in {ROUNDS} runs",
        middle["entries"], middle["composites"], middle["coins"], least["fold"], most["fold"]
    );
    let fold = seconds(middle, "fold");
    let before = seconds(middle, "read") + seconds(middle, "parse");
    println!(
        "{{\"name\":\"replay-1m\",\"value\":{fold:.3},\"unit\":\"s\",\"baseline\":{before:.3},\
         \"ratio\":{:.3}}}",
        fold / before
    );
    let log = seconds(&part("log"), "fold") - fold;
    line("replay-1m-read", seconds(middle, "read"), "s");
    line("replay-1m-parse", seconds(middle, "parse"), "s");
    line("replay-1m-log", log, "s");
    peak("fold", middle);
    let verified = part("verify");
    line("replay-1m-verify", seconds(&verified, "verify"), "s");
    let rebuilt = part("rebuild");
    assert_eq!(rebuilt["coins"], middle["coins"], "the same farm");
    let whole = seconds(&rebuilt, "rebuild");
    line("replay-1m-rebuild", whole, "s");
    line(
        "replay-1m-rebuild-writing",
        whole - before - fold - log,
        "s",
    );
    peak("rebuild", &rebuilt);
}

fn line(name: &str, value: f64, unit: &str) {
    println!("{{\"name\":\"{name}\",\"value\":{value:.3},\"unit\":\"{unit}\"}}");
}

fn peak(of: &str, figures: &Value) {
    let kib = &figures["peak_kib"];
    println!("{{\"name\":\"replay-1m-{of}-peak\",\"value\":{kib},\"unit\":\"KiB\"}}");
}

/// What a process that does nothing else says of its part.
fn part(name: &str) -> Value {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.env(PART, name).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn seconds(figures: &Value, step: &str) -> f64 {
    figures[step].as_f64().unwrap()
}

/// The most that this process had in memory.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let figure = line.and_then(|line| line.split_whitespace().nth(1));
    figure.unwrap().parse().unwrap()
}

fn timed<T>(sum: &mut Duration, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    *sum += started.elapsed();
    done
}

/// How an entry becomes part of the farm.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// It is folded in.
    Fold,
    /// It is folded in, and the log commits to it.
    Enter,
}

async fn fold(url: &str, way: Way) -> Value {
    let reads = Database::inspect(url).await.unwrap();
    let salts = past::salts();
    let (mut state, mut log) = (State::default(), Log::default());
    let [mut read, mut parse, mut fold] = [Duration::ZERO; 3];
    loop {
        let started = Instant::now();
        let lines = reads.ledger(state.position, PAGE).await.unwrap();
        read += started.elapsed();
        if lines.is_empty() {
            break;
        }
        for few in lines.chunks(FEW) {
            let entries: Vec<_> = timed(&mut parse, || few.iter().map(entry).collect());
            timed(&mut fold, || {
                for entry in &entries {
                    match way {
                        Way::Fold => drop(black_box(state.apply(entry))),
                        Way::Enter => drop(black_box(enter(&mut state, &mut log, &salts, entry))),
                    }
                }
            });
        }
    }
    json!({
        "entries": state.position,
        "composites": state.composites,
        "coins": state.coins.earned,
        "read": read.as_secs_f64(),
        "parse": parse.as_secs_f64(),
        "fold": fold.as_secs_f64(),
        "peak_kib": peak_kib(),
    })
}

fn entry(line: &LedgerLine) -> Entry {
    Entry {
        position: line.position,
        recorded_at: line.recorded_at,
        event: Event::read(&line.kind, line.body.bytes().unwrap()).unwrap(),
    }
}

async fn verify(url: &str) -> Value {
    let reads = Database::inspect(url).await.unwrap();
    let keys = reads.agents().await.unwrap();
    let mut places = vec![0; keys.len()];
    let (mut verify, mut position) = (Duration::ZERO, 0);
    loop {
        let lines = reads.ledger(position, PAGE).await.unwrap();
        let Some(last) = lines.last() else { break };
        position = last.position;
        for line in lines.iter().filter(|line| line.kind == PROOF_ACCEPTED) {
            let proof = ParsedProof::parse(line.body.bytes().unwrap()).unwrap();
            let id = proof.body().agent.agent_id;
            let agent = keys.iter().position(|of| of.agent_id == id).unwrap();
            let key = keys[agent].agent.key_at(places[agent]);
            places[agent] += 1;
            black_box(timed(&mut verify, || proof.verify(key)).unwrap());
        }
    }
    json!({ "verify": verify.as_secs_f64(), "peak_kib": peak_kib() })
}

async fn rebuild(url: &str) -> Value {
    let database = Database::open(url).await.unwrap();
    let mut journal = database.journal().await.unwrap();
    let salts = past::salts();
    let started = Instant::now();
    let state = journal
        .rebuild(&salts, &mut Nowhere, &mut |_| ())
        .await
        .unwrap();
    json!({
        "rebuild": started.elapsed().as_secs_f64(),
        "coins": state.coins.earned,
        "peak_kib": peak_kib(),
    })
}
