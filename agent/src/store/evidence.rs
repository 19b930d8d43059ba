//! What proofs rest on: kept sealed, bounded and for a time, so that the farmer can show it.

use std::path::Path;

use farmops_protocol::key::PublicKey;
use farmops_protocol::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqlitePool;
use sqlx::{Row as _, Sqlite, SqliteExecutor, Transaction};
use uuid::Uuid;

use super::vault::{KeyPlace, Unopened, Vault};
use super::{Draft, FILE_NAME, Store, StoreError};
use crate::observation::{Origin, Sighting};

const TABLE: &str = "evidence";
/// Rows deleted in one statement where much is too old or too large.
const BATCH: i64 = 100;

/// How much of something is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Level {
    /// Rows.
    pub count: i64,
    /// Their sealed bytes.
    pub bytes: i64,
}

/// What an evidence row holds.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) salt: [u8; 32],
    /// Absent where an earlier version made the proof.
    pub(super) origin: Option<Origin>,
    pub(super) evidence: Vec<u8>,
}

/// The part of a record before the evidence.
#[derive(Serialize, Deserialize)]
struct Head {
    salt: [u8; 32],
    origin: Option<Origin>,
}

impl Record {
    /// Seals the record for `proof` and keeps it, with the observation as it was sealed for the queue.
    pub(super) async fn keep(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        vault: &Vault,
        proof: Uuid,
        observation: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let head = Head {
            salt: self.salt,
            origin: self.origin.clone(),
        };
        let head = serde_json::to_vec(&head).map_err(|_| StoreError::Unreadable("evidence"))?;
        let sealed = vault.seal(TABLE, &proof.to_string(), &join(&head, &self.evidence));
        sqlx::query(
            "INSERT INTO evidence (proof_id, kept_at, sealed, observation) VALUES ($1, $2, $3, $4)",
        )
        .bind(proof.to_string())
        .bind(now.second())
        .bind(sealed)
        .bind(observation)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    fn open(vault: &Vault, proof: Uuid, sealed: &[u8]) -> Result<Self, Unopened> {
        let clear = vault.open(TABLE, &proof.to_string(), sealed)?;
        let (head, evidence) = split(&clear).ok_or(Unopened::Damaged)?;
        let head: Head = serde_json::from_slice(head).map_err(|_| Unopened::Damaged)?;
        Ok(Self {
            salt: head.salt,
            origin: head.origin,
            evidence: evidence.to_vec(),
        })
    }
}

impl Store {
    /// Which key seals.
    pub fn evidence_key(&self) -> super::KeyId {
        self.vault.key_id()
    }

    /// How much evidence is kept.
    pub async fn evidence_level(&self) -> Result<Level, StoreError> {
        level(&self.pool, "evidence").await
    }

    /// Keeps what `draft` rests on; the oldest goes where that is too much.
    pub(super) async fn keep_evidence(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        draft: &Draft,
        observation: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let record = Record {
            salt: draft.salt,
            origin: Some(draft.origin.clone()),
            evidence: draft.evidence.clone(),
        };
        record
            .keep(tx, &self.vault, draft.head.proof_id, observation, now)
            .await?;
        while level(&mut **tx, "evidence").await?.bytes > self.bounds.evidence_bytes_max {
            let gone = sqlx::query(
                "DELETE FROM evidence WHERE proof_id = \
                 (SELECT proof_id FROM evidence ORDER BY kept_at, proof_id LIMIT 1)",
            );
            if gone.execute(&mut **tx).await?.rows_affected() == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Forgets evidence kept before `before`, and the oldest beyond the bound; gives how many rows went.
    pub async fn expire_evidence(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            // In steps, so that nobody waits long for the one connection.
            let old = sqlx::query(
                "DELETE FROM evidence WHERE proof_id IN (SELECT proof_id FROM evidence \
                 WHERE kept_at < $1 ORDER BY kept_at LIMIT $2)",
            )
            .bind(before.second())
            .bind(BATCH)
            .execute(&self.pool)
            .await?
            .rows_affected();
            gone += old;
            if old == 0 {
                break;
            }
        }
        while self.evidence_level().await?.bytes > self.bounds.evidence_bytes_max {
            let oldest = sqlx::query(
                "DELETE FROM evidence WHERE proof_id = \
                 (SELECT proof_id FROM evidence ORDER BY kept_at, proof_id LIMIT 1)",
            )
            .execute(&self.pool)
            .await?
            .rows_affected();
            gone += oldest;
            if oldest == 0 {
                break;
            }
        }
        Ok(gone)
    }
}

/// A proof as the agent's own copy has it.
#[derive(Debug, Clone)]
pub struct KnownProof {
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// The key it was signed with, where that was noted.
    pub signer: Option<PublicKey>,
}

/// What a proof rests on.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Since when it is kept, in seconds since the epoch.
    pub kept_at: i64,
    /// What the evidence was hashed with.
    pub salt: [u8; 32],
    /// What the plugin said its verdict rests on.
    pub evidence: Vec<u8>,
    /// The observation; `None` where an earlier version made the proof.
    pub observation: Option<RawObservation>,
}

/// An observation that became a proof.
#[derive(Debug, Clone)]
pub struct RawObservation {
    /// Which one.
    pub origin: Origin,
    /// What it held.
    pub seen: Sighting,
}

/// Reads beside a running agent, and changes nothing.
#[derive(Debug)]
pub struct Reader {
    pool: SqlitePool,
    vault: Option<Vault>,
}

impl Reader {
    /// Opens the memory in `folder` for reading.
    pub async fn open(folder: &Path, key_file: Option<&Path>) -> Result<Self, StoreError> {
        let not_made = || StoreError::NotMade(folder.to_owned());
        let file = folder.join(FILE_NAME);
        if !file.is_file() {
            return Err(not_made());
        }
        let pool = super::pool(super::options(&file).read_only(true)).await?;
        let tables = sqlx::query_scalar("SELECT 1 FROM sqlite_master WHERE name = 'levels'");
        let tables: Option<i64> = tables.fetch_optional(&pool).await?;
        tables.ok_or_else(not_made)?;
        let vault = KeyPlace::new(folder, key_file).read()?;
        Ok(Self { pool, vault })
    }

    /// A proof of the agent's chain, if it is still here.
    pub async fn proof(&self, id: Uuid) -> Result<Option<KnownProof>, StoreError> {
        let row = sqlx::query("SELECT bytes, signer FROM proofs WHERE proof_id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let signer: Option<String> = row.try_get("signer")?;
        Ok(Some(KnownProof {
            bytes: row.try_get("bytes")?,
            signer: signer.and_then(|key| key.parse().ok()),
        }))
    }

    /// What the proof rests on, if that is still kept.
    pub async fn evidence(&self, id: Uuid) -> Result<Option<Result<Kept, Unopened>>, StoreError> {
        let row =
            sqlx::query("SELECT kept_at, sealed, observation FROM evidence WHERE proof_id = $1")
                .bind(id.to_string())
                .fetch_optional(&self.pool)
                .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(vault) = &self.vault else {
            return Err(StoreError::Unreadable("evidence: its key is missing"));
        };
        let (sealed, observation): (Vec<u8>, Option<Vec<u8>>) =
            (row.try_get("sealed")?, row.try_get("observation")?);
        let kept_at = row.try_get("kept_at")?;
        Ok(Some(Record::open(vault, id, &sealed).and_then(|record| {
            let observation = record.origin.zip(observation);
            let observation = observation.map(|(origin, sealed)| {
                let seen = super::queue::open(vault, &origin, &sealed)?;
                Ok(RawObservation { origin, seen })
            });
            Ok(Kept {
                kept_at,
                salt: record.salt,
                evidence: record.evidence,
                observation: observation.transpose()?,
            })
        })))
    }
}

/// How much of `kind` is kept; triggers count along.
pub(super) async fn level(
    executor: impl SqliteExecutor<'_>,
    kind: &str,
) -> Result<Level, StoreError> {
    let row = sqlx::query("SELECT count, bytes FROM levels WHERE kind = $1")
        .bind(kind)
        .fetch_one(executor)
        .await?;
    Ok(Level {
        count: row.try_get("count")?,
        bytes: row.try_get("bytes")?,
    })
}

/// Two texts as one that comes apart again.
pub(super) fn join(first: &[u8], second: &[u8]) -> Vec<u8> {
    let length = u32::try_from(first.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), first, second].concat()
}

/// What [`join`] joined.
pub(super) fn split(joined: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = joined.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests;
