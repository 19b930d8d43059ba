//! Reading the boards.

use farmops_federation::Timestamp;
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Store, StoreError, count, farmers, number, parsed, time};
use crate::board::{Board, BoardCursor, BoardEntry, Scope};

/// The figures of NodeInfo and of the about page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Members.
    pub members: u64,
    /// Members whose farm changed in the last 30 days.
    pub active_month: u64,
    /// Members whose farm changed in the last 180 days.
    pub active_half_year: u64,
    /// Farmers on the federated board.
    pub known: u64,
    /// Snapshots kept.
    pub snapshots: u64,
}

impl Store {
    /// A page of a board: at most `limit` lines after `after`.
    ///
    /// Ties are broken by coins and then by handle, so that the order is total and pages neither
    /// repeat nor leave out a line while nothing changes.
    pub async fn board(
        &self,
        board: &Board,
        after: Option<&BoardCursor>,
        limit: u32,
    ) -> Result<Vec<BoardEntry>, StoreError> {
        let rows = sqlx::query(
            "WITH valued AS (
                 SELECT b.*, f.account_name, f.account_host, f.display_name,
                        f.account_name || '@' || f.account_host AS handle,
                        CASE $1 WHEN 'coins' THEN b.total_coins
                                WHEN 'streak' THEN b.streak_days
                                WHEN 'level' THEN b.level
                                ELSE COALESCE(c.coins, 0) END AS value
                 FROM board_row b
                 JOIN farmer f ON f.id = b.farmer_id
                 LEFT JOIN board_category c
                   ON c.farmer_id = b.farmer_id AND c.season = b.season AND c.category = $2
                 WHERE CASE WHEN $3 = 'local' THEN b.local ELSE b.federated END
                   AND CASE WHEN $4 IS NULL THEN b.newest ELSE b.season = $4 END
             ), ranked AS (
                 SELECT *, RANK() OVER (ORDER BY value DESC) AS place FROM valued
             )
             SELECT ranked.*,
                    (SELECT MIN(v.host) FROM farmer_origin o
                     JOIN federated_village v ON v.id = o.village_id
                     WHERE o.farmer_id = ranked.farmer_id AND v.status = 'active') AS origin
             FROM ranked
             WHERE $5 IS NULL OR value < $5
                OR (value = $5 AND (total_coins < $6 OR (total_coins = $6 AND handle > $7)))
             ORDER BY value DESC, total_coins DESC, handle
             LIMIT $8",
        )
        .bind(board.sort.kind())
        .bind(board.sort.category())
        .bind(board.scope.as_str())
        .bind(board.season.as_deref())
        .bind(after.map(|cursor| number(cursor.value)))
        .bind(after.map(|cursor| number(cursor.coins)))
        .bind(after.map(|cursor| cursor.handle.as_str()))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(read(row)?)).collect()
    }

    /// The seasons that any visible farm has, newest first.
    pub async fn seasons(&self, scope: Scope) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT season FROM board_row
             WHERE CASE WHEN $1 = 'local' THEN local ELSE federated END
             ORDER BY season DESC LIMIT 40",
        )
        .bind(scope.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(row.try_get("season")?)).collect()
    }

    /// The figures at `now`.
    pub async fn counts(&self, now: Timestamp) -> Result<Counts, StoreError> {
        const DAY_S: i64 = 86_400;
        let row = sqlx::query(
            "SELECT COUNT(*) FILTER (WHERE membership = 'active') AS members,
                    COUNT(*) FILTER (WHERE membership = 'active' AND last_sync_at > $1) AS month,
                    COUNT(*) FILTER (WHERE membership = 'active' AND last_sync_at > $2) AS half_year,
                    (SELECT COUNT(*) FROM board_row WHERE newest AND federated) AS known,
                    (SELECT COUNT(*) FROM farmer_snapshot) AS snapshots
             FROM farmer",
        )
        .bind(now.second() - 30 * DAY_S)
        .bind(now.second() - 180 * DAY_S)
        .fetch_one(&self.pool)
        .await?;
        Ok(Counts {
            members: count(&row, "members")?,
            active_month: count(&row, "month")?,
            active_half_year: count(&row, "half_year")?,
            known: count(&row, "known")?,
            snapshots: count(&row, "snapshots")?,
        })
    }
}

fn read(row: &SqliteRow) -> sqlx::Result<BoardEntry> {
    Ok(BoardEntry {
        rank: count(row, "place")?,
        value: count(row, "value")?,
        farmer: parsed(row, "farmer_id")?,
        account: farmers::account(row)?,
        display_name: row.try_get("display_name")?,
        member: row.try_get("local")?,
        origin: row.try_get("origin")?,
        total_coins: count(row, "total_coins")?,
        streak_days: count(row, "streak_days")?,
        level: count(row, "level")?,
        season: row.try_get("season")?,
        sequence: count(row, "sequence")?,
        published_at: time(row, "published_at")?,
    })
}
