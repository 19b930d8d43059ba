//! The outbox: the agent's own copy of its chain, and how much of it the tracker has.

use farmops_protocol::chain::ChainHead;
use farmops_protocol::digest::Digest;
use farmops_protocol::key::PublicKey;
use farmops_protocol::proof::VerifiedProof;
use farmops_protocol::time::Timestamp;
use sqlx::Row as _;

use super::{Store, StoreError};
use crate::observation::Origin;

/// A signed proof that is not in the chain yet.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The proof.
    pub proof: VerifiedProof,
    /// The head of the chain with it.
    pub head: ChainHead,
    /// Names the piece of work, keyed.
    pub work: Digest,
    /// What the evidence was hashed with.
    pub salt: [u8; 32],
    /// What the verdict rested on.
    pub evidence: Vec<u8>,
    /// What it was seen in.
    pub origin: Origin,
    /// The key it is signed with.
    pub signer: PublicKey,
}

/// A proof of the chain, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Its place in the chain, from 1.
    pub position: i64,
    /// Its hash.
    pub hash: Digest,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
}

/// What became of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is the head of the chain now.
    Chained,
    /// The work had its proof already.
    AlreadyProven,
    /// The chain moved on since the draft was made; nothing was kept, draft again.
    HeadMoved,
}

impl Store {
    /// The head of the chain.
    pub async fn chain_head(&self) -> Result<Option<ChainHead>, StoreError> {
        let head: Option<String> = sqlx::query_scalar("SELECT head FROM chain")
            .fetch_one(&self.pool)
            .await?;
        read_head(head)
    }

    /// Whether this piece of work has its proof.
    pub async fn is_proven(&self, work: Digest) -> Result<bool, StoreError> {
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM finished_work WHERE key = $1")
            .bind(work.to_string())
            .fetch_optional(&self.pool)
            .await?;
        Ok(found.is_some())
    }

    /// Turns an observation into a proof of the chain: one transaction, all or nothing.
    pub async fn chain(
        &self,
        observation_seq: i64,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<Settled, StoreError> {
        let position = position_of(&draft.head);
        let head =
            serde_json::to_string(&draft.head).map_err(|_| StoreError::Unreadable("chain head"))?;
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let before: Option<String> = sqlx::query_scalar("SELECT head FROM chain")
            .fetch_one(&mut *tx)
            .await?;
        let before = read_head(before)?.map(|head| (head.proof_id, head.hash));
        let body = draft.proof.body();
        if before != body.prev_proof_id.zip(body.prev_proof_hash) {
            return Ok(Settled::HeadMoved);
        }
        let observation: Option<Vec<u8>> =
            sqlx::query_scalar("DELETE FROM observations WHERE seq = $1 RETURNING sealed")
                .bind(observation_seq)
                .fetch_optional(&mut *tx)
                .await?;
        let fresh = sqlx::query(
            "INSERT INTO finished_work (key, done_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(draft.work.to_string())
        .bind(now.second())
        .execute(&mut *tx)
        .await?;
        if fresh.rows_affected() == 0 {
            tx.commit().await?;
            return Ok(Settled::AlreadyProven);
        }
        sqlx::query(
            "INSERT INTO proofs (position, proof_id, hash, bytes, signer) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(position)
        .bind(draft.head.proof_id.to_string())
        .bind(draft.head.hash.to_string())
        .bind(draft.proof.bytes())
        .bind(draft.signer.to_string())
        .execute(&mut *tx)
        .await?;
        self.keep_evidence(&mut tx, draft, observation, now).await?;
        sqlx::query("UPDATE chain SET head = $1")
            .bind(head)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        self.outbox_changed.send_replace(());
        Ok(Settled::Chained)
    }

    /// Up to `limit` proofs after `position`, in chain order.
    pub async fn proofs_after(
        &self,
        position: i64,
        limit: usize,
    ) -> Result<Vec<Sealed>, StoreError> {
        let rows = sqlx::query(
            "SELECT position, hash, bytes FROM proofs WHERE position > $1 ORDER BY position LIMIT $2",
        )
        .bind(position)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                let hash: String = row.try_get("hash")?;
                Ok(Sealed {
                    position: row.try_get("position")?,
                    hash: hash
                        .parse()
                        .map_err(|_| StoreError::Unreadable("proof hash"))?,
                    bytes: row.try_get("bytes")?,
                })
            })
            .collect()
    }

    /// How far the tracker has the chain.
    pub async fn delivered(&self) -> Result<i64, StoreError> {
        let delivered = sqlx::query_scalar("SELECT delivered FROM chain");
        Ok(delivered.fetch_one(&self.pool).await?)
    }

    /// How many proofs the tracker does not have yet.
    pub async fn undelivered(&self) -> Result<i64, StoreError> {
        let length = self
            .chain_head()
            .await?
            .map_or(0, |head| position_of(&head));
        Ok((length - self.delivered().await?).max(0))
    }

    /// The tracker has everything up to `position`; old proofs beyond what is kept go.
    pub async fn mark_delivered(&self, position: i64) -> Result<(), StoreError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE chain SET delivered = $1")
            .bind(position)
            .execute(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM proofs WHERE position <= $1")
            .bind(position - self.bounds.proofs_kept_max)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        self.outbox_changed.send_replace(());
        Ok(())
    }
}

/// A chain's length stays below 2^53, so it fits.
pub(super) fn position_of(head: &ChainHead) -> i64 {
    i64::try_from(head.length.value()).unwrap_or(i64::MAX)
}

fn read_head(text: Option<String>) -> Result<Option<ChainHead>, StoreError> {
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|_| StoreError::Unreadable("chain head"))
}
