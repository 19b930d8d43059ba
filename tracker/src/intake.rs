//! What every proof passes before it reaches the writer, whichever door it came through: size, form,
//! a known agent, a good signature. Costly and stateless, so it runs beside the writer, on many cores.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock},
};

use farmops_protocol::{
    enrolment::AgentStatus,
    key::PublicKey,
    proof::{ParsedProof, VerifiedProof},
};
use uuid::Uuid;

use crate::{
    domain::{Agent, Refusal, Submission},
    writer::Checked,
};

/// The keys of the enrolled agents, as of the last commit.
#[derive(Clone, Default)]
pub struct Directory(Arc<RwLock<HashMap<Uuid, Listed>>>);

/// An agent in the directory.
#[derive(Debug, Clone)]
struct Listed {
    status: AgentStatus,
    /// The key that signs now, then those before it, the latest first.
    keys: Arc<[PublicKey]>,
}

impl Directory {
    /// Takes the agents of a new state.
    pub fn replace(&self, agents: &BTreeMap<Uuid, Agent>) {
        let known = agents
            .iter()
            .map(|(id, agent)| {
                let former = agent.former_keys.iter().rev().map(|former| former.key);
                let listed = Listed {
                    status: agent.status,
                    keys: std::iter::once(agent.public_key).chain(former).collect(),
                };
                (*id, listed)
            })
            .collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = known;
    }

    fn find(&self, id: Uuid) -> Option<Listed> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    /// Checks one proof's bytes.
    pub fn check(&self, bytes: &[u8]) -> Checked {
        let parsed = ParsedProof::parse(bytes)?;
        let listed = self
            .find(parsed.body().agent.agent_id)
            .ok_or(Refusal::AgentUnknown)?;
        if listed.status == AgentStatus::Revoked {
            return Err(Refusal::AgentRevoked);
        }
        let (proof, key) = signed_by(parsed, &listed.keys).ok_or(Refusal::BadSignature)?;
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

/// The proof with that of the keys which signed it. One that a former key signed is known already or
/// refused; the writer decides which (`PRF-CHAIN-006`, `KEY-ROT-006`).
fn signed_by(parsed: ParsedProof, keys: &[PublicKey]) -> Option<(VerifiedProof, PublicKey)> {
    let (last, before) = keys.split_last()?;
    for key in before {
        if let Ok(proof) = parsed.clone().verify(key) {
            return Some((proof, *key));
        }
    }
    parsed.verify(last).ok().map(|proof| (proof, *last))
}
