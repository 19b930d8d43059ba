//! Laws of the chain: what was accepted is accepted again, and nothing else in its place.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::{
    digest::sha256,
    key::SecretKey,
    proof::{
        Action, ActionType, Actor, ActorType, Agent, Category, Complexity, Link, Outcome,
        OutcomeStatus, ParsedProof, ProofBody, ScoringHints,
    },
};

fn key() -> SecretKey {
    SecretKey::from_bytes([7; 32])
}

fn start() -> Timestamp {
    "2026-02-21T09:30:00Z".parse().unwrap()
}

fn proof(number: u128, timestamp: Timestamp, previous: Option<&ChainHead>) -> VerifiedProof {
    let proof_id = Uuid::from_u128(0x0195_d2c8_3000_7000_8000_0000_0000_0000 + number);
    let body = ProofBody::new(
        Link {
            proof_id,
            timestamp,
            previous,
        },
        Agent {
            agent_id: Uuid::from_u128(1),
            cluster_alias: "prod".into(),
        },
        Actor {
            actor_hash: sha256(b"alice"),
            actor_type: ActorType::Human,
        },
        Action {
            action_type: ActionType::Fix,
            category: Category::Toil,
            description: "Did it".into(),
            plugin: "farmops/test".into(),
            subcategory: None,
        },
        Outcome {
            evidence_hash: sha256(b"x"),
            status: OutcomeStatus::Success,
            verified: true,
        },
        ScoringHints {
            artifacts_touched: 1_u32.into(),
            complexity: Complexity::Low,
            impact_radius: 1_u32.into(),
            time_spent_seconds: None,
        },
    );
    body.sign(&key()).unwrap()
}

/// A chain whose proofs lie `pauses` seconds apart.
fn chain(pauses: &[u32]) -> Vec<VerifiedProof> {
    let mut head = None;
    let mut time = start();
    let mut proofs = Vec::new();
    for (number, &pause) in (1..).zip(pauses) {
        time = time.saturating_add(i64::from(pause));
        let next = proof(number, time, head.as_ref());
        head = Some(extend(head.as_ref(), &next, time).unwrap());
        proofs.push(next);
    }
    proofs
}

/// How far `proofs` extend an empty chain, long after they were made.
fn replay(proofs: &[VerifiedProof]) -> Result<Option<ChainHead>, ChainError> {
    let later = start().saturating_add(100_000_000);
    proofs.iter().try_fold(None, |head, proof| {
        // From the bytes, as someone else would.
        let read = ParsedProof::parse(proof.bytes()).unwrap();
        let verified = read.verify(&key().public()).unwrap();
        extend(head.as_ref(), &verified, later).map(Some)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_accepted_chain_is_accepted_again(pauses in prop::collection::vec(0..10_000_u32, 1..8)) {
        let proofs = chain(&pauses);
        let head = replay(&proofs).unwrap().unwrap();
        prop_assert_eq!(head.length.value(), proofs.len() as u64);
        prop_assert_eq!(head.hash, proofs.last().unwrap().hash());
    }

    #[test]
    fn any_other_order_is_refused(
        (pauses, order) in (2..8_usize).prop_flat_map(|n| (
            prop::collection::vec(0..3_u32, n),
            Just((0..n).collect::<Vec<_>>()).prop_shuffle(),
        ))
    ) {
        let proofs = chain(&pauses);
        let shuffled: Vec<_> = order.iter().map(|&at| proofs[at].clone()).collect();
        prop_assert_eq!(replay(&shuffled).is_ok(), order.is_sorted());
    }

    #[test]
    fn a_gap_is_refused((pauses, gap) in (2..8_usize).prop_flat_map(|n| (prop::collection::vec(0..3_u32, n), 0..n - 1))) {
        let mut proofs = chain(&pauses);
        proofs.remove(gap);
        prop_assert!(replay(&proofs).is_err());
    }

    #[test]
    fn a_refusal_leaves_the_head_in_place(pauses in prop::collection::vec(0..3_u32, 2..6)) {
        let proofs = chain(&pauses);
        let head = replay(&proofs[..1]).unwrap();
        for other in [&proofs[0], &proof(90, start(), None)] {
            prop_assert!(extend(head.as_ref(), other, start()).is_err());
        }
        prop_assert!(extend(head.as_ref(), &proofs[1], start().saturating_add(10)).is_ok());
    }
}

#[test]
fn the_longest_chain_takes_no_more() {
    let first = proof(1, start(), None);
    let head = ChainHead {
        length: crate::limits::INTEGER_MAX.try_into().unwrap(),
        ..extend(None, &first, start()).unwrap()
    };
    let next = proof(2, start(), Some(&head));
    assert_eq!(extend(Some(&head), &next, start()), Err(ChainError::Full));
}
