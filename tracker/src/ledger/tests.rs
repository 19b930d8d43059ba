//! Every event reads back as it was written, and nothing else does.
#![allow(clippy::unwrap_used)]

use farmops_protocol::{
    canonical::is_canonical, digest::sha256, enrolment::EnrolmentRequest, key::SecretKey,
    proof::Category, scoring::RuleSet, time::Timestamp,
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
        Event::FarmFounded(FarmProfile {
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
            withdrawn: vec![Withdrawn {
                category: Some(Category::Toil),
                coins: 12,
                day: "2026-02-20".parse().unwrap(),
                leagues: vec![LeagueCoins {
                    coins: 5,
                    league: "harvest".to_owned(),
                    season: "2026-Q1".to_owned(),
                }],
                proofs: 1,
            }],
        }),
        Event::FarmRenamed(FarmRenamed {
            name: "Hill farm".to_owned(),
        }),
        Event::CalendarChanged(CalendarChanged {
            from: "2026-02-21".parse().unwrap(),
            time_zone: "Pacific/Apia".to_owned(),
            working_days: [false, true, true, true, true, true, false],
        }),
        Event::DayMarked(DayMarked {
            day: "2026-12-24".parse().unwrap(),
            rest: true,
        }),
        Event::ItemPurchased(ItemPurchased {
            idempotency_key: sha256(b"key"),
            item: "barn".to_owned(),
            level: 2,
            price: 300,
            boosts_bp: Some([(Category::Toil, 250)].into()),
        }),
        Event::LeagueJoined(LeagueJoined {
            league: "harvest".to_owned(),
            name: "Harvest".to_owned(),
            rules: RuleSet::default(),
            village: Some("https://orchard.example".parse().unwrap()),
        }),
        Event::LeagueLeft(LeagueLeft {
            league: "harvest".to_owned(),
        }),
        Event::AgentDismissed(AgentDismissed {
            agent_id: agent.id,
            head: agent.head,
        }),
        Event::KeyRotated(KeyRotated {
            agent_id: agent.id,
            new_key: SecretKey::from_bytes([8; 32]).public(),
            place: 1,
            rotation: "{}".to_owned(),
        }),
        Event::ChainReset(ChainReset {
            agent_id: agent.id,
            asked: None,
            branch: 1,
            resumes_at: agent.head,
        }),
        Event::AgentOutage(AgentOutage {
            agent_id: agent.id,
            from: now,
            until: now.saturating_add(50_000),
        }),
        Event::CompositeEarned(CompositeEarned {
            coins: 40,
            day: "2026-02-20".parse().unwrap(),
            parts: vec![CompositePart {
                agent_id: agent.id,
                proof_id,
            }],
            slug: "safe-change".to_owned(),
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
fn a_purchase_of_before_boosts_were_written_down_reads_and_writes_as_it_was() {
    let body = format!(
        r#"{{"idempotency_key":"{}","item":"barn","level":2,"price":300}}"#,
        sha256(b"key")
    );
    let event = Event::read("item_purchased", body.as_bytes()).unwrap();
    assert_eq!(&*event.body(), body.as_bytes());
}

#[test]
fn a_sum_beyond_what_json_has_is_written_as_that_many_or_more() {
    let most = 9_007_199_254_740_991;
    for event in events() {
        let body = String::from_utf8(event.body().into_owned()).unwrap();
        assert!(!body.is_empty(), "{}", event.kind());
    }
    let beyond = CompositeEarned {
        coins: u64::MAX,
        day: "2026-02-20".parse().unwrap(),
        parts: Vec::new(),
        slug: "safe-change".to_owned(),
    };
    let body = Event::CompositeEarned(beyond.clone()).body().into_owned();
    let read = Event::read("composite_earned", &body).unwrap();
    let capped = CompositeEarned {
        coins: most,
        ..beyond
    };
    assert_eq!(read, Event::CompositeEarned(capped));
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

#[test]
fn every_event_is_told_in_sentences() {
    let agent = TestAgent::new(1).id;
    let told: Vec<_> = events()
        .iter()
        .map(|event| event.told().replace(&agent.to_string(), "A"))
        .collect();
    let expected = "\
alice founded the farm “Alice's \"farm\"”, whose days are those of Europe/Berlin.
Proofs are scored by the rules be296d54f490 from here on.
The agent A for “cluster-1” presented its key and waits for approval.
The owner approved the agent A.
The agent A signed a second proof where the proof 019c7a62-79c0-7000-8000-000000000101 stands; \
it was refused and kept as evidence.
“cluster-1” proved incident work: Resolved an alert of severity 2 after 14 minutes.
The owner trusts the agent A no longer. 1 proof and 12 coins no longer count.
The farm is called “Hill farm” now.
From 2026-02-21 on the farmer lives by the clocks of Pacific/Apia and works on Tuesday, Wednesday, \
Thursday, Friday and Saturday.
2026-12-24 is a day of rest.
Barn was raised to level 2 for 300 coins.
The farm joined the league “Harvest” of orchard.example, or took over its rules.
The farm left the league harvest.
The agent A was sent away. The proof that it had sent was not kept.
The agent A handed over to a new key, after 1 proof.
The chain of the agent A resumes after its proof 019c7a62-79c0-7000-8000-000000000101.
The agent A was heard of again after 13 hours of silence, since 2026-02-20T09:30:00Z.
1 proof together made safe-change, for 40 coins.";
    // The digest changes with the default rules.
    let digest = RuleSet::default().digest().to_string();
    let expected = expected.replace("be296d54f490", &digest[..12]);
    assert_eq!(told.join("\n"), expected);
}
