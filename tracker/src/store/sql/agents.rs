//! What is known of agents beside the ledger: what they ask for, and when they were heard of.

use std::collections::BTreeMap;

use farmops_protocol::time::Timestamp;
use sqlx::Row;
use uuid::Uuid;

use super::{
    dialect::{Conn, DbRow},
    rows::{time, unreadable},
};
use crate::store::{Batch, ResetAsked, StoreError};

pub(super) async fn write(conn: &mut Conn, batch: &Batch<'_>) -> Result<(), StoreError> {
    for asked in batch.resets_asked {
        sqlx::query(
            "INSERT INTO chain_reset_request (agent_id, resumes_after, received_at, body) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (agent_id) DO UPDATE SET \
             resumes_after = excluded.resumes_after, received_at = excluded.received_at, \
             body = excluded.body",
        )
        .bind(asked.agent_id)
        .bind(asked.resumes_after)
        .bind(asked.received_at.second())
        .bind(asked.text.as_bytes())
        .execute(&mut *conn)
        .await?;
    }
    for agent in batch.resets_answered {
        sqlx::query("DELETE FROM chain_reset_request WHERE agent_id = $1")
            .bind(*agent)
            .execute(&mut *conn)
            .await?;
    }
    for (agent, heard_at) in batch.contacts {
        sqlx::query(
            "INSERT INTO agent_contact (agent_id, heard_at) VALUES ($1, $2) \
             ON CONFLICT (agent_id) DO UPDATE SET heard_at = excluded.heard_at",
        )
        .bind(*agent)
        .bind(heard_at.second())
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// The requests that wait for the owner.
pub(super) async fn resets(conn: &mut Conn) -> Result<BTreeMap<Uuid, ResetAsked>, StoreError> {
    let rows = sqlx::query("SELECT * FROM chain_reset_request")
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            let asked = read_reset(row)?;
            Ok((asked.agent_id, asked))
        })
        .collect()
}

fn read_reset(row: &DbRow) -> Result<ResetAsked, StoreError> {
    let body: Vec<u8> = row.try_get("body")?;
    Ok(ResetAsked {
        agent_id: row.try_get("agent_id")?,
        resumes_after: row.try_get("resumes_after")?,
        received_at: time(row, "received_at")?,
        text: String::from_utf8(body).map_err(|e| unreadable("body", e))?,
    })
}

/// When each agent was last heard of.
pub(super) async fn contacts(conn: &mut Conn) -> Result<BTreeMap<Uuid, Timestamp>, StoreError> {
    let rows = sqlx::query("SELECT * FROM agent_contact")
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("agent_id")?, time(row, "heard_at")?)))
        .collect()
}
