//! What the chains and the buffer know of a proof that does not extend its chain.

use farmops_protocol::{chain::ChainHead, int::SafeUint};
use sqlx::Row;
use uuid::Uuid;

use super::{
    dialect::SqlJournal,
    rows::{count, digest, time, unreadable},
};
use crate::{domain::History, store::StoreError};

impl SqlJournal {
    pub(super) async fn look_up(
        &mut self,
        agent: Uuid,
        proof: Uuid,
        follows: Uuid,
    ) -> Result<History, StoreError> {
        let same_id = sqlx::query(
            "SELECT hash FROM proof_chain WHERE proof_id = $1 AND agent_id = $2 \
             UNION ALL SELECT hash FROM proof_buffer WHERE proof_id = $1 AND agent_id = $2",
        )
        .bind(proof)
        .bind(agent)
        .fetch_optional(&mut self.conn)
        .await?
        .map(|row| digest(&row, "hash"))
        .transpose()?;
        let sibling = sqlx::query(
            "SELECT proof_id, branch FROM proof_chain WHERE agent_id = $1 AND follows = $2 \
             UNION ALL SELECT proof_id, 0 AS branch FROM proof_buffer \
             WHERE agent_id = $1 AND follows = $2 ORDER BY branch DESC LIMIT 1",
        )
        .bind(agent)
        .bind(follows)
        .fetch_optional(&mut self.conn)
        .await?
        .map(|row| row.try_get("proof_id"))
        .transpose()?;
        let fork_recorded =
            sqlx::query("SELECT 1 FROM fork_evidence WHERE agent_id = $1 AND follows = $2")
                .bind(agent)
                .bind(follows)
                .fetch_optional(&mut self.conn)
                .await?
                .is_some();
        Ok(History {
            same_id,
            sibling,
            fork_recorded,
        })
    }

    pub(super) async fn read_head_at(
        &mut self,
        agent: Uuid,
        proof: Uuid,
    ) -> Result<Option<ChainHead>, StoreError> {
        let row = sqlx::query(
            "SELECT hash, chain_length, finished_at FROM proof_chain \
             WHERE proof_id = $1 AND agent_id = $2",
        )
        .bind(proof)
        .bind(agent)
        .fetch_optional(&mut self.conn)
        .await?;
        row.map(|row| {
            Ok(ChainHead {
                hash: digest(&row, "hash")?,
                length: SafeUint::try_from(count(&row, "chain_length")?)
                    .map_err(|e| unreadable("chain_length", e))?,
                proof_id: proof,
                timestamp: time(&row, "finished_at")?,
            })
        })
        .transpose()
    }

    pub(super) async fn read_buffered(&mut self, agent: Uuid) -> Result<Vec<Vec<u8>>, StoreError> {
        let rows =
            sqlx::query("SELECT body FROM proof_buffer WHERE agent_id = $1 ORDER BY chain_length")
                .bind(agent)
                .fetch_all(&mut self.conn)
                .await?;
        rows.iter().map(|row| Ok(row.try_get("body")?)).collect()
    }
}
