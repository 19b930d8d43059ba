//! Where the tracker's copy of the chain ends in ours, and whether we can go on from there.

use farmops_protocol::chain::ChainHead;
use farmops_protocol::proof::ParsedProof;
use uuid::Uuid;

use super::outbox::position_of;
use super::{Store, StoreError};

/// Why the tracker's word about the chain cannot be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("proofs of this agent that the tracker does not have follow another proof than its last")]
pub struct OutboxFault;

/// What the tracker's head is to our own chain.
enum Place {
    /// A link of it, and what follows is here to be sent.
    Ours(i64),
    /// Not a link of it, but nothing of ours waits: we go on from theirs.
    TakeOver,
    /// Not where our unsent proofs begin.
    Foreign,
}

impl Store {
    /// Finds where the tracker's copy of the chain ends in ours, and goes on from there.
    ///
    /// An agent with nothing to send, above all one that lost its memory but not its key, takes over
    /// the tracker's head. Where unsent proofs follow something else, or the tracker lacks proofs that it
    /// had, only the owner can help.
    pub async fn resume_at(
        &self,
        theirs: Option<&ChainHead>,
        branch: u64,
    ) -> Result<Result<i64, OutboxFault>, StoreError> {
        let branch = i64::try_from(branch).unwrap_or(i64::MAX);
        let theirs_at = theirs.map_or(0, position_of);
        loop {
            let ours = self.chain_head().await?;
            match self.place_of(theirs, ours.as_ref(), branch).await? {
                Place::Foreign => return Ok(Err(OutboxFault)),
                Place::Ours(position) => {
                    if self.delivered().await? != position {
                        self.mark_delivered(position).await?;
                    }
                    sqlx::query("UPDATE chain SET branch = $1, asked_at = NULL")
                        .bind(branch)
                        .execute(&self.pool)
                        .await?;
                    return Ok(Ok(position));
                }
                // A proof that was made meanwhile changes the question.
                Place::TakeOver => {
                    if self.take_over(theirs, ours.as_ref(), branch).await? {
                        return Ok(Ok(theirs_at));
                    }
                }
            }
        }
    }

    /// What the first unsent proof follows; `None` when nothing is unsent.
    pub async fn unsent_follows(&self) -> Result<Option<Option<Uuid>>, StoreError> {
        let unsent = self.proofs_after(self.delivered().await?, 1).await?;
        let Some(first) = unsent.first() else {
            return Ok(None);
        };
        let parsed = ParsedProof::parse(&first.bytes);
        let parsed = parsed.map_err(|_| StoreError::Unreadable("proof"))?;
        Ok(Some(parsed.body().prev_proof_id))
    }

    async fn place_of(
        &self,
        theirs: Option<&ChainHead>,
        ours: Option<&ChainHead>,
        branch: i64,
    ) -> Result<Place, StoreError> {
        let position = theirs.map_or(0, position_of);
        let length = ours.map_or(0, position_of);
        let delivered = self.delivered().await?;
        let nothing_unsent = length <= delivered;
        let held = match (theirs, ours) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(theirs), Some(ours)) => theirs == ours || self.holds(theirs).await?,
        };
        let known: i64 = sqlx::query_scalar("SELECT branch FROM chain")
            .fetch_one(&self.pool)
            .await?;
        if branch > known {
            // A reset. The tracker keeps what it had, so nothing of that is sent again.
            return Ok(if nothing_unsent {
                Place::TakeOver
            } else if held && position == delivered {
                Place::Ours(position)
            } else {
                Place::Foreign
            });
        }
        // What the tracker lacks must still be here.
        let next: Option<i64> =
            sqlx::query_scalar("SELECT min(position) FROM proofs WHERE position > $1")
                .bind(position)
                .fetch_one(&self.pool)
                .await?;
        Ok(
            if held && (length <= position || next == Some(position + 1)) {
                Place::Ours(position)
            } else if nothing_unsent && theirs.is_some() && !self.is_behind(theirs, ours).await? {
                Place::TakeOver
            } else {
                Place::Foreign
            },
        )
    }

    /// Whether a chain that ends in `theirs` lacks proofs of ours that are still here: a tracker that was
    /// restored from an older backup has forgotten what it acknowledged.
    async fn is_behind(
        &self,
        theirs: Option<&ChainHead>,
        ours: Option<&ChainHead>,
    ) -> Result<bool, StoreError> {
        let Some(ours) = ours.filter(|ours| theirs.map_or(0, position_of) < position_of(ours))
        else {
            return Ok(false);
        };
        let last = self.proofs_after(position_of(ours) - 1, 1).await?;
        Ok(last.first().is_some_and(|last| last.hash == ours.hash))
    }

    /// Whether `theirs` is a link of our chain: a proof that is still here, or the one before it.
    async fn holds(&self, theirs: &ChainHead) -> Result<bool, StoreError> {
        let position = position_of(theirs);
        for proof in self.proofs_after(position - 1, 2).await? {
            let parsed =
                ParsedProof::parse(&proof.bytes).map_err(|_| StoreError::Unreadable("proof"))?;
            let body = parsed.body();
            let link = if proof.position == position {
                Some((body.proof_id, proof.hash))
            } else {
                body.prev_proof_id.zip(body.prev_proof_hash)
            };
            let adjacent = proof.position <= position + 1;
            if adjacent && link == Some((theirs.proof_id, theirs.hash)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Goes on from the tracker's head; false when our own chain grew meanwhile.
    async fn take_over(
        &self,
        theirs: Option<&ChainHead>,
        ours: Option<&ChainHead>,
        branch: i64,
    ) -> Result<bool, StoreError> {
        let text = |head: Option<&ChainHead>| {
            head.map(serde_json::to_string)
                .transpose()
                .map_err(|_| StoreError::Unreadable("chain head"))
        };
        let position = theirs.map_or(0, position_of);
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let changed =
            sqlx::query("UPDATE chain SET head = $1, delivered = $2, branch = $3, asked_at = NULL WHERE head IS $4")
                .bind(text(theirs)?)
                .bind(position)
                .bind(branch)
                .bind(text(ours)?)
                .execute(&mut *tx)
                .await?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        // They are with the tracker, on a branch that grows no more; their places are needed.
        sqlx::query("DELETE FROM proofs WHERE position > $1")
            .bind(position)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        self.outbox_changed.send_replace(());
        Ok(true)
    }
}
