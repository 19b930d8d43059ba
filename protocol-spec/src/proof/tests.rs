//! Laws of the proof's form: what we sign we accept, and nothing else passes.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn key() -> SecretKey {
    SecretKey::from_bytes([7; 32])
}

fn body(description: &str, coins: u64) -> ProofBody {
    ProofBody::new(
        Link {
            proof_id: "01952f3a-7c00-7000-8000-000000000001".parse().unwrap(),
            timestamp: "2026-02-21T09:30:00Z".parse().unwrap(),
            previous: None,
        },
        Agent {
            agent_id: Uuid::from_u128(1),
            cluster_alias: "prod-eu-1".into(),
        },
        Actor {
            actor_hash: sha256(b"alice"),
            actor_type: ActorType::Human,
        },
        Action {
            action_type: ActionType::Verify,
            category: Category::Maintenance,
            description: description.into(),
            plugin: "farmops/k8s-pod-health".into(),
            subcategory: None,
        },
        Outcome {
            evidence_hash: sha256(b"evidence"),
            status: OutcomeStatus::Success,
            verified: true,
        },
        ScoringHints {
            artifacts_touched: coins.try_into().unwrap(),
            complexity: Complexity::Low,
            impact_radius: 3_u32.into(),
            time_spent_seconds: None,
        },
    )
}

proptest! {
    #[test]
    fn a_signed_proof_is_canonical_and_verifies(text in "[^\\p{C}]{1,140}", touched in 0..=crate::limits::INTEGER_MAX) {
        let signed = body(&text, touched).sign(&key()).unwrap();
        prop_assert_eq!(
            signed.bytes(),
            crate::canonical::to_vec(signed.body()).unwrap(),
            "declaration order must stay RFC 8785 order"
        );
        let parsed = ParsedProof::parse(signed.bytes()).unwrap();
        prop_assert_eq!(parsed.hash(), signed.hash());
        prop_assert_eq!(parsed.verify(&key().public()).unwrap(), signed);
    }

    #[test]
    fn a_changed_byte_never_verifies(position in 0_usize..2000, flip in 1_u8..=255) {
        let mut bytes = body("Checked 52 pods", 52).sign(&key()).unwrap().bytes().to_vec();
        let position = position % bytes.len();
        bytes[position] ^= flip;
        if let Ok(parsed) = ParsedProof::parse(&bytes) {
            prop_assert!(parsed.verify(&key().public()).is_err());
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(ParsedProof::parse(&bytes).is_err());
    }
}

#[test]
fn another_key_does_not_verify() {
    let signed = body("Checked 52 pods", 52).sign(&key()).unwrap();
    let parsed = ParsedProof::parse(signed.bytes()).unwrap();
    assert!(
        parsed
            .verify(&SecretKey::from_bytes([8; 32]).public())
            .is_err()
    );
}

#[test]
fn what_would_be_refused_is_not_signed() {
    assert_eq!(
        body("two\nlines", 1).sign(&key()).unwrap_err().field,
        "action.description"
    );
    assert_eq!(
        body(&"x".repeat(141), 1).sign(&key()).unwrap_err().field,
        "action.description"
    );
    let mut hostname = body("Checked", 1);
    hostname.agent.cluster_alias = "db1.internal".into();
    assert_eq!(
        hostname.sign(&key()).unwrap_err().field,
        "agent.cluster_alias"
    );
}
