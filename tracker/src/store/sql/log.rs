//! The transparency log's head, tiles and signed heads.

use std::collections::HashMap;

use farmops_protocol::{
    digest::Digest,
    log::{Layer, Tile, TreeHead, commitment::LoggedScore},
    scoring::RuleSet,
};
use sqlx::Row;

use super::{
    dialect::{Conn, DbRow},
    glance,
    rows::{count, digest, number, time, unreadable},
};
use crate::{
    log::{Log, Source, file, logged},
    store::{Growth, SignedHead, StoreError},
};

/// Lets the log grow, if it has the head that it is said to grow from (compare-and-swap).
pub(super) async fn grow(conn: &mut Conn, growth: &Growth<'_>) -> Result<(), StoreError> {
    let head = growth.log.head();
    let written = if growth.from.size == 0 {
        sqlx::query(
            "INSERT INTO ledger_head (size, root, bundle, rows, id) VALUES ($1, $2, $3, $4, 1) \
             ON CONFLICT (id) DO NOTHING",
        )
    } else {
        sqlx::query(
            "UPDATE ledger_head SET size = $1, root = $2, bundle = $3, rows = $4 \
             WHERE id = 1 AND size = $5 AND root = $6",
        )
    };
    let mut written = written
        .bind(number(head.size))
        .bind(head.root.as_bytes().to_vec())
        .bind(growth.log.bundle())
        .bind(growth.log.rows());
    if growth.from.size > 0 {
        written = written
            .bind(number(growth.from.size))
            .bind(growth.from.root.as_bytes().to_vec());
    }
    if written.execute(&mut *conn).await?.rows_affected() != 1 {
        return Err(StoreError::OtherHead);
    }
    for (tile, contents) in growth.tiles {
        sqlx::query("INSERT INTO tile (level, idx, body) VALUES ($1, $2, $3)")
            .bind(level(tile))
            .bind(number(tile.index()))
            .bind(contents.as_slice())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// The log as far as it is durable.
pub(super) async fn read(conn: &mut Conn) -> Result<Log, StoreError> {
    let row = sqlx::query("SELECT * FROM ledger_head WHERE id = 1")
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else {
        return Ok(Log::default());
    };
    let size = count(&row, "size")?;
    let log = Log::from_parts(size, row.try_get("bundle")?, row.try_get("rows")?)
        .map_err(|e| unreadable("rows", e))?;
    if log.head().root == digest(&row, "root")? {
        Ok(log)
    } else {
        Err(unreadable("root", "not the root over the tiles"))
    }
}

/// A file of the log.
pub(super) async fn tile(conn: &mut Conn, wanted: &Tile) -> Result<Option<Vec<u8>>, StoreError> {
    let contents = match read(conn).await?.source(wanted) {
        None => return Ok(None),
        Some(Source::Edge(contents)) => contents,
        Some(Source::Kept(full)) => {
            sqlx::query("SELECT body FROM tile WHERE level = $1 AND idx = $2")
                .bind(level(&full))
                .bind(number(full.index()))
                .fetch_optional(conn)
                .await?
                .ok_or_else(|| unreadable("body", format!("{full} is missing")))?
                .try_get("body")?
        }
    };
    let file = file(wanted, contents).map_err(|e| unreadable("body", e))?;
    Ok(Some(file))
}

/// What an entry was worth, and by the rules of then.
pub(super) async fn score(
    conn: &mut Conn,
    position: u64,
) -> Result<Option<LoggedScore>, StoreError> {
    let scored = sqlx::query(
        "SELECT coins_awarded AS coins FROM proof_chain WHERE position = $1 \
         UNION ALL SELECT coins FROM composite WHERE position = $1",
    )
    .bind(number(position))
    .fetch_optional(&mut *conn)
    .await?;
    let Some(scored) = scored else {
        return Ok(None);
    };
    let rules = rules_before(conn, position).await?;
    Ok(Some(logged(count(&scored, "coins")?, rules)))
}

/// By which rules the entry at `position` is scored.
pub(super) async fn rules_before(conn: &mut Conn, position: u64) -> Result<Digest, StoreError> {
    let adopted = sqlx::query(
        "SELECT body FROM ledger WHERE kind = 'rules_adopted' AND position < $1 \
         ORDER BY position DESC LIMIT 1",
    )
    .bind(number(position))
    .fetch_optional(conn)
    .await?;
    let rules = match adopted {
        Some(row) => RuleSet::parse(row.try_get("body")?).map_err(|e| unreadable("body", e))?,
        None => RuleSet::default(),
    };
    Ok(rules.digest())
}

/// The number under which a layer is kept.
fn level(tile: &Tile) -> i64 {
    match tile.layer() {
        Layer::Entries => -1,
        Layer::Hashes(level) => level.into(),
    }
}

/// Keeps a signed head. What is signed has to be durable; a head that is kept already stays.
pub(super) async fn sign(conn: &mut Conn, signed: &SignedHead) -> Result<(), StoreError> {
    let TreeHead { size, root } = signed.head;
    let durable = sqlx::query("SELECT size, root FROM ledger_head WHERE id = 1")
        .fetch_optional(&mut *conn)
        .await?;
    let ours = match &durable {
        Some(row) if count(row, "size")? == size => digest(row, "root")? == root,
        Some(row) => count(row, "size")? > size,
        None => false,
    };
    let kept = sqlx::query("SELECT root FROM checkpoint WHERE size = $1")
        .bind(number(size))
        .fetch_optional(&mut *conn)
        .await?;
    match kept {
        _ if !ours => Err(StoreError::NotOurs(size)),
        Some(row) if digest(&row, "root")? == root => Ok(()),
        Some(_) => Err(StoreError::NotOurs(size)),
        None => {
            // Nor is anything signed over a ledger whose end is gone.
            let entries = durable.as_ref().map(|row| count(row, "size"));
            glance::ends_at(conn, entries.transpose()?.unwrap_or(0)).await?;
            sqlx::query(
                "INSERT INTO checkpoint (size, root, note, signed_at) VALUES ($1, $2, $3, $4)",
            )
            .bind(number(size))
            .bind(root.as_bytes().to_vec())
            .bind(signed.note.as_str())
            .bind(signed.signed_at.second())
            .execute(conn)
            .await?;
            Ok(())
        }
    }
}

/// The roots that were signed, by the log's sizes.
pub(super) async fn roots(conn: &mut Conn) -> Result<HashMap<u64, Digest>, StoreError> {
    let rows = sqlx::query("SELECT size, root FROM checkpoint")
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| Ok((count(row, "size")?, digest(row, "root")?)))
        .collect()
}

/// The latest signed head.
pub(super) async fn latest(conn: &mut Conn) -> Result<Option<SignedHead>, StoreError> {
    let row = sqlx::query("SELECT * FROM checkpoint ORDER BY size DESC LIMIT 1")
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(signed).transpose()
}

/// The signed heads of more than `size` entries, the smallest first.
pub(super) async fn after(
    conn: &mut Conn,
    size: u64,
    limit: u32,
) -> Result<Vec<SignedHead>, StoreError> {
    let rows = sqlx::query("SELECT * FROM checkpoint WHERE size > $1 ORDER BY size LIMIT $2")
        .bind(number(size))
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    rows.iter().map(signed).collect()
}

fn signed(row: &DbRow) -> Result<SignedHead, StoreError> {
    Ok(SignedHead {
        head: TreeHead {
            size: count(row, "size")?,
            root: digest(row, "root")?,
        },
        note: row.try_get("note")?,
        signed_at: time(row, "signed_at")?,
    })
}
