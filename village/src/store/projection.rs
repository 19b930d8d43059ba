//! The one way onto a board: a farmer's rows made anew from her standing and her snapshots.

use farmops_protocol::snapshot::SnapshotDocument;
use sqlx::{Row as _, SqliteConnection};

use super::{StoreError, number, parsed_if_any};
use crate::{
    farmer::FarmerId,
    policy::{Standing, keeps_snapshots, visibility},
};

/// What is known of a farmer; nothing if there is no such farmer.
pub(super) async fn standing(
    conn: &mut SqliteConnection,
    farmer: FarmerId,
) -> Result<Option<Standing>, StoreError> {
    let row = sqlx::query(
        "SELECT f.membership, f.following,
                EXISTS (SELECT 1 FROM blocked_host b
                        WHERE b.host IN (f.actor_host, f.account_host)) AS blocked,
                EXISTS (SELECT 1 FROM farmer_origin o
                        JOIN federated_village v ON v.id = o.village_id
                        WHERE o.farmer_id = f.id AND v.status = 'active') AS announced
         FROM farmer f WHERE f.id = $1",
    )
    .bind(farmer.to_string())
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Standing {
        blocked: row.try_get("blocked")?,
        membership: parsed_if_any(&row, "membership")?,
        following: parsed_if_any(&row, "following")?,
        announced: row.try_get("announced")?,
    }))
}

/// Makes the farmer's board rows anew. Snapshots that the village has no reason to keep any more
/// go with them, and so does a farmer who is known in no way at all.
pub(super) async fn project(
    conn: &mut SqliteConnection,
    farmer: FarmerId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM board_row WHERE farmer_id = $1")
        .bind(farmer.to_string())
        .execute(&mut *conn)
        .await?;
    let Some(standing) = standing(conn, farmer).await? else {
        return Ok(());
    };
    if !keeps_snapshots(standing) {
        return forget(conn, farmer, standing).await;
    }
    let shown = visibility(standing);
    if !shown.federated {
        return Ok(());
    }
    let newest_of_seasons = sqlx::query(
        "SELECT season, sequence, total_coins, streak_days, level, published_at, document,
                sequence = (SELECT MAX(sequence) FROM farmer_snapshot WHERE farmer_id = $1) AS newest
         FROM farmer_snapshot s
         WHERE farmer_id = $1 AND sequence = (
             SELECT MAX(sequence) FROM farmer_snapshot
             WHERE farmer_id = $1 AND season = s.season)",
    )
    .bind(farmer.to_string())
    .fetch_all(&mut *conn)
    .await?;
    for row in newest_of_seasons {
        let season: String = row.try_get("season")?;
        sqlx::query(
            "INSERT INTO board_row (farmer_id, season, newest, local, federated, sequence,
                                    total_coins, streak_days, level, published_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(farmer.to_string())
        .bind(&season)
        .bind(row.try_get::<bool, _>("newest")?)
        .bind(shown.local)
        .bind(shown.federated)
        .bind(row.try_get::<i64, _>("sequence")?)
        .bind(row.try_get::<i64, _>("total_coins")?)
        .bind(row.try_get::<i64, _>("streak_days")?)
        .bind(row.try_get::<i64, _>("level")?)
        .bind(row.try_get::<i64, _>("published_at")?)
        .execute(&mut *conn)
        .await?;
        project_categories(conn, farmer, &season, row.try_get("document")?).await?;
    }
    Ok(())
}

async fn project_categories(
    conn: &mut SqliteConnection,
    farmer: FarmerId,
    season: &str,
    document: Vec<u8>,
) -> Result<(), StoreError> {
    let document = SnapshotDocument::parse(&document)
        .map_err(|e| StoreError::Corrupt("snapshot", e.to_string()))?;
    for total in &document.snapshot().category_totals {
        sqlx::query(
            "INSERT INTO board_category (farmer_id, season, category, proofs, coins)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(farmer.to_string())
        .bind(season)
        .bind(total.category.as_str())
        .bind(number(total.proofs.value()))
        .bind(number(total.coins.value()))
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// A farmer who was never a member goes altogether; a former member's row stays as the keeper of
/// her handle, empty.
async fn forget(
    conn: &mut SqliteConnection,
    farmer: FarmerId,
    standing: Standing,
) -> Result<(), StoreError> {
    let statement = if standing.membership.is_none() {
        "DELETE FROM farmer WHERE id = $1"
    } else {
        "DELETE FROM farmer_snapshot WHERE farmer_id = $1"
    };
    sqlx::query(statement)
        .bind(farmer.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// [`project`] for every farmer with one of these hosts, or announced by one of these villages.
pub(super) async fn project_around(
    conn: &mut SqliteConnection,
    host: &str,
) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "SELECT id FROM farmer WHERE actor_host = $1 OR account_host = $1
         UNION
         SELECT o.farmer_id FROM farmer_origin o
         JOIN federated_village v ON v.id = o.village_id WHERE v.host = $1",
    )
    .bind(host)
    .fetch_all(&mut *conn)
    .await?;
    for row in rows {
        project(conn, super::parsed(&row, "id")?).await?;
    }
    Ok(())
}
