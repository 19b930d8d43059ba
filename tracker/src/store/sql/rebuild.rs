//! Making the projections anew from the ledger.

use farmops_ledger::{Entry, Event};
use farmops_protocol::{
    digest::Digest,
    log::commitment::{LoggedEvent, SaltSource},
    time::Timestamp,
};
use sqlx::AssertSqlSafe;

use super::{commit::project, dialect::SqlJournal, log as log_rows, prune, rows::number};
use crate::{
    domain::{Changes, State},
    log::{Log, enter},
    store::{Bodies, Growth, LineBody, PROJECTIONS, Projection, StoreError},
};

/// Entries folded before their rows are written.
const PAGE: i64 = 1000;

impl SqlJournal {
    pub(super) async fn fold_again(
        &mut self,
        salts: &SaltSource,
        archive: &mut dyn Bodies,
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
                let line = prune::line(row)?;
                if line.position != state.next_position() {
                    return Err(StoreError::Gap(state.next_position()));
                }
                let body = match line.body {
                    LineBody::Here(body) => body,
                    LineBody::Archived(commitment) => {
                        let logged = (line.kind.as_str(), line.recorded_at, commitment);
                        opened(archive, salts, line.position, logged)?
                    }
                };
                let entry = Entry {
                    position: line.position,
                    recorded_at: line.recorded_at,
                    event: Event::read(&line.kind, &body)?,
                };
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

/// What an archived entry says, if the archive has it and the log has committed to it.
fn opened(
    archive: &mut dyn Bodies,
    salts: &SaltSource,
    position: u64,
    (kind, recorded_at, commitment): (&str, Timestamp, Digest),
) -> Result<Vec<u8>, StoreError> {
    let body = archive.body(position)?;
    let body = body.ok_or(StoreError::Archived(position))?;
    let event = LoggedEvent {
        kind,
        recorded_at,
        body: &body,
    };
    if salts.commit(position.saturating_sub(1), &event, None).event == commitment {
        Ok(body)
    } else {
        Err(StoreError::Unreadable {
            column: "commitment",
            reason: format!("the archive has another entry {position}"),
        })
    }
}
