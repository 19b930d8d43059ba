//! Bodies that went to an archive, and came back.

use farmops_protocol::{digest::Digest, snapshot::season_of};
use futures::TryStreamExt as _;
use sqlx::Row;

use super::{
    dialect::{Conn, DbRow, SqlJournal},
    reads::read_row,
    rows::{count, digest, number, time, unreadable},
};
use crate::{
    domain::ProofRow,
    store::{ArchivedSeason, LedgerLine, LineBody, StoreError},
};

impl SqlJournal {
    /// Takes the bodies of these entries away, and keeps the commitments to them.
    pub(super) async fn remove_bodies(
        &mut self,
        bodies: &[(u64, Digest)],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for (position, commitment) in bodies {
            let taken = sqlx::query(
                "UPDATE ledger SET body = NULL, commitment = $1 \
                 WHERE position = $2 AND kind = 'proof_accepted' AND body IS NOT NULL",
            )
            .bind(commitment.as_bytes().to_vec())
            .bind(number(*position))
            .execute(&mut *tx)
            .await?;
            if taken.rows_affected() != 1 {
                return Err(StoreError::Gap(*position));
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Puts bodies back where these commitments stand for them.
    pub(super) async fn restore_bodies(
        &mut self,
        bodies: &[(u64, Digest, Vec<u8>)],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for (position, commitment, body) in bodies {
            let put = sqlx::query(
                "UPDATE ledger SET body = $1, commitment = NULL \
                 WHERE position = $2 AND commitment = $3",
            )
            .bind(body.as_slice())
            .bind(number(*position))
            .bind(commitment.as_bytes().to_vec())
            .execute(&mut *tx)
            .await?;
            if put.rows_affected() != 1 {
                return Err(StoreError::Gap(*position));
            }
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Which seasons have archived entries, and which ones.
pub(super) async fn archived(conn: &mut Conn) -> Result<Vec<ArchivedSeason>, StoreError> {
    let mut seasons: Vec<ArchivedSeason> = Vec::new();
    let mut rows = sqlx::query(
        "SELECT position, recorded_at FROM ledger WHERE body IS NULL ORDER BY position",
    )
    .fetch(conn);
    while let Some(row) = rows.try_next().await? {
        let season = season_of(time(&row, "recorded_at")?);
        ArchivedSeason::count(&mut seasons, season, count(&row, "position")?);
    }
    Ok(seasons)
}

/// The rows of the proofs after `after`, up to `through`.
pub(super) async fn proof_rows(
    conn: &mut Conn,
    after: u64,
    through: u64,
) -> Result<Vec<ProofRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM proof_chain WHERE position > $1 AND position <= $2 ORDER BY position",
    )
    .bind(number(after))
    .bind(number(through))
    .fetch_all(conn)
    .await?;
    rows.iter().map(read_row).collect()
}

/// A line of the ledger.
pub(super) fn line(row: &DbRow) -> Result<LedgerLine, StoreError> {
    Ok(LedgerLine {
        position: count(row, "position")?,
        kind: row.try_get("kind")?,
        recorded_at: time(row, "recorded_at")?,
        body: body(row)?,
    })
}

/// What an entry says, or the commitment to it.
pub(super) fn body(row: &DbRow) -> Result<LineBody, StoreError> {
    let here: Option<Vec<u8>> = row.try_get("body")?;
    let kept: Option<&[u8]> = row.try_get("commitment")?;
    match (here, kept) {
        (Some(body), None) => Ok(LineBody::Here(body)),
        (None, Some(_)) => digest(row, "commitment").map(LineBody::Archived),
        _ => Err(unreadable(
            "commitment",
            "it stands for a body, and for nothing else",
        )),
    }
}
