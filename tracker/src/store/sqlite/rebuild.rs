//! Making the projections anew from the ledger.

use super::{SqliteJournal, commit::PROJECTIONS, commit::project};
use crate::{
    domain::{Changes, State},
    ledger::{Entry, Event, LeafSalt},
    store::StoreError,
};
use sqlx::{AssertSqlSafe, Connection, Row};

use super::rows::{count, number, time};

/// Entries folded before their rows are written.
const PAGE: i64 = 1000;

impl SqliteJournal {
    /// Empties every projection and folds the ledger into them again, in one transaction. The rows are
    /// the same, byte for byte, as those the writer wrote as it went.
    pub async fn rebuild(&mut self, salt: &LeafSalt) -> Result<State, StoreError> {
        let mut tx = self.conn.begin_with("BEGIN IMMEDIATE").await?;
        for table in PROJECTIONS {
            // The names are constants of this crate.
            sqlx::query(AssertSqlSafe(format!("DELETE FROM {table}")))
                .execute(&mut *tx)
                .await?;
        }
        let mut state = State::default();
        loop {
            let rows =
                sqlx::query("SELECT * FROM ledger WHERE position > $1 ORDER BY position LIMIT $2")
                    .bind(number(state.log.size()))
                    .bind(PAGE)
                    .fetch_all(&mut *tx)
                    .await?;
            if rows.is_empty() {
                break;
            }
            let mut changes = Changes::default();
            for row in &rows {
                let (kind, body): (&str, &[u8]) = (row.try_get("kind")?, row.try_get("body")?);
                let entry = Entry {
                    position: count(row, "position")?,
                    recorded_at: time(row, "recorded_at")?,
                    event: Event::read(kind, body)?,
                };
                let applied = state.apply(&entry, salt.leaf(entry.position, kind, body));
                changes.note(&state, &entry, applied);
            }
            project(&mut tx, &state, &changes).await?;
        }
        tx.commit().await?;
        Ok(state)
    }
}
