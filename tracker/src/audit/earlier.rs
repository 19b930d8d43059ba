//! What entries say of earlier ones, compared with the rows that those have made.

use farmops_ledger::{AgentRevoked, ChainReset, Event};

use crate::store::{Journal, StoreError};

/// Why an entry does not fit the rows that those before it have made in `journal`; nothing if it does.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub async fn against_rows(
    journal: &mut dyn Journal,
    kind: &str,
    body: &[u8],
) -> Result<Option<String>, StoreError> {
    let wrong = match Event::read(kind, body) {
        Ok(Event::AgentRevoked(revoked)) => withdrawn(journal, revoked).await?,
        Ok(Event::ChainReset(reset)) => resumption(journal, &reset).await?,
        // What does not parse is found when it is followed.
        Ok(_) | Err(_) => None,
    };
    Ok(wrong.map(str::to_owned))
}

/// Why a revocation does not take back what the agent's later proofs had brought.
async fn withdrawn(
    journal: &mut dyn Journal,
    revoked: AgentRevoked,
) -> Result<Option<&'static str>, StoreError> {
    let cut = journal
        .cut(revoked.agent_id, revoked.last_good_proof)
        .await?;
    Ok(match cut {
        None => Some("the last good proof is none of this agent's"),
        Some(cut) if cut.withdrawn != revoked.withdrawn => {
            Some("what is taken back is not what the later proofs had brought")
        }
        Some(_) => None,
    })
}

/// Why a chain cannot resume where a reset says.
async fn resumption(
    journal: &mut dyn Journal,
    reset: &ChainReset,
) -> Result<Option<&'static str>, StoreError> {
    let Some(head) = reset.resumes_at else {
        return Ok(None);
    };
    let held = journal.head_at(reset.agent_id, head.proof_id).await?;
    let wrong = "the chain resumes at a proof that it does not have, or not like that";
    Ok((held != Some(head)).then_some(wrong))
}
