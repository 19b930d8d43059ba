//! Going on at the head of a tracker that lost proofs: what we still hold is signed anew after it.
//!
//! A tracker that was restored from an older backup lacks proofs that it had acknowledged. Where some of
//! them are gone here as well, the others follow a proof that nobody has. The owner lets the chain go on
//! at the tracker's head, and the proofs that are left keep their ids (`PRF-RESET-009`).

use farmops_protocol::chain::{self, ChainHead};
use farmops_protocol::key::SecretKey;
use farmops_protocol::proof::ParsedProof;

use super::outbox::{Sealed, position_of};
use super::{Store, StoreError};

impl Store {
    /// Notes that we ask to go on at `theirs`, the head of a tracker that lost proofs.
    pub async fn note_asked(&self, theirs: Option<&ChainHead>) -> Result<(), StoreError> {
        sqlx::query("UPDATE chain SET asked_at = $1")
            .bind(text(theirs)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Whether that was granted: there is a new branch, and it resumes where we asked.
    pub async fn is_granted(
        &self,
        theirs: Option<&ChainHead>,
        branch: u64,
    ) -> Result<bool, StoreError> {
        let asked: Option<i64> =
            sqlx::query_scalar("SELECT branch FROM chain WHERE asked_at IS $1")
                .bind(text(theirs)?)
                .fetch_optional(&self.pool)
                .await?;
        Ok(asked.is_some_and(|known| i64::try_from(branch).is_ok_and(|branch| branch > known)))
    }

    /// Signs every proof anew that the tracker lacks and that is still here, from `theirs` on; gives how
    /// many that were.
    pub async fn sign_anew(
        &self,
        theirs: Option<&ChainHead>,
        branch: u64,
        key: &SecretKey,
    ) -> Result<usize, StoreError> {
        let delivered = theirs.map_or(0, position_of);
        loop {
            let ours = self.chain_head().await?;
            let held = self.proofs_after(delivered, usize::MAX).await?;
            let mut head = theirs.copied();
            let mut resigned = Vec::with_capacity(held.len());
            for proof in held {
                resigned.push((proof.position, signed_after(&mut head, &proof, key)?));
            }
            let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            let changed = sqlx::query(
                "UPDATE chain SET head = $1, delivered = $2, branch = $3, asked_at = NULL WHERE head IS $4",
            )
            .bind(head.as_ref().map(|head| text(Some(head))).transpose()?)
            .bind(delivered)
            .bind(i64::try_from(branch).unwrap_or(i64::MAX))
            .bind(ours.as_ref().map(|head| text(Some(head))).transpose()?)
            .execute(&mut *tx)
            .await?;
            if changed.rows_affected() == 0 {
                // A proof was made meanwhile; it moves as well.
                continue;
            }
            // Places only move down, so the next one is free whenever it is needed.
            for (from, proof) in &resigned {
                sqlx::query(
                    "UPDATE proofs SET position = $1, hash = $2, bytes = $3, signer = $4 WHERE position = $5",
                )
                .bind(proof.position)
                .bind(proof.hash.to_string())
                .bind(proof.bytes.as_slice())
                .bind(key.public().to_string())
                .bind(from)
                .execute(&mut *tx)
                .await?;
            }
            tx.commit().await?;
            self.outbox_changed.send_replace(());
            return Ok(resigned.len());
        }
    }
}

/// The same proof after `head`, which moves to it.
fn signed_after(
    head: &mut Option<ChainHead>,
    proof: &Sealed,
    key: &SecretKey,
) -> Result<Sealed, StoreError> {
    let unreadable = || StoreError::Unreadable("proof");
    let parsed = ParsedProof::parse(&proof.bytes).map_err(|_| unreadable())?;
    let mut body = parsed.body().clone();
    body.prev_proof_hash = head.map(|head| head.hash);
    body.prev_proof_id = head.map(|head| head.proof_id);
    // Never before its predecessor, even if that one is of another memory of this agent.
    body.timestamp = head.map_or(body.timestamp, |head| head.timestamp.max(body.timestamp));
    let signed = body.sign(key).map_err(|_| unreadable())?;
    // It was timely when it was made.
    let extended = chain::extend(head.as_ref(), &signed, signed.body().timestamp);
    let extended = extended.map_err(|_| unreadable())?;
    *head = Some(extended);
    Ok(Sealed {
        position: position_of(&extended),
        hash: signed.hash(),
        bytes: signed.bytes().to_vec(),
    })
}

/// A head, or `null`.
fn text(head: Option<&ChainHead>) -> Result<String, StoreError> {
    serde_json::to_string(&head).map_err(|_| StoreError::Unreadable("chain head"))
}
