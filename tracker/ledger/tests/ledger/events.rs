//! One event of each kind; the seeds of the fuzz targets are these as well.

use farmops_ledger::{
    AcceptedProof, AgentApproved, AgentDismissed, AgentOutage, AgentRevoked, CalendarChanged,
    ChainReset, CompositeEarned, CompositePart, DayMarked, Event, FarmProfile, FarmRenamed,
    ForkRefused, ItemPurchased, KeyRotated, LeagueCoins, LeagueJoined, LeagueLeft, Withdrawn,
};
use farmops_protocol::{
    digest::sha256, enrolment::EnrolmentRequest, key::SecretKey, proof::Category, scoring::RuleSet,
    time::Timestamp,
};

use super::cast::TestAgent;

/// One of each, in an order in which they could happen.
pub(crate) fn events() -> Vec<Event> {
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
