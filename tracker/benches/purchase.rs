//! `purchase-contention`: 1,000 purchases at once through the owner's API, for few coins.
//!
//! Value: purchases asked for each second when all are asked for at the same time, each with a key of its
//! own; most are refused, because the coins run out. Baseline: the same farm and the same requests, one after
//! the other. `purchase-contention-one-key`: all with the same key, so that one happens and the others are
//! answered what it brought. What happens is committed with `synchronous=FULL` before its answer. Every
//! run has to end with the coins spent that the answers name, and no more than there were.
//! Prints one line of JSON for each.

#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use farmops_protocol::{enrolment::EnrolmentRequest, proof::Category};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

#[path = "../tests/boundary/cast.rs"]
mod cast;
#[path = "farm/served.rs"]
mod served;

use cast::TestAgent;
use served::Served;

/// Purchases in one run, unless `FARMOPS_BENCH_PURCHASES` says otherwise.
const PURCHASES: usize = 1_000;
/// What the farm has earned at least before anything is bought.
const COINS: u64 = 600;
/// Of how many runs the middle one counts.
const ROUNDS: usize = 3;

/// How a run goes.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// Purchases that are under way at the same time.
    at_once: usize,
    one_key: bool,
}

const TOGETHER: Plan = Plan {
    at_once: usize::MAX,
    one_key: false,
};
const IN_TURN: Plan = Plan {
    at_once: 1,
    one_key: false,
};
const ONE_KEY: Plan = Plan {
    at_once: usize::MAX,
    one_key: true,
};

/// How it went.
struct Run {
    elapsed: Duration,
    /// Answers by their status.
    answers: BTreeMap<u16, usize>,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let purchases = std::env::var("FARMOPS_BENCH_PURCHASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(PURCHASES);
    let mut rates = [const { Vec::new() }; 3];
    // They take turns, so that a machine that slows down slows all.
    for _ in 0..ROUNDS {
        for (plan, rates) in [TOGETHER, IN_TURN, ONE_KEY].iter().zip(&mut rates) {
            let run = run(purchases, *plan).await;
            eprintln!("{purchases} asked for, {plan:?}: {:?}", run.answers);
            let asked = f64::from(u32::try_from(purchases).unwrap());
            rates.push(asked / run.elapsed.as_secs_f64());
        }
    }
    let [together, in_turn, one_key] = rates.map(middle);
    line("purchase-contention", together, in_turn);
    line("purchase-contention-one-key", one_key, in_turn);
}

fn middle(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn line(name: &str, value: f64, baseline: f64) {
    println!(
        "{{\"name\":\"{name}\",\"value\":{value:.0},\"unit\":\"purchases/s\",\
         \"baseline\":{baseline:.0},\"ratio\":{:.3}}}",
        value / baseline
    );
}

/// Asks a new farm for `purchases`.
async fn run(purchases: usize, plan: Plan) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/farm.db", folder.path().display());
    let tracker = Arc::new(Served::begin(&url, folder.path()).await);
    earn(&tracker).await;
    let items = on_sale(&tracker).await;
    let before = balance(&tracker).await;
    let (mut spent, mut answers) = (0, BTreeMap::new());
    let mut note = |(status, price): (u16, u64)| {
        spent += price;
        *answers.entry(status).or_insert(0) += 1;
    };
    let mut buyers = JoinSet::new();
    let started = Instant::now();
    for n in 0..purchases {
        if buyers.len() >= plan.at_once {
            note(buyers.join_next().await.unwrap().unwrap());
        }
        let buyer = if plan.one_key { 0 } else { n };
        let item = items[buyer % items.len()].clone();
        let tracker = tracker.clone();
        buyers.spawn(async move { buy(&tracker, buyer, &item).await });
    }
    while let Some(answer) = buyers.join_next().await {
        note(answer.unwrap());
    }
    let elapsed = started.elapsed();
    let bought = answers.get(&201).copied().unwrap_or(0);
    assert!(bought > 0, "nothing was bought");
    assert!(
        !plan.one_key || bought == 1,
        "one key bought {bought} times"
    );
    assert_eq!(balance(&tracker).await + spent, before);
    let recorded = tracker.get("/api/v1/shop/purchases").await;
    assert_eq!(recorded["purchases"].as_array().unwrap().len(), bought);
    Arc::into_inner(tracker).unwrap().end().await;
    Run { elapsed, answers }
}

async fn earn(tracker: &Served) {
    let now = farmops_federation::system_clock()();
    let mut agent = TestAgent::new(1);
    let writer = &tracker.running.app.writer;
    let request = EnrolmentRequest::verify(&agent.enrolment(now), now).unwrap();
    writer.enrol(request).await.unwrap();
    let fingerprint = agent.key.public().fingerprint();
    writer.approve(agent.id, fingerprint).await.unwrap();
    let mut when = now.saturating_add(-20 * 86_400);
    while balance(tracker).await < COINS {
        let proof = agent.work(Category::Incident, when).bytes().to_vec();
        let url = format!("{}/api/v1/proofs", tracker.base);
        let request = tracker.client.post(url).body(proof);
        let request = request.header("content-type", "application/json");
        assert_eq!(request.send().await.unwrap().status(), 201);
        when = when.saturating_add(700);
    }
}

async fn on_sale(tracker: &Served) -> Vec<String> {
    let shop = tracker.get("/api/v1/shop/items").await;
    let items = shop["items"].as_array().unwrap().iter();
    items
        .filter(|item| item["available"] == true)
        .map(|item| item["slug"].as_str().unwrap().to_owned())
        .collect()
}

async fn balance(tracker: &Served) -> u64 {
    let balance = tracker.get("/api/v1/farm/balance").await;
    balance["current_coins"].as_u64().unwrap()
}

/// The status, and what was paid now.
async fn buy(tracker: &Served, buyer: usize, item: &str) -> (u16, u64) {
    let request = tracker
        .owner(Method::POST, "/api/v1/shop/purchase")
        .header("Idempotency-Key", format!("buyer-{buyer}"))
        .json(&json!({ "item": item }));
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    match status {
        201 => (status, body["price"].as_u64().unwrap()),
        200 | 409 => (status, 0),
        other => panic!("{other}: {body}"),
    }
}
