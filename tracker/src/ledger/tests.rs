//! Every event reads back as it was written, and nothing else does.
#![allow(clippy::unwrap_used)]

use farmops_protocol::{
    canonical::is_canonical, enrolment::EnrolmentRequest, key::SecretKey, proof::Category,
    scoring::RuleSet, time::Timestamp,
};

use super::*;
use crate::cast::TestAgent;

fn events() -> Vec<Event> {
    let now: Timestamp = "2026-02-20T09:30:00Z".parse().unwrap();
    let mut agent = TestAgent::new(1);
    let enrolment = agent.enrolment(now);
    let proof = agent.work(Category::Incident, now);
    let proof_id = proof.body().proof_id;
    vec![
        Event::FarmFounded(FarmFounded {
            farmer_key: SecretKey::from_bytes([9; 32]).public(),
            handle: "alice".to_owned(),
            name: "Alice's \"farm\"".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            working_days: [true; 7],
        }),
        Event::RulesAdopted(RuleSet::default()),
        Event::AgentEnrolled(EnrolmentRequest::verify(&enrolment, now).unwrap()),
        Event::AgentApproved(AgentApproved {
            agent_id: agent.id,
            fingerprint: agent.key.public().fingerprint(),
        }),
        Event::ForkRefused(ForkRefused {
            agent_id: agent.id,
            follows: None,
            kept: proof_id,
            refused: String::from_utf8(proof.bytes().to_vec()).unwrap(),
        }),
        Event::ProofAccepted(Box::new(AcceptedProof::Verified(proof))),
        Event::AgentRevoked(AgentRevoked {
            agent_id: agent.id,
            last_good_proof: Some(proof_id),
        }),
    ]
}

#[test]
fn every_event_reads_back() {
    for event in events() {
        let body = event.body();
        assert!(is_canonical(&body, 8), "{}", event.kind());
        assert_eq!(Event::read(event.kind(), &body).unwrap(), event);
    }
}

#[test]
fn a_line_that_is_not_ours_is_refused() {
    assert!(matches!(
        Event::read("proof_forgotten", b"{}"),
        Err(EventError::UnknownKind(_))
    ));
    for event in events() {
        for body in [&b"{}"[..], b"", b"{\"x\":1}", b"[[[[[[[["] {
            assert!(
                matches!(
                    Event::read(event.kind(), body),
                    Err(EventError::Body { .. })
                ),
                "{}",
                event.kind()
            );
        }
    }
}
