//! The cast of the tests: agents that do work and sign it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use farmops_protocol::{
    chain::ChainHead,
    digest::sha256,
    enrolment::EnrolmentRequest,
    int::SafeUint,
    key::SecretKey,
    proof::{
        Action, ActionType, Actor, ActorType, Agent, Category, Complexity, Link, Outcome,
        OutcomeStatus, ProofBody, ScoringHints, VerifiedProof,
    },
    time::Timestamp,
};
use uuid::Uuid;

/// An agent with its key and the end of its chain.
#[derive(Clone)]
pub(crate) struct TestAgent {
    pub(crate) id: Uuid,
    pub(crate) alias: String,
    pub(crate) key: SecretKey,
    pub(crate) head: Option<ChainHead>,
    made: u64,
}

/// A UUID of version 7 that depends on nothing but its arguments.
pub(crate) fn uuid_v7(millisecond: u64, seed: u64) -> Uuid {
    let mut random = [0; 10];
    // The last bytes, so that ids of one millisecond are in the order of their seeds.
    random[2..].copy_from_slice(&seed.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(millisecond, &random).into_uuid()
}

impl TestAgent {
    /// The agent of this number; every number is another agent.
    pub(crate) fn new(number: u8) -> Self {
        Self {
            id: uuid_v7(1_700_000_000_000, u64::from(number)),
            alias: format!("cluster-{number}"),
            key: SecretKey::from_bytes([number; 32]),
            head: None,
            made: 0,
        }
    }

    /// A signed enrolment.
    pub(crate) fn enrolment(&self, now: Timestamp) -> Vec<u8> {
        EnrolmentRequest::sign(self.id, &self.alias, &self.key, now).unwrap()
    }

    /// The next proof of its chain.
    pub(crate) fn work(&mut self, category: Category, at: Timestamp) -> VerifiedProof {
        let previous = self.head;
        let proof = self.work_after(previous.as_ref(), category, at);
        self.advance(&proof);
        proof
    }

    /// The next proof of its chain under a chosen id; the chain stays where it is.
    pub(crate) fn work_as(&mut self, id: Uuid, category: Category, at: Timestamp) -> VerifiedProof {
        let previous = self.head;
        let mut body = self.body_after(previous.as_ref(), category, at);
        body.proof_id = id;
        body.sign(&self.key).unwrap()
    }

    /// Moves the end of its chain to `proof`.
    pub(crate) fn advance(&mut self, proof: &VerifiedProof) {
        let length = self.head.map_or(SafeUint::ZERO, |head| head.length);
        self.head = Some(ChainHead {
            hash: proof.hash(),
            length: length.saturating_add(SafeUint::from(1)),
            proof_id: proof.body().proof_id,
            timestamp: proof.body().timestamp,
        });
    }

    /// A proof that follows `previous`, whatever the chain says.
    pub(crate) fn work_after(
        &mut self,
        previous: Option<&ChainHead>,
        category: Category,
        at: Timestamp,
    ) -> VerifiedProof {
        self.body_after(previous, category, at)
            .sign(&self.key)
            .unwrap()
    }

    /// The unsigned body of such a proof.
    pub(crate) fn body_after(
        &mut self,
        previous: Option<&ChainHead>,
        category: Category,
        at: Timestamp,
    ) -> ProofBody {
        self.made += 1;
        let millisecond = u64::try_from(at.second()).unwrap() * 1000;
        let seed = self.made * 256 + u64::from(self.key.to_bytes()[0]);
        ProofBody::new(
            Link {
                proof_id: uuid_v7(millisecond, seed),
                timestamp: at,
                previous,
            },
            Agent {
                agent_id: self.id,
                cluster_alias: self.alias.clone(),
            },
            Actor {
                actor_hash: sha256(b"alice"),
                actor_type: ActorType::Human,
            },
            Action {
                action_type: ActionType::Resolve,
                category,
                description: "Resolved an alert of severity 2 after 14 minutes".to_owned(),
                plugin: "farmops/prometheus-alert-resolve".to_owned(),
                subcategory: Some("alert".to_owned()),
            },
            Outcome {
                evidence_hash: sha256(b"evidence"),
                status: OutcomeStatus::Success,
                verified: true,
            },
            ScoringHints {
                artifacts_touched: SafeUint::from(1),
                complexity: Complexity::Medium,
                impact_radius: SafeUint::from(3),
                time_spent_seconds: Some(SafeUint::from(840)),
            },
        )
    }
}
