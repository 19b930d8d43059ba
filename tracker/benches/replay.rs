//! `replay-1m`: a ledger of 1,000,000 proofs folded into the farm, on one core.
//!
//! Value: the fold over entries that are decoded already, in seconds. Baseline: the same entries read
//! from their bytes first, which is what time travel does. Also: what the folded state takes in memory.
//! Four agents work for four years, every two minutes. Prints one line of JSON for each figure.

#![allow(missing_docs, clippy::unwrap_used)]

use std::{hint::black_box, time::Instant};

use farmops_protocol::{enrolment::EnrolmentRequest, key::SecretKey, proof::Category};
use farmops_tracker::{
    domain::{Founding, State, decide_found},
    ledger::{AcceptedProof, AgentApproved, Entry, Event},
};

#[path = "../tests/boundary/cast.rs"]
mod cast;

use cast::TestAgent;

/// Proofs, unless `FARMOPS_BENCH_PROOFS` says otherwise.
const PROOFS: usize = 1_000_000;
const AGENTS: u8 = 4;
const ROUNDS: usize = 3;

fn main() {
    let proofs = std::env::var("FARMOPS_BENCH_PROOFS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(PROOFS);
    let entries = ledger(proofs);
    let lines: Vec<_> = entries
        .iter()
        .map(|entry| (entry.event.kind(), entry.event.body().into_owned()))
        .collect();
    let before = resident_kib();
    let (mut folds, mut reads) = (Vec::new(), Vec::new());
    let mut state = State::default();
    // The two take turns, so that a machine that slows down slows both.
    for _ in 0..ROUNDS {
        state = State::default();
        let started = Instant::now();
        for entry in &entries {
            black_box(state.apply(entry));
        }
        folds.push(started.elapsed().as_secs_f64());
        let mut from_bytes = State::default();
        let started = Instant::now();
        for (entry, (kind, body)) in entries.iter().zip(&lines) {
            let entry = Entry {
                position: entry.position,
                recorded_at: entry.recorded_at,
                event: Event::read(kind, body).unwrap(),
            };
            black_box(from_bytes.apply(&entry));
        }
        reads.push(started.elapsed().as_secs_f64());
        assert!(from_bytes == state, "the same ledger gives the same farm");
    }
    let (fold, read) = (least(&folds), least(&reads));
    let grown = resident_kib().saturating_sub(before);
    println!(
        "{{\"name\":\"replay-1m\",\"value\":{fold:.3},\"unit\":\"s\",\"baseline\":{read:.3},\
         \"ratio\":{:.3}}}",
        fold / read
    );
    println!("{{\"name\":\"replay-1m-state\",\"value\":{grown},\"unit\":\"KiB\"}}");
    eprintln!(
        "{} entries, {} coins, {} days; from bytes {:.2} µs an entry",
        state.position,
        state.coins.earned,
        state.days.len(),
        read * 1e6 / f64::from(u32::try_from(entries.len()).unwrap()),
    );
}

fn least(seconds: &[f64]) -> f64 {
    seconds.iter().copied().fold(f64::INFINITY, f64::min)
}

/// What the process has in memory.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let figure = line.and_then(|line| line.split_whitespace().nth(1));
    figure.unwrap().parse().unwrap()
}

fn ledger(proofs: usize) -> Vec<Entry> {
    let start = "2022-01-03T00:00:00Z".parse().unwrap();
    let founding = Founding {
        handle: "alice".to_owned(),
        name: "Alice's farm".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        working_days: [true, true, true, true, true, false, false],
    };
    let key = SecretKey::from_bytes([9; 32]).public();
    let mut events = decide_found(&State::default(), &founding, key).unwrap();
    let mut agents: Vec<_> = (1..=AGENTS).map(TestAgent::new).collect();
    for agent in &agents {
        let request = EnrolmentRequest::verify(&agent.enrolment(start), start).unwrap();
        events.push(Event::AgentEnrolled(request));
        events.push(Event::AgentApproved(AgentApproved {
            agent_id: agent.id,
            fingerprint: agent.key.public().fingerprint(),
        }));
    }
    for n in 0..proofs {
        let category = Category::ALL[n % Category::ALL.len()];
        let when = start.saturating_add(i64::try_from(n * 120).unwrap());
        let proof = agents[n % usize::from(AGENTS)].work(category, when);
        let proof = AcceptedProof::Verified(proof);
        events.push(Event::ProofAccepted(Box::new(proof)));
    }
    (1_u64..)
        .zip(events)
        .map(|(position, event)| Entry {
            position,
            recorded_at: start,
            event,
        })
        .collect()
}
