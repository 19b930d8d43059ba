//! Invite codes, kept as hashes.

use farmops_federation::Timestamp;
use farmops_protocol::digest::sha256;
use sqlx::{Row as _, SqliteConnection};

use super::{Store, StoreError};

/// An invite to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// The code; only its hash is kept.
    pub code: String,
    /// How many farmers it lets in.
    pub uses: u32,
    /// Until when.
    pub expires_at: Timestamp,
}

impl Store {
    /// Keeps an invite; the same code again changes nothing.
    pub async fn keep_invite(&self, invite: &Invite, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO invite (code_hash, created_at, expires_at, uses_left)
             VALUES ($1, $2, $3, $4) ON CONFLICT (code_hash) DO NOTHING",
        )
        .bind(hash(&invite.code))
        .bind(now.second())
        .bind(invite.expires_at.second())
        .bind(invite.uses)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Whether `code` would let someone in now.
    pub async fn invite_is_good(&self, code: &str, now: Timestamp) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS n FROM invite
             WHERE code_hash = $1 AND expires_at > $2 AND uses_left > 0",
        )
        .bind(hash(code))
        .bind(now.second())
        .fetch_one(&self.pool)
        .await?;
        Ok(row.try_get::<i64, _>("n")? > 0)
    }
}

/// Takes one use of `code`; false if there is none left.
pub(super) async fn use_invite(
    conn: &mut SqliteConnection,
    code: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE invite SET uses_left = uses_left - 1
         WHERE code_hash = $1 AND expires_at > $2 AND uses_left > 0",
    )
    .bind(hash(code))
    .bind(now.second())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn hash(code: &str) -> String {
    sha256(code.as_bytes()).to_string()
}
