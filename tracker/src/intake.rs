//! What every proof passes before it reaches the writer, whichever door it came through: size, form,
//! a known agent, a good signature. Costly and stateless, so it runs beside the writer, on many cores.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock},
};

use farmops_protocol::{enrolment::AgentStatus, key::PublicKey, proof::ParsedProof};
use uuid::Uuid;

use crate::{
    domain::{Agent, Refusal, Submission},
    writer::Checked,
};

/// The keys of the enrolled agents, as of the last commit.
#[derive(Clone, Default)]
pub struct Directory(Arc<RwLock<HashMap<Uuid, (PublicKey, AgentStatus)>>>);

impl Directory {
    /// Takes the agents of a new state.
    pub fn replace(&self, agents: &BTreeMap<Uuid, Agent>) {
        let known = agents
            .iter()
            .map(|(id, agent)| (*id, (agent.public_key, agent.status)))
            .collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = known;
    }

    fn find(&self, id: Uuid) -> Option<(PublicKey, AgentStatus)> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .copied()
    }

    /// Checks one proof's bytes.
    pub fn check(&self, bytes: &[u8]) -> Checked {
        let parsed = ParsedProof::parse(bytes)?;
        let (key, status) = self
            .find(parsed.body().agent.agent_id)
            .ok_or(Refusal::AgentUnknown)?;
        if status == AgentStatus::Revoked {
            return Err(Refusal::AgentRevoked);
        }
        let proof = parsed.verify(&key).map_err(|_| Refusal::BadSignature)?;
        Ok(Submission { proof, key })
    }

    /// Checks many, in order, where it does not hold up the runtime.
    pub async fn check_all<B>(&self, proofs: Vec<B>) -> Vec<Checked>
    where
        B: AsRef<[u8]> + Send + 'static,
    {
        let directory = self.clone();
        let checked = tokio::task::spawn_blocking(move || {
            proofs
                .iter()
                .map(|bytes| directory.check(bytes.as_ref()))
                .collect()
        });
        // The closure does not panic; if it ever does, the panic belongs here.
        checked
            .await
            .unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic()))
    }
}
