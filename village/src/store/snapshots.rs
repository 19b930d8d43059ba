//! Signed snapshots: taking them in, and reading them back.

use farmops_federation::{Post, Timestamp};
use farmops_federation_store::append_post;
use farmops_protocol::snapshot::{SnapshotDocument, VerifiedSnapshot};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use url::Url;

use super::{Store, StoreError, count, decode, farmers, number, parsed, projection, time};
use crate::{
    farmer::{Farmer, FarmerId, Membership},
    limits::{FARMERS_MAX, FARMERS_PER_PEER_MAX, SNAPSHOTS_PER_FARMER_MAX},
    policy::{Door, Refusal, admit_snapshot},
};

/// What became of a snapshot that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is the newest of this farmer's now.
    New,
    /// One as new or newer was here.
    NotNewer,
    /// It is signed by another key than the one known for this farmer.
    WrongKey,
    /// The policy does not admit it.
    Refused(Refusal),
    /// The village, or the peer's share of it, is full.
    Full,
}

/// A snapshot on its way in.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// The farmer; her row as it is, or as it would be if she is not known yet.
    pub farmer: &'a Farmer,
    /// The village that passed it on, by its actor; nothing if it came from her own tracker.
    pub relayed_by: Option<&'a Url>,
    /// The snapshot.
    pub snapshot: &'a VerifiedSnapshot,
    /// Told to the village's followers, in the same transaction, if it is a member's and new.
    pub announcement: &'a Post,
}

/// A snapshot as it was kept.
#[derive(Debug, Clone)]
pub struct StoredSnapshot {
    /// The canonical bytes of the signed object.
    pub bytes: Vec<u8>,
    /// The same, read.
    pub document: SnapshotDocument,
    /// When it came.
    pub received_at: Timestamp,
}

/// A point of a farmer's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPoint {
    /// The snapshot's sequence.
    pub sequence: u64,
    /// When it was made.
    pub published_at: Timestamp,
    /// Coins earned in all.
    pub total_coins: u64,
    /// Days of the streak.
    pub streak_days: u64,
    /// The farm's level.
    pub level: u64,
    /// Proofs scored in all.
    pub proofs: u64,
}

impl Store {
    /// Takes in a snapshot: policy, key, order, history, boards and announcement in one
    /// transaction. A second arrival of the same snapshot changes nothing.
    pub async fn take_snapshot(
        &self,
        arrival: &Arrival<'_>,
        now: Timestamp,
    ) -> Result<Kept, StoreError> {
        let mut tx = self.begin().await?;
        let kept = take(&mut tx, arrival, now).await?;
        if kept == Kept::New {
            tx.commit().await?;
        }
        // Whatever else it was, dropping the transaction leaves no trace of it.
        Ok(kept)
    }

    /// The newest snapshot of a farmer who may be shown.
    pub async fn newest_snapshot(
        &self,
        farmer: FarmerId,
    ) -> Result<Option<StoredSnapshot>, StoreError> {
        let row = sqlx::query(
            "SELECT s.document, s.received_at FROM farmer_snapshot s
             JOIN board_row b ON b.farmer_id = s.farmer_id AND b.sequence = s.sequence
             WHERE s.farmer_id = $1 AND b.newest",
        )
        .bind(farmer.to_string())
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| read(&row)).transpose()
    }

    /// The history of a farmer who may be shown, newest first, at most `limit` points before
    /// the sequence `before`.
    pub async fn history(
        &self,
        farmer: FarmerId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<HistoryPoint>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM farmer_snapshot
             WHERE farmer_id = $1 AND sequence < $2
               AND EXISTS (SELECT 1 FROM board_row WHERE farmer_id = $1)
             ORDER BY sequence DESC LIMIT $3",
        )
        .bind(farmer.to_string())
        .bind(before.map_or(i64::MAX, number))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(HistoryPoint {
                    sequence: count(row, "sequence")?,
                    published_at: time(row, "published_at")?,
                    total_coins: count(row, "total_coins")?,
                    streak_days: count(row, "streak_days")?,
                    level: count(row, "level")?,
                    proofs: count(row, "proofs")?,
                })
            })
            .collect()
    }

    /// One object of an actor is gone: so is the snapshot that it was.
    pub async fn forget_object(&self, actor: &Url, object: &Url) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let gone = sqlx::query(
            "DELETE FROM farmer_snapshot
             WHERE object_id = $2 AND farmer_id = (SELECT id FROM farmer WHERE actor = $1)
             RETURNING farmer_id",
        )
        .bind(actor.as_str())
        .bind(object.as_str())
        .fetch_all(&mut *tx)
        .await?;
        let Some(row) = gone.first() else {
            return Ok(false);
        };
        projection::project(&mut tx, parsed(row, "farmer_id")?).await?;
        tx.commit().await?;
        Ok(true)
    }
}

async fn take(
    tx: &mut SqliteConnection,
    arrival: &Arrival<'_>,
    now: Timestamp,
) -> Result<Kept, StoreError> {
    let Some((farmer, membership)) = known_or_new(tx, arrival.farmer).await? else {
        return Ok(Kept::Full);
    };
    let door = match arrival.relayed_by {
        None => Door::Author,
        Some(village) => {
            let member = membership == Some(Membership::Active);
            match enter_by_peer(tx, village, farmer, member, now).await? {
                Some(door) => door,
                None => return Ok(Kept::Full),
            }
        }
    };
    let standing = projection::standing(tx, farmer).await?.unwrap_or_default();
    if let Err(refusal) = admit_snapshot(door, standing) {
        return Ok(Kept::Refused(refusal));
    }
    let row = sqlx::query(
        "SELECT farmer_key,
                (SELECT MAX(sequence) FROM farmer_snapshot WHERE farmer_id = $1) AS newest
         FROM farmer WHERE id = $1",
    )
    .bind(farmer.to_string())
    .fetch_one(&mut *tx)
    .await?;
    let snapshot = arrival.snapshot.snapshot();
    if row.try_get::<String, _>("farmer_key")? != snapshot.farmer_key.to_string() {
        return Ok(Kept::WrongKey);
    }
    let newest: Option<i64> = row.try_get("newest")?;
    if newest.is_some_and(|newest| newest >= number(snapshot.sequence.value())) {
        return Ok(Kept::NotNewer);
    }
    insert(tx, farmer, arrival.snapshot, now).await?;
    projection::project(tx, farmer).await?;
    if membership == Some(Membership::Active) {
        append_post(tx, arrival.announcement).await?;
    }
    Ok(Kept::New)
}

/// The row of this actor, made if there is none; nothing if the roster is full.
async fn known_or_new(
    tx: &mut SqliteConnection,
    farmer: &Farmer,
) -> Result<Option<(FarmerId, Option<Membership>)>, StoreError> {
    let known = sqlx::query("SELECT id, membership FROM farmer WHERE actor = $1")
        .bind(farmer.actor.as_str())
        .fetch_optional(&mut *tx)
        .await?;
    if let Some(row) = known {
        return Ok(Some((
            parsed(&row, "id")?,
            super::parsed_if_any(&row, "membership")?,
        )));
    }
    let row = sqlx::query("SELECT COUNT(*) AS n FROM farmer")
        .fetch_one(&mut *tx)
        .await?;
    if count(&row, "n")? >= u64::from(FARMERS_MAX) {
        return Ok(None);
    }
    farmers::write(tx, farmer).await?;
    Ok(Some((farmer.id, farmer.membership)))
}

/// Notes that this peer announces the farmer, unless she is a member here and needs no one to
/// speak for her. Nothing if the peer's share is used up.
async fn enter_by_peer(
    tx: &mut SqliteConnection,
    village: &Url,
    farmer: FarmerId,
    member: bool,
    now: Timestamp,
) -> Result<Option<Door>, StoreError> {
    let row = sqlx::query(
        "UPDATE federated_village SET last_sync_at = $2 WHERE actor = $1
         RETURNING id, status = 'active' AS active,
                   (SELECT COUNT(*) FROM farmer_origin o
                    WHERE o.village_id = federated_village.id AND o.farmer_id <> $3) AS announced",
    )
    .bind(village.as_str())
    .bind(now.second())
    .bind(farmer.to_string())
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else {
        return Ok(Some(Door::Peer { active: false }));
    };
    if count(&row, "announced")? >= u64::from(FARMERS_PER_PEER_MAX) {
        return Ok(None);
    }
    if !member {
        sqlx::query(
            "INSERT INTO farmer_origin (farmer_id, village_id, first_seen_at) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
        )
        .bind(farmer.to_string())
        .bind(row.try_get::<String, _>("id")?)
        .bind(now.second())
        .execute(&mut *tx)
        .await?;
    }
    Ok(Some(Door::Peer {
        active: row.try_get("active")?,
    }))
}

async fn insert(
    tx: &mut SqliteConnection,
    farmer: FarmerId,
    verified: &VerifiedSnapshot,
    now: Timestamp,
) -> Result<(), StoreError> {
    let snapshot = verified.snapshot();
    let proofs = snapshot
        .category_totals
        .iter()
        .map(|t| t.proofs.value())
        .fold(0, u64::saturating_add);
    sqlx::query(
        "INSERT INTO farmer_snapshot (farmer_id, sequence, object_id, season, total_coins,
                                      current_coins, streak_days, level, proofs, published_at,
                                      received_at, document)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(farmer.to_string())
    .bind(number(snapshot.sequence.value()))
    .bind(&verified.post().id)
    .bind(&snapshot.season)
    .bind(number(snapshot.total_coins.value()))
    .bind(number(snapshot.current_coins.value()))
    .bind(number(snapshot.streak_days.value()))
    .bind(number(snapshot.level.value()))
    .bind(number(proofs))
    .bind(verified.post().published.second())
    .bind(now.second())
    .bind(verified.to_bytes())
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "DELETE FROM farmer_snapshot WHERE farmer_id = $1 AND sequence <= (
             SELECT sequence FROM farmer_snapshot WHERE farmer_id = $1
             ORDER BY sequence DESC LIMIT 1 OFFSET $2)",
    )
    .bind(farmer.to_string())
    .bind(SNAPSHOTS_PER_FARMER_MAX)
    .execute(&mut *tx)
    .await?;
    sqlx::query("UPDATE farmer SET last_sync_at = $2 WHERE id = $1")
        .bind(farmer.to_string())
        .bind(now.second())
        .execute(tx)
        .await?;
    Ok(())
}

fn read(row: &SqliteRow) -> Result<StoredSnapshot, StoreError> {
    let bytes: Vec<u8> = row.try_get("document")?;
    let document = SnapshotDocument::parse(&bytes).map_err(|e| decode("document", e))?;
    Ok(StoredSnapshot {
        bytes,
        document,
        received_at: time(row, "received_at")?,
    })
}
