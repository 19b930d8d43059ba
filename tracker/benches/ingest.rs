//! `ingest-sqlite`: proofs per second through the gRPC stream into a durable ledger, beside the bare
//! database.
//!
//! Value: a client streams signed proofs over TCP into a tracker in this process, with everything the
//! real program does; time runs from the first message to the last acknowledgement, each of which
//! follows a commit with `synchronous=FULL`. Baseline: the same ledger and proof rows, inserted with the
//! same statements' shape and the same number of rows for each commit, with nothing around it.
//! Prints one line of JSON.

#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use farmops_protocol::{proof::Category, wire::tracker::v1 as wire};
use farmops_tracker::{
    config::Config,
    serve::start,
    store::{Database, ProofFilter, ProofRecord},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use wire::tracker_client::TrackerClient;

#[path = "store/bare.rs"]
mod bare;
#[path = "../tests/boundary/cast.rs"]
mod cast;

use cast::TestAgent;

/// Proofs in one run, unless `FARMOPS_BENCH_PROOFS` says otherwise.
const PROOFS: usize = 60_000;
/// Agents that stream at the same time.
const AGENTS: u8 = 2;

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let proofs = std::env::var("FARMOPS_BENCH_PROOFS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(PROOFS);
    let folder = tempfile::tempdir().unwrap();
    let (elapsed, commits, records) = ingest(&folder, proofs).await;
    let value = rate(records.len(), elapsed);
    let rows_each = records.len().div_ceil(commits.max(1));
    let bare = bare::insert(&folder.path().join("bare.db"), &records, rows_each).await;
    let baseline = rate(records.len(), bare);
    eprintln!(
        "{} proofs, {commits} commits of about {rows_each} rows",
        records.len()
    );
    println!(
        "{{\"name\":\"ingest-sqlite\",\"value\":{value:.0},\"unit\":\"proofs/s\",\
         \"baseline\":{baseline:.0},\"ratio\":{:.3}}}",
        value / baseline
    );
}

/// Proofs per second.
fn rate(proofs: usize, elapsed: Duration) -> f64 {
    f64::from(u32::try_from(proofs).unwrap()) / elapsed.as_secs_f64()
}

async fn ingest(folder: &tempfile::TempDir, proofs: usize) -> (Duration, usize, Vec<ProofRecord>) {
    let config: Config = serde_json::from_value(json!({
        "db": format!("sqlite://{}/farm.db", folder.path().display()),
        "port": 0,
        "public_url": "http://alice.localhost:8443",
        "handle": "alice",
        "allow_loopback": true,
        "rate_limits": { "requests_per_minute": u32::MAX, "agents_per_minute": u32::MAX },
    }))
    .unwrap();
    let stop = CancellationToken::new();
    let running = start(&config, stop.clone()).await.unwrap();
    let base = format!("http://{}", running.address);
    let now = farmops_federation::system_clock()();
    let mut chains = Vec::new();
    for number in 1..=AGENTS {
        let mut agent = TestAgent::new(number);
        let request =
            farmops_protocol::enrolment::EnrolmentRequest::verify(&agent.enrolment(now), now);
        running.app.writer.enrol(request.unwrap()).await.unwrap();
        let fingerprint = agent.key.public().fingerprint();
        running
            .app
            .writer
            .approve(agent.id, fingerprint)
            .await
            .unwrap();
        let chain = (0..proofs / usize::from(AGENTS)).map(|n| {
            let category = Category::ALL[n % Category::ALL.len()];
            agent.work(
                category,
                now.saturating_add(-86_400 + i64::try_from(n / 10).unwrap()),
            )
        });
        chains.push(
            chain
                .map(|proof| proof.bytes().to_vec())
                .collect::<Vec<_>>(),
        );
    }
    let mut clients = Vec::new();
    for chain in chains {
        let channel = tonic::transport::Channel::from_shared(base.clone()).unwrap();
        let client = TrackerClient::new(channel.connect().await.unwrap());
        clients.push((client, chain));
    }
    let commits_before = running.app.writer.commits();
    let started = Instant::now();
    let streams: Vec<_> = clients
        .into_iter()
        .map(|(client, chain)| tokio::spawn(stream(client, chain)))
        .collect();
    for stream in streams {
        stream.await.unwrap();
    }
    let elapsed = started.elapsed();
    let commits = running.app.writer.commits() - commits_before;
    stop.cancel();
    running.wait().await.unwrap();
    (
        elapsed,
        usize::try_from(commits).unwrap(),
        records(&config.db).await,
    )
}

async fn stream(mut client: TrackerClient<tonic::transport::Channel>, chain: Vec<Vec<u8>>) {
    let count = chain.len();
    let messages = chain
        .into_iter()
        .map(|canonical_json| wire::SubmitProofsRequest {
            proof: Some(farmops_protocol::wire::proof::v1::SignedProof { canonical_json }),
        });
    let answers = client
        .submit_proofs(futures::stream::iter(messages))
        .await
        .unwrap();
    let mut answers = answers.into_inner();
    let mut chained = 0;
    while let Some(answer) = answers.message().await.unwrap() {
        use wire::submit_proofs_response::Outcome;
        match answer.outcome {
            Some(Outcome::Accepted(a)) if a.standing() == wire::Standing::Chained => chained += 1,
            other => panic!("not chained: {other:?}"),
        }
    }
    assert_eq!(chained, count);
}

/// What was written, the first one first.
async fn records(url: &str) -> Vec<ProofRecord> {
    let reads = Database::open(url).await.unwrap().reads();
    let mut records = Vec::new();
    let mut filter = ProofFilter::default();
    loop {
        let page = reads.proofs(&filter, 5_000).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.before = Some(last.row.position);
        records.extend(page);
    }
    records.reverse();
    records
}
