//! Proofs per second through the gRPC stream and through REST into a durable ledger, beside the bare
//! database.
//!
//! Value: clients send signed proofs over TCP into a tracker in this process, with everything the real
//! program does; through REST each waits for the answer to one before it sends the next. Time runs from the
//! first message to the last acknowledgement, each of which follows a commit that is flushed to the disk.
//! Baseline: the same ledger and proof rows, inserted in statements of the same shape with the same number of
//! rows for each commit, with nothing around it. Prints one line of JSON for each way in.

use std::time::{Duration, Instant};

use farmops_protocol::{enrolment::EnrolmentRequest, proof::Category, wire::tracker::v1 as wire};
use farmops_tracker::store::{Database, ProofFilter, ProofRecord};
use wire::tracker_client::TrackerClient;

use super::{cast::TestAgent, rows, served::Served};

/// Proofs in one run, unless `FARMOPS_BENCH_PROOFS` says otherwise.
const PROOFS: usize = 60_000;
/// Through REST one proof of this many: each client waits for every commit.
const REST_SHARE: usize = 10;
/// Agents that stream at the same time.
const STREAMS: u8 = 2;
/// Agents that post at the same time.
const POSTERS: u8 = 16;

/// A way in.
#[derive(Debug, Clone, Copy)]
enum Door {
    Grpc,
    Rest,
}

/// Measures both ways in; `place` gives the URL of a new database of a name.
pub(crate) async fn all(name: &str, place: impl Fn(&str) -> String) {
    let proofs = std::env::var("FARMOPS_BENCH_PROOFS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(PROOFS);
    for (door, word, proofs) in [
        (Door::Grpc, "grpc", proofs),
        (Door::Rest, "rest", proofs / REST_SHARE),
    ] {
        let (elapsed, commits, records) = ingest(&place(word), door, proofs).await;
        let value = rate(records.len(), elapsed);
        let rows_each = records.len().div_ceil(commits.max(1));
        let bare = rows::insert(&place(&format!("{word}-bare")), &records, rows_each).await;
        let baseline = rate(records.len(), bare);
        eprintln!(
            "{name}-{word}: {} proofs, {commits} commits of about {rows_each} rows",
            records.len()
        );
        println!(
            "{{\"name\":\"{name}-{word}\",\"value\":{value:.0},\"unit\":\"proofs/s\",\
             \"baseline\":{baseline:.0},\"ratio\":{:.3}}}",
            value / baseline
        );
    }
}

/// Proofs per second.
fn rate(proofs: usize, elapsed: Duration) -> f64 {
    f64::from(u32::try_from(proofs).unwrap()) / elapsed.as_secs_f64()
}

async fn ingest(url: &str, door: Door, proofs: usize) -> (Duration, usize, Vec<ProofRecord>) {
    let folder = tempfile::tempdir().unwrap();
    let tracker = Served::begin(url, folder.path()).await;
    let agents = match door {
        Door::Grpc => STREAMS,
        Door::Rest => POSTERS,
    };
    let mut ways = Vec::new();
    for number in 1..=agents {
        let chain = chain(&tracker, number, proofs / usize::from(agents)).await;
        ways.push((Way::open(door, &tracker).await, chain));
    }
    let writer = tracker.running.app.writer.clone();
    let commits_before = writer.commits();
    let started = Instant::now();
    let senders: Vec<_> = ways
        .into_iter()
        .map(|(way, chain)| tokio::spawn(way.send(chain)))
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    let elapsed = started.elapsed();
    let commits = writer.commits() - commits_before;
    drop(writer);
    tracker.end().await;
    let commits = usize::try_from(commits).unwrap();
    (elapsed, commits, records(url).await)
}

/// The proofs of an agent that the tracker trusts.
async fn chain(tracker: &Served, number: u8, proofs: usize) -> Vec<Vec<u8>> {
    let now = farmops_federation::system_clock()();
    let mut agent = TestAgent::new(number);
    let writer = &tracker.running.app.writer;
    let request = EnrolmentRequest::verify(&agent.enrolment(now), now).unwrap();
    writer.enrol(request).await.unwrap();
    let fingerprint = agent.key.public().fingerprint();
    writer.approve(agent.id, fingerprint).await.unwrap();
    (0..proofs)
        .map(|n| {
            let category = Category::ALL[n % Category::ALL.len()];
            let after = i64::try_from(n / 10).unwrap();
            let proof = agent.work(category, now.saturating_add(after - 86_400));
            proof.bytes().to_vec()
        })
        .collect()
}

/// An open way in.
enum Way {
    Grpc(TrackerClient<tonic::transport::Channel>),
    Rest {
        client: reqwest::Client,
        url: String,
    },
}

impl Way {
    async fn open(door: Door, tracker: &Served) -> Self {
        match door {
            Door::Grpc => {
                let channel = tonic::transport::Channel::from_shared(tracker.base.clone()).unwrap();
                Self::Grpc(TrackerClient::new(channel.connect().await.unwrap()))
            }
            Door::Rest => Self::Rest {
                client: tracker.client.clone(),
                url: format!("{}/api/v1/proofs", tracker.base),
            },
        }
    }

    async fn send(self, chain: Vec<Vec<u8>>) {
        match self {
            Self::Grpc(client) => stream(client, chain).await,
            Self::Rest { client, url } => post(&client, &url, chain).await,
        }
    }
}

async fn post(client: &reqwest::Client, url: &str, chain: Vec<Vec<u8>>) {
    for proof in chain {
        let request = client.post(url).header("content-type", "application/json");
        let answer = request.body(proof).send().await.unwrap();
        assert_eq!(answer.status(), 201, "not chained");
        // Read to its end, so that the connection is used again.
        answer.bytes().await.unwrap();
    }
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
    let reads = Database::inspect(url).await.unwrap();
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
