//! Proofs and agents over gRPC.

use std::time::Duration;

use farmops_protocol::{proof::Category, wire::tracker::v1 as wire};
use futures::StreamExt as _;
use tonic::Code;

use crate::{
    cast::TestAgent,
    server::{Tracker, message, now, stream, word},
};

async fn enroll(
    client: &mut wire::tracker_client::TrackerClient<tonic::transport::Channel>,
    bytes: Vec<u8>,
) -> Result<serde_json::Value, tonic::Status> {
    let request = wire::EnrollRequest {
        canonical_json: bytes,
    };
    let answer = client.enroll(request).await?.into_inner();
    Ok(serde_json::from_slice(&answer.answer_json).unwrap())
}

#[tokio::test]
async fn a_stream_is_answered_in_order_across_approval() {
    let tracker = Tracker::begin().await;
    let mut client = tracker.grpc().await;
    let mut agent = TestAgent::new(1);
    let hello = enroll(&mut client, agent.enrolment(now())).await.unwrap();
    assert_eq!(hello["status"], "pending");
    let early: Vec<_> = (0..300)
        .map(|_| message(agent.work(Category::Toil, now()).bytes()))
        .collect();
    let words = stream(&mut client, early.clone()).await;
    assert_eq!(words, vec!["buffered"; 300]);
    tracker.approve(&agent).await;
    let mut mixed = early[298..].to_vec();
    mixed.push(message(agent.work(Category::Incident, now()).bytes()));
    mixed.push(message(b"{}".to_vec()));
    mixed.push(wire::SubmitProofsRequest { proof: None });
    mixed.push(message(agent.work(Category::Incident, now()).bytes()));
    mixed.push(message(
        agent
            .clone()
            .work_after(None, Category::Toil, now())
            .bytes(),
    ));
    let words = stream(&mut client, mixed).await;
    assert_eq!(
        words,
        [
            "duplicate",
            "duplicate",
            "chained",
            "invalid",
            "invalid",
            "chained",
            "fork"
        ]
    );
    let farm = tracker.get("/api/v1/farm").await;
    let hello = enroll(&mut client, agent.enrolment(now())).await.unwrap();
    assert_eq!(hello["head"]["length"], 302);
    // founded, rules, enrolled, approved, 302 proofs, one fork
    assert_eq!(farm["ledger_size"], 4 + 302 + 1);
}

#[tokio::test]
async fn refused_enrolments_say_why() {
    let tracker = Tracker::begin().await;
    let mut client = tracker.grpc().await;
    let agent = tracker.trusted(1).await;
    let mut twin = agent.clone();
    twin.key = TestAgent::new(2).key;
    let mut late = agent.enrolment(now());
    late[20] ^= 1;
    for (bytes, code) in [
        (twin.enrolment(now()), Code::AlreadyExists),
        (
            agent.enrolment(now().saturating_add(-7200)),
            Code::InvalidArgument,
        ),
        (late, Code::InvalidArgument),
        (Vec::new(), Code::InvalidArgument),
        (vec![b'['; 1024], Code::InvalidArgument),
    ] {
        let status = enroll(&mut client, bytes).await.unwrap_err();
        assert_eq!(status.code(), code);
        let problem: serde_json::Value = serde_json::from_slice(status.details()).unwrap();
        assert!(problem["field"].is_string(), "{problem}");
    }
    let huge = enroll(&mut client, vec![b'x'; 1 << 20]).await.unwrap_err();
    assert_eq!(huge.code(), Code::OutOfRange);
}

#[tokio::test]
async fn many_streams_at_once_lose_nothing_and_double_nothing() {
    let tracker = Tracker::begin().await;
    let mut agents = Vec::new();
    for number in 1..=4 {
        agents.push(tracker.trusted(number).await);
    }
    let mut streams = Vec::new();
    for agent in &mut agents {
        let messages: Vec<_> = (0..200)
            .map(|_| message(agent.work(Category::Security, now()).bytes()))
            .collect();
        // The same chain twice, side by side: one of the two is chained, the other a duplicate.
        for _ in 0..2 {
            let (mut client, messages) = (tracker.grpc().await, messages.clone());
            streams.push(tokio::spawn(
                async move { stream(&mut client, messages).await },
            ));
        }
    }
    let mut chained = 0;
    for stream in streams {
        let words = stream.await.unwrap();
        assert_eq!(words.len(), 200);
        assert!(
            words
                .iter()
                .all(|word| ["chained", "duplicate", "not-the-head"].contains(&word.as_str()))
        );
        chained += words.iter().filter(|word| *word == "chained").count();
    }
    assert_eq!(chained, 800);
    assert_eq!(
        tracker.get("/api/v1/farm").await["ledger_size"],
        2 + 8 + 800
    );
}

#[tokio::test]
async fn an_open_stream_does_not_hold_up_the_end() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let mut client = tracker.grpc().await;
    let proof = message(agent.work(Category::Toil, now()).bytes());
    let open = futures::stream::iter([proof]).chain(futures::stream::pending());
    let mut answers = client.submit_proofs(open).await.unwrap().into_inner();
    let first = answers.message().await.unwrap().unwrap();
    assert_eq!(word(&first), "chained");
    let restarted = tokio::time::timeout(Duration::from_secs(8), tracker.restart()).await;
    assert!(restarted.is_ok(), "it waited for the drain to run out");
    assert!(
        matches!(answers.message().await, Ok(None)),
        "the stream ends in order"
    );
}

#[tokio::test]
async fn strangers_hold_no_stream_open() {
    let tracker = Tracker::begin().await;
    let mut client = tracker.grpc().await;

    // Nobody knows this agent: it is told so, and shown out.
    let mut stranger = TestAgent::new(9);
    let proof = message(stranger.work(Category::Toil, now()).bytes());
    let open = futures::stream::iter([proof]).chain(futures::stream::pending());
    let mut answers = client.submit_proofs(open).await.unwrap().into_inner();
    let first = answers.message().await.unwrap().unwrap();
    assert_eq!(word(&first), "agent-unknown");
    assert_eq!(
        answers.message().await.unwrap_err().code(),
        tonic::Code::NotFound
    );

    // Who says nothing at all is shown out soon.
    let silent = client
        .submit_proofs(futures::stream::pending())
        .await
        .unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), silent.into_inner().message()).await;
    assert!(matches!(ended, Ok(Ok(None))), "{ended:?}");
}
