//! `proof-verify`: full checks of one proof (parse, canonical form, schema, hash, strict signature) per
//! second on one core, beside the bare strict Ed25519 check of the same bytes in the same run.
//!
//! Prints one line of JSON; `ratio` is value over baseline, both in checks per second.

#![allow(clippy::unwrap_used, reason = "a benchmark ends on any surprise")]

use std::{hint::black_box, time::Instant};

use ed25519_dalek::{Signer, SigningKey};
use farmops_protocol::{
    chain::{self, ChainHead},
    digest::sha256,
    key::SecretKey,
    proof::{
        Action, ActionType, Actor, ActorType, Agent, Category, Complexity, Link, Outcome,
        OutcomeStatus, ParsedProof, ProofBody, ScoringHints,
    },
    time::Timestamp,
};
use uuid::Uuid;

const PROOFS: u32 = 2_000;
const ROUNDS: usize = 9;

fn main() {
    let key = SecretKey::from_bytes([7; 32]);
    let proofs = chain_of(PROOFS, &key);
    let signing = SigningKey::from_bytes(&[7; 32]);
    let bare: Vec<_> = proofs
        .iter()
        .map(|bytes| (bytes.as_slice(), signing.sign(bytes)))
        .collect();
    let (public, verifying) = (key.public(), signing.verifying_key());

    // The two take turns, so that a machine that slows down slows both.
    let (mut full_checks, mut bare_checks) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        full_checks.push(per_second(|| {
            for bytes in &proofs {
                black_box(ParsedProof::parse(bytes).unwrap().verify(&public).unwrap());
            }
        }));
        bare_checks.push(per_second(|| {
            for (bytes, signature) in &bare {
                verifying
                    .verify_strict(black_box(bytes), signature)
                    .unwrap();
            }
        }));
    }
    let (value, baseline) = (median(full_checks), median(bare_checks));
    println!(
        "{}",
        serde_json::json!({
            "name": "proof-verify",
            "value": value.round(),
            "unit": "proofs/s",
            "baseline": baseline.round(),
            "ratio": (value / baseline * 1000.0).round() / 1000.0,
        })
    );
}

fn per_second(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    f64::from(PROOFS) / start.elapsed().as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The bytes of a chain of `length` proofs, one second apart.
fn chain_of(length: u32, key: &SecretKey) -> Vec<Vec<u8>> {
    let start: Timestamp = "2026-02-21T09:30:00Z".parse().unwrap();
    let mut head: Option<ChainHead> = None;
    (0..length)
        .map(|n| {
            let now = start.saturating_add(i64::from(n));
            let proof = ProofBody::new(
                Link {
                    proof_id: proof_id(n),
                    timestamp: now,
                    previous: head.as_ref(),
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
                    description: "Verified pod health across all namespaces (52 pods healthy)"
                        .into(),
                    plugin: "farmops/k8s-pod-health".into(),
                    subcategory: Some("pod-health".into()),
                },
                Outcome {
                    evidence_hash: sha256(&n.to_be_bytes()),
                    status: OutcomeStatus::Success,
                    verified: true,
                },
                ScoringHints {
                    artifacts_touched: 52_u32.into(),
                    complexity: Complexity::Low,
                    impact_radius: 3_u32.into(),
                    time_spent_seconds: None,
                },
            )
            .sign(key)
            .unwrap();
            head = Some(chain::extend(head.as_ref(), &proof, now).unwrap());
            proof.bytes().to_vec()
        })
        .collect()
}

/// A version 7 UUID that counts.
fn proof_id(n: u32) -> Uuid {
    Uuid::from_u128(0x0195_2f3a_7c00_7000_8000_0000_0000_0000 + u128::from(n))
}
