//! Making the projections anew from the ledger.

use farmops_protocol::log::commitment::SaltSource;
use sqlx::{AssertSqlSafe, Row};

use super::{
    commit::project,
    dialect::SqlJournal,
    log as log_rows,
    rows::{count, number, time},
};
use crate::{
    domain::{Changes, State},
    ledger::{Entry, Event, Log, enter},
    store::{Growth, PROJECTIONS, Projection, StoreError},
};

/// Entries folded before their rows are written.
const PAGE: i64 = 1000;

impl SqlJournal {
    pub(super) async fn fold_again(
        &mut self,
        salts: &SaltSource,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<State, StoreError> {
        let mut tx = self.begin().await?;
        let signed = log_rows::roots(&mut tx).await?;
        for Projection { table, .. } in PROJECTIONS {
            // The names are constants of this crate.
            sqlx::query(AssertSqlSafe(format!("DELETE FROM {table}")))
                .execute(&mut *tx)
                .await?;
        }
        let (mut state, mut log) = (State::default(), Log::default());
        loop {
            let rows =
                sqlx::query("SELECT * FROM ledger WHERE position > $1 ORDER BY position LIMIT $2")
                    .bind(number(state.position))
                    .bind(PAGE)
                    .fetch_all(&mut *tx)
                    .await?;
            if rows.is_empty() {
                break;
            }
            let (mut changes, mut tiles) = (Changes::default(), Vec::new());
            let from = log.head();
            for row in &rows {
                let (kind, body): (&str, &[u8]) = (row.try_get("kind")?, row.try_get("body")?);
                let entry = Entry {
                    position: count(row, "position")?,
                    recorded_at: time(row, "recorded_at")?,
                    event: Event::read(kind, body)?,
                };
                if entry.position != state.next_position() {
                    return Err(StoreError::Gap(state.next_position()));
                }
                let entered = enter(&mut state, &mut log, salts, &entry);
                if signed
                    .get(&log.size())
                    .is_some_and(|root| *root != log.head().root)
                {
                    return Err(StoreError::NotOurs(log.size()));
                }
                changes.note(&state, &entry, entered.applied);
                tiles.extend(entered.tiles);
            }
            project(&mut tx, &state, &changes).await?;
            let growth = Growth {
                from,
                log: &log,
                tiles: &tiles,
            };
            log_rows::grow(&mut tx, &growth).await?;
            progress(state.position);
        }
        if let Some(beyond) = signed.into_keys().find(|size| *size > state.position) {
            return Err(StoreError::NotOurs(beyond));
        }
        tx.commit().await?;
        Ok(state)
    }
}
