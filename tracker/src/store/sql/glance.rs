//! Whether the ledger is the one that was logged, as far as a glance tells: where it begins and ends, its first
//! and last entries, and the latest signed head. It takes milliseconds, whatever the ledger's length; `fsck`
//! looks at everything.

use farmops_protocol::{
    digest::Digest,
    log::{
        Layer, Plan, Tile, TileSet, bundle,
        commitment::{Commitment, LoggedEvent, SaltSource},
    },
    scoring::RuleSet,
};
use sqlx::Row;

use super::{
    dialect::{Conn, DbRow, HAS_TABLE},
    log, prune,
    rows::{count, number},
    secrets,
};
use crate::{
    log::{Log, logged},
    store::{LineBody, StoreError},
};

const RULES_ADOPTED: &str = "rules_adopted";

/// How many entries the ledger has, which a glance finds sound; nothing before the farm is founded.
pub(super) async fn entries(conn: &mut Conn) -> Result<Option<u64>, StoreError> {
    let table = sqlx::query(HAS_TABLE).bind("ledger_head");
    if table.fetch_optional(&mut *conn).await?.is_none() {
        return Ok(None);
    }
    let log = log::read(conn).await?;
    check(conn, &log).await?;
    if log.size() == 0 {
        return Ok(None);
    }
    for name in [secrets::FARM_KEY, secrets::FARM_SECRET] {
        // New ones would be another farm's.
        if secrets::read(conn, name).await?.is_none() {
            return Err(damaged("the farm's keys are gone, and its ledger is there"));
        }
    }
    Ok(Some(log.size()))
}

/// Looks at the ledger under `log`, the log as it is stored.
///
/// # Errors
/// [`StoreError::Damaged`] when it is not what was logged.
pub(super) async fn check(conn: &mut Conn, log: &Log) -> Result<(), StoreError> {
    ends_at(conn, log.size()).await?;
    signed(conn, log).await?;
    let Some(last) = log.size().checked_sub(1) else {
        return Ok(());
    };
    bundle_of(conn, log, last).await?;
    if last >> 8 > 0 {
        bundle_of(conn, log, 0).await?;
    }
    Ok(())
}

/// Refuses a ledger that does not run from 1 to `size`, as far as its ends tell.
pub(super) async fn ends_at(conn: &mut Conn, size: u64) -> Result<(), StoreError> {
    // Two questions, for each of which the database goes to one end of the index.
    let row = sqlx::query(
        "SELECT COALESCE((SELECT MIN(position) FROM ledger), 0) AS first, \
         COALESCE((SELECT MAX(position) FROM ledger), 0) AS last",
    )
    .fetch_one(conn)
    .await?;
    let (first, last) = (count(&row, "first")?, count(&row, "last")?);
    if last != size {
        return Err(damaged(format!(
            "the ledger ends at entry {last}, and {size} were logged"
        )));
    }
    if first > 1 {
        return Err(damaged(format!("the ledger begins at entry {first}")));
    }
    Ok(())
}

/// Refuses a log that the latest signed head is none of.
async fn signed(conn: &mut Conn, log: &Log) -> Result<(), StoreError> {
    let Some(signed) = log::latest(conn).await? else {
        return Ok(());
    };
    let size = signed.head.size;
    if size > log.size() {
        let entries = log.size();
        return Err(damaged(format!(
            "a head of {size} entries was signed, and {entries} were logged"
        )));
    }
    let root = if size == log.size() {
        log.head().root
    } else {
        root_at(conn, size).await?
    };
    if root != signed.head.root {
        return Err(damaged(format!(
            "the head of {size} entries that was signed is not the log's"
        )));
    }
    Ok(())
}

/// The root that the log had at an earlier size.
async fn root_at(conn: &mut Conn, size: u64) -> Result<Digest, StoreError> {
    let plan = Plan::root(size);
    let mut tiles = TileSet::default();
    for tile in plan.tiles() {
        let file = file(conn, &tile).await?;
        tiles.insert(tile, &file).map_err(damaged)?;
    }
    let hashes = plan.hashes(&tiles).map_err(damaged)?;
    hashes.first().copied().ok_or_else(|| damaged("no root"))
}

async fn file(conn: &mut Conn, tile: &Tile) -> Result<Vec<u8>, StoreError> {
    let file = log::tile(conn, tile).await.map_err(unread)?;
    file.ok_or_else(|| damaged(format!("of the log, {tile} is missing")))
}

/// Compares the entries that share a bundle with the one at `index` with what stands in it.
async fn bundle_of(conn: &mut Conn, log: &Log, index: u64) -> Result<(), StoreError> {
    let Some(tile) = Tile::of_log(Layer::Entries, index >> 8, log.size()) else {
        return Ok(());
    };
    let stored = file(conn, &tile).await?;
    let stored = bundle::parse(&tile, &stored).map_err(damaged)?;
    let Some(secret) = secrets::read(conn, secrets::FARM_SECRET).await? else {
        // What was logged cannot be told without it.
        return Ok(());
    };
    let salts = SaltSource::new(secret.to_vec());
    let first = tile.entries().start + 1;
    let mut rules = log::rules_before(conn, first).await.map_err(unread)?;
    let rows = sqlx::query(
        "SELECT l.*, COALESCE(p.coins_awarded, c.coins) AS coins FROM ledger l \
         LEFT JOIN proof_chain p ON p.position = l.position \
         LEFT JOIN composite c ON c.position = l.position \
         WHERE l.position >= $1 ORDER BY l.position LIMIT $2",
    )
    .bind(number(first))
    .bind(i64::from(tile.width()))
    .fetch_all(conn)
    .await?;
    for (place, (position, logged)) in (first..).zip(stored).enumerate() {
        let row = rows.get(place);
        let row = row.ok_or_else(|| damaged(format!("the ledger has no entry {position}")))?;
        if entry(row, position, &salts, &mut rules)? != logged {
            return Err(damaged(format!(
                "entry {position} is not the one that was logged"
            )));
        }
    }
    Ok(())
}

/// What a row of the ledger commits to, by `rules`, which may change with it.
fn entry(
    row: &DbRow,
    position: u64,
    salts: &SaltSource,
    rules: &mut Digest,
) -> Result<Digest, StoreError> {
    let line = prune::line(row).map_err(|error| damaged(format!("entry {position}: {error}")))?;
    if line.position != position {
        return Err(damaged(format!("the ledger has no entry {position}")));
    }
    let coins: Option<i64> = row.try_get("coins")?;
    let coins = coins.map(|coins| u64::try_from(coins).unwrap_or(0));
    let score = coins.map(|coins| logged(coins, *rules));
    let event = LoggedEvent {
        kind: &line.kind,
        recorded_at: line.recorded_at,
        body: line.body.bytes().unwrap_or_default(),
    };
    let made = salts.commit(position - 1, &event, score.as_ref());
    if line.kind == RULES_ADOPTED {
        *rules = RuleSet::parse(event.body).map_err(damaged)?.digest();
    }
    Ok(match line.body {
        LineBody::Here(_) => made.entry(),
        LineBody::Archived(event) => Commitment { event, ..made }.entry(),
    })
}

/// What cannot be read was damaged.
fn unread(error: StoreError) -> StoreError {
    match error {
        StoreError::Unreadable { reason, .. } => damaged(reason),
        other => other,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
fn damaged(reason: impl ToString) -> StoreError {
    StoreError::Damaged(reason.to_string())
}
