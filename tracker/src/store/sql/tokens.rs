//! Who may do what: the owner's token, and the tokens that she made.

use farmops_protocol::time::Timestamp;
use farmops_service::token::{ScopedToken, TokenHash, TokenId};
use sqlx::Row;

use super::{
    dialect::{Conn, DbRow},
    rows::{count, word},
};
use crate::store::{Access, AccessChange, StoreError};

pub(super) async fn read(conn: &mut Conn) -> Result<Option<Access>, StoreError> {
    let owner = sqlx::query("SELECT hash, sessions FROM owner_token")
        .fetch_optional(&mut *conn)
        .await?;
    let Some(owner) = owner else { return Ok(None) };
    let tokens = sqlx::query("SELECT * FROM api_token")
        .fetch_all(conn)
        .await?;
    Ok(Some(Access {
        owner: word(&owner, "hash")?,
        sessions: count(&owner, "sessions")?,
        tokens: tokens.iter().map(token).collect::<Result<_, _>>()?,
    }))
}

fn token(row: &DbRow) -> Result<ScopedToken, StoreError> {
    Ok(ScopedToken {
        id: word(row, "id")?,
        hash: word(row, "hash")?,
        label: word(row, "label")?,
        scopes: word(row, "scopes")?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        last_used: row.try_get("last_used")?,
    })
}

pub(super) async fn write(conn: &mut Conn, changes: &[AccessChange]) -> Result<(), StoreError> {
    for change in changes {
        match change {
            AccessChange::Owner(hash, now) => write_owner(conn, hash, *now).await?,
            AccessChange::SessionsEnded => {
                sqlx::query("UPDATE owner_token SET sessions = sessions + 1")
                    .execute(&mut *conn)
                    .await?;
            }
            AccessChange::Issued(token) => issue(conn, token).await?,
            AccessChange::Revoked(id) => {
                sqlx::query("DELETE FROM api_token WHERE id = $1")
                    .bind(id.to_string())
                    .execute(&mut *conn)
                    .await?;
            }
            AccessChange::Used(id, at) => used(conn, *id, *at).await?,
        }
    }
    Ok(())
}

pub(super) async fn write_owner(
    conn: &mut Conn,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO owner_token (id, hash, created_at, sessions) VALUES (1, $1, $2, 0) \
         ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at",
    )
    .bind(hash.to_string())
    .bind(now.second())
    .execute(conn)
    .await?;
    Ok(())
}

async fn issue(conn: &mut Conn, token: &ScopedToken) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO api_token (id, label, hash, scopes, created_at, expires_at, last_used) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(token.id.to_string())
    .bind(token.label.to_string())
    .bind(token.hash.to_string())
    .bind(token.scopes.to_string())
    .bind(token.created_at)
    .bind(token.expires_at)
    .bind(token.last_used)
    .execute(conn)
    .await?;
    Ok(())
}

/// A token that was revoked meanwhile has no row, and needs none.
async fn used(conn: &mut Conn, id: TokenId, at: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE api_token SET last_used = $1 WHERE id = $2")
        .bind(at)
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}
