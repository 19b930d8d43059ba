//! Other villages.

use std::{fmt, str::FromStr};

use farmops_federation::{Direction, PeerState, RelationState, Timestamp, relation::peer_state};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use url::Url;
use uuid::Uuid;

use crate::limits::PEERS_MAX;

use super::{Store, StoreError, parsed, parsed_if_any, projection, time, time_if_any};

/// The village's own id of another village.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VillageId(Uuid);

impl fmt::Display for VillageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for VillageId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::try_parse(text).map(Self)
    }
}

/// Another village.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerRecord {
    /// The village's own id of it.
    pub id: VillageId,
    /// Its Group actor.
    pub actor: Url,
    /// Its host.
    pub host: String,
    /// Its page.
    pub remote_url: String,
    /// Its name.
    pub remote_name: String,
    /// How far our follow of it has come.
    pub following: Option<RelationState>,
    /// How far its follow of us has come.
    pub follower: Option<RelationState>,
    /// What it is to us.
    pub status: PeerState,
    /// A name for the present time of federating, or the last one.
    pub peering: Uuid,
    /// When the status last changed.
    pub changed_at: Timestamp,
    /// When it last passed on a snapshot.
    pub last_sync_at: Option<Timestamp>,
}

/// What is new about another village.
#[derive(Debug, Clone)]
pub struct PeerChange<'a> {
    /// Its Group actor.
    pub actor: &'a Url,
    /// Its host.
    pub host: &'a str,
    /// Its page.
    pub remote_url: &'a str,
    /// Its name.
    pub remote_name: &'a str,
    /// Which follow.
    pub direction: Direction,
    /// How far it has come; nothing when it ended.
    pub state: Option<RelationState>,
}

impl Store {
    /// Notes how far a follow between the village and another one has come, and lets its farms
    /// onto the board or takes them off.
    pub async fn peer_changed(
        &self,
        change: &PeerChange<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let column_of_following = change.direction == Direction::Following;
        sqlx::query(
            "INSERT INTO federated_village (id, actor, host, remote_url, remote_name, following,
                                            follower, status, peering, changed_at)
             SELECT $1, $2, $3, $4, $5, CASE WHEN $6 THEN $7 END, CASE WHEN $6 THEN NULL ELSE $7 END,
                    'pending', $1, $8
             WHERE EXISTS (SELECT 1 FROM federated_village WHERE actor = $2)
                OR (SELECT COUNT(*) FROM federated_village) < $9
             ON CONFLICT (actor) DO UPDATE SET
                 host = $3, remote_url = $4, remote_name = $5,
                 following = CASE WHEN $6 THEN $7 ELSE following END,
                 follower = CASE WHEN $6 THEN follower ELSE $7 END",
        )
        .bind(Uuid::now_v7().hyphenated().to_string())
        .bind(change.actor.as_str())
        .bind(change.host)
        .bind(change.remote_url)
        .bind(change.remote_name)
        .bind(column_of_following)
        .bind(change.state.map(RelationState::as_str))
        .bind(now.second())
        .bind(PEERS_MAX)
        .execute(&mut *tx)
        .await?;
        settle_host(&mut tx, change.host, now).await?;
        projection::project_around(&mut tx, change.host).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Another village's actor is gone: so is everything it announced.
    pub async fn forget_village(&self, actor: &Url) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let farmers = sqlx::query(
            "SELECT o.farmer_id FROM farmer_origin o
             JOIN federated_village v ON v.id = o.village_id WHERE v.actor = $1",
        )
        .bind(actor.as_str())
        .fetch_all(&mut *tx)
        .await?;
        let gone = sqlx::query("DELETE FROM federated_village WHERE actor = $1")
            .bind(actor.as_str())
            .execute(&mut *tx)
            .await?;
        for row in &farmers {
            projection::project(&mut tx, parsed(row, "farmer_id")?).await?;
        }
        tx.commit().await?;
        Ok(gone.rows_affected() > 0)
    }

    /// Whether the village knows the one with this actor, or has room for one more.
    pub async fn has_room_for_peer(&self, actor: &Url) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT EXISTS (SELECT 1 FROM federated_village WHERE actor = $1)
                 OR (SELECT COUNT(*) FROM federated_village) < $2 AS room",
        )
        .bind(actor.as_str())
        .bind(PEERS_MAX)
        .fetch_one(&self.pool)
        .await?;
        Ok(row.try_get("room")?)
    }

    /// Every other village, the active ones first.
    pub async fn peers(&self) -> Result<Vec<PeerRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM federated_village
             ORDER BY CASE status WHEN 'active' THEN 0 WHEN 'pending' THEN 1 ELSE 2 END, host, id
             LIMIT $1",
        )
        .bind(PEERS_MAX)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(read(row)?)).collect()
    }

    /// The village with this id.
    pub async fn peer(&self, id: VillageId) -> Result<Option<PeerRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM federated_village WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(read(&row)?)).transpose()
    }

    /// The village with this actor.
    pub async fn peer_by_actor(&self, actor: &Url) -> Result<Option<PeerRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM federated_village WHERE actor = $1")
            .bind(actor.as_str())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(read(&row)?)).transpose()
    }
}

/// Brings the status of the villages at `host` to what their follows and the blocks say.
pub(super) async fn settle_host(
    conn: &mut SqliteConnection,
    host: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "SELECT v.*, EXISTS (SELECT 1 FROM blocked_host b WHERE b.host = v.host) AS blocked
         FROM federated_village v WHERE v.host = $1",
    )
    .bind(host)
    .fetch_all(&mut *conn)
    .await?;
    for row in rows {
        let peer = read(&row)?;
        let blocked = row.try_get("blocked")?;
        // Neither side asks any more: it waits for one to ask again.
        let status =
            peer_state(peer.following, peer.follower, blocked).unwrap_or(PeerState::Pending);
        if status == peer.status {
            continue;
        }
        sqlx::query(
            "UPDATE federated_village SET status = $2, changed_at = $3,
                    peering = CASE $2 WHEN 'active' THEN $4 ELSE peering END
             WHERE id = $1",
        )
        .bind(peer.id.to_string())
        .bind(status.as_str())
        .bind(now.second())
        .bind(Uuid::now_v7().hyphenated().to_string())
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

fn read(row: &SqliteRow) -> sqlx::Result<PeerRecord> {
    Ok(PeerRecord {
        id: parsed(row, "id")?,
        actor: parsed(row, "actor")?,
        host: row.try_get("host")?,
        remote_url: row.try_get("remote_url")?,
        remote_name: row.try_get("remote_name")?,
        following: parsed_if_any(row, "following")?,
        follower: parsed_if_any(row, "follower")?,
        status: parsed(row, "status")?,
        peering: parsed(row, "peering")?,
        changed_at: time(row, "changed_at")?,
        last_sync_at: time_if_any(row, "last_sync_at")?,
    })
}
