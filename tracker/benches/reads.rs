//! `read-1m`: how long each read takes with 1,000,000 proofs in the database.
//!
//! A tracker in this process serves the database on the loopback interface; one client asks by one
//! connection that stays open, one request after the other, and reads every answer to its end. Value: the
//! median in milliseconds; `p99` beside it. Baseline of all: `/healthz`, which reads nothing. What names a proof,
//! an entry or a moment names another one each time, anywhere in the ledger.
//!
//! Prints one line of JSON for each endpoint. `FARMOPS_BENCH_PROOFS` makes a shorter ledger,
//! `FARMOPS_BENCH_REQUESTS` asks fewer or more times.

#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use farmops_tracker::store::{Database, ProofFilter};
use reqwest::{Method, RequestBuilder, header};

#[path = "../tests/boundary/cast.rs"]
mod cast;
#[path = "farm/past.rs"]
#[allow(dead_code)]
mod past;
#[path = "farm/served.rs"]
#[allow(dead_code)]
mod served;
#[path = "farm/story.rs"]
mod story;

use served::Served;

/// Proofs, unless `FARMOPS_BENCH_PROOFS` says otherwise.
const PROOFS: usize = 1_000_000;
/// Requests to each endpoint, unless `FARMOPS_BENCH_REQUESTS` says otherwise.
const REQUESTS: usize = 500;
/// What takes so long is asked no more often than [`FEW`] times.
const LONG: Duration = Duration::from_secs(20);
const FEW: usize = 5;
/// Places of the ledger that are asked for, in turn.
const PLACES: u64 = 97;

/// Who asks.
#[derive(Debug, Clone, Copy)]
enum As {
    Anyone,
    /// By the owner's token.
    Owner,
    /// In a browser, by the session's cookie.
    Browser,
}

/// The endpoints; `{…}` is another one with each request.
const ENDPOINTS: &[(As, &str)] = &[
    (As::Anyone, "/healthz"),
    (As::Anyone, "/api/v1/public/profile"),
    (As::Anyone, "/api/v1/public/snapshot"),
    (As::Anyone, "/farm.svg"),
    (As::Anyone, "/checkpoint"),
    (As::Anyone, "/tile/0/{tile}"),
    (As::Anyone, "/tile/entries/{tile}"),
    (As::Anyone, "/ap/actor"),
    (As::Anyone, "/ap/actor/outbox"),
    (As::Anyone, "/ap/actor/followers"),
    (As::Owner, "/api/v1/farm"),
    (As::Owner, "/api/v1/farm/balance"),
    (As::Owner, "/api/v1/farm/balance/history"),
    (As::Owner, "/api/v1/farm/stats"),
    (As::Owner, "/api/v1/farm/upgrades"),
    (As::Owner, "/api/v1/farm/calendar"),
    (As::Owner, "/api/v1/farm/rest-days"),
    (As::Owner, "/api/v1/farm/layout"),
    (As::Owner, "/api/v1/proofs"),
    (As::Owner, "/api/v1/proofs?cursor={cursor}"),
    (As::Owner, "/api/v1/proofs?agent={agent}&cursor={cursor}"),
    (
        As::Owner,
        "/api/v1/proofs?category=security&cursor={cursor}",
    ),
    (As::Owner, "/api/v1/proofs?since={recent}"),
    (As::Owner, "/api/v1/proofs?since={recent}&cursor={cursor}"),
    (As::Owner, "/api/v1/proofs?agent={stranger}"),
    (As::Owner, "/api/v1/proofs/{proof}"),
    (As::Owner, "/api/v1/ledger?after={position}&limit=50"),
    (
        As::Owner,
        "/api/v1/ledger/{position}/opening?parts=event,score",
    ),
    (As::Owner, "/api/v1/agents"),
    (As::Owner, "/api/v1/rules"),
    (As::Owner, "/api/v1/leagues"),
    (As::Owner, "/api/v1/shop/items"),
    (As::Owner, "/api/v1/shop/purchases"),
    (As::Owner, "/api/v1/villages"),
    (As::Owner, "/api/v1/followers"),
    (As::Owner, "/api/v1/following"),
    (As::Browser, "/"),
    (As::Browser, "/coins"),
    (As::Browser, "/days"),
    (As::Browser, "/proofs"),
    (As::Browser, "/proofs/{proof}"),
    (As::Browser, "/agents"),
    (As::Browser, "/shop"),
    (As::Browser, "/arrange"),
    (As::Browser, "/villages"),
    (As::Browser, "/people"),
    (As::Browser, "/rules"),
    (As::Browser, "/settings"),
    (As::Owner, "/api/v1/farm?at={middle}"),
];

/// What fills the braces.
struct Place {
    position: u64,
    proof: String,
    agent: String,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let number = |name, otherwise| {
        let given = std::env::var(name).ok().and_then(|n| n.parse().ok());
        given.unwrap_or(otherwise)
    };
    let proofs = number("FARMOPS_BENCH_PROOFS", PROOFS);
    let requests = number("FARMOPS_BENCH_REQUESTS", REQUESTS);
    let path = past::database(proofs).await;
    let places = places(&past::url(&path)).await;
    let tracker = Served::begin(&past::url(&path), path.parent().unwrap()).await;
    let cookie = log_in(&tracker).await;
    published(&tracker).await;
    eprintln!("{:>10} {:>10}  endpoint", "p50 ms", "p99 ms");
    for (who, template) in ENDPOINTS {
        let mut times = Vec::new();
        let started = Instant::now();
        for n in 0..requests {
            if times.len() >= FEW && started.elapsed() > LONG {
                break;
            }
            let target = filled(template, &places, n);
            let request = match who {
                As::Anyone => tracker.client.get(format!("{}{target}", tracker.base)),
                As::Owner => tracker.owner(Method::GET, &target),
                As::Browser => {
                    let url = format!("{}{target}", tracker.base);
                    tracker.client.get(url).header(header::COOKIE, &cookie)
                }
            };
            times.push(once(request, &target).await);
        }
        tell(template, &mut times);
    }
    tracker.end().await;
}

async fn once(request: RequestBuilder, target: &str) -> f64 {
    let request = request.timeout(Duration::from_mins(5));
    let started = Instant::now();
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let body = answer.bytes().await.unwrap();
    let elapsed = started.elapsed();
    let text = || String::from_utf8_lossy(&body[..body.len().min(500)]).into_owned();
    assert_eq!(status, 200, "{target}: {}", text());
    elapsed.as_secs_f64() * 1e3
}

fn tell(endpoint: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    let (p50, p99) = (at(50), at(99));
    eprintln!("{p50:>10.3} {p99:>10.3}  {endpoint}");
    println!(
        "{{\"name\":\"read-1m {endpoint}\",\"value\":{p50:.3},\"unit\":\"ms\",\"p99\":{p99:.3},\
         \"requests\":{}}}",
        times.len()
    );
}

async fn log_in(tracker: &Served) -> String {
    let form = format!("token={}", tracker.token);
    let url = format!("{}/login", tracker.base);
    let request = tracker.client.post(url).body(form);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.send().await.unwrap();
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// Waits for what the tracker says to the world after its start.
async fn published(tracker: &Served) {
    let url = format!("{}/api/v1/public/snapshot", tracker.base);
    for _ in 0..300 {
        if tracker.client.get(&url).send().await.unwrap().status() == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nothing was published");
}

/// Proofs from all over the ledger.
async fn places(url: &str) -> Vec<Place> {
    let reads = Database::inspect(url).await.unwrap();
    let size = reads.farm().await.unwrap().unwrap().ledger_size;
    let mut places = Vec::new();
    for n in 0..PLACES {
        let filter = ProofFilter {
            // Strides that are no divisor of each other, so that neighbours are not asked for in turn.
            before: Some(size - (n * 41 % PLACES) * (size / (PLACES + 3))),
            ..ProofFilter::default()
        };
        let record = &reads.proofs(&filter, 1).await.unwrap()[0];
        places.push(Place {
            position: record.row.position,
            proof: record.row.proof_id.to_string(),
            agent: record.row.agent_id.to_string(),
        });
    }
    places
}

fn filled(template: &str, places: &[Place], n: usize) -> String {
    let place = &places[n % places.len()];
    let size = places.iter().map(|place| place.position).max().unwrap();
    template
        .replace("{position}", &place.position.to_string())
        .replace("{cursor}", &cursor(place.position))
        .replace("{proof}", &place.proof)
        .replace("{agent}", &place.agent)
        .replace("{stranger}", "018bcfe5-6800-7000-8000-000000000000")
        .replace("{tile}", &tile((place.position / 256).saturating_sub(1)))
        .replace("{middle}", &(size / 2).to_string())
        .replace("{recent}", "2026-10-01T00:00:00Z")
}

/// As the list writes it.
fn cursor(position: u64) -> String {
    format!("p{position:x}")
}

/// A full tile's path by the rules of tiled logs: three digits at a time.
fn tile(index: u64) -> String {
    let (above, last) = (index / 1000, index % 1000);
    if above == 0 {
        format!("{last:03}")
    } else {
        format!("x{above:03}/{last:03}")
    }
}
