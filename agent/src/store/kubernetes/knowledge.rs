//! What is known of some objects, for folding.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _};

use super::OpenWatch;
use crate::sources::kubernetes::fold::{Knowledge, Known};
use crate::sources::kubernetes::object::About;
use crate::sources::kubernetes::settle::{State, Values};
use crate::store::vault::Vault;
use crate::store::{Store, StoreError};

const OBJECTS: &str = "kubernetes_objects";
const STATES: &str = "kubernetes_states";
const COLUMNS: &str = "SELECT o.uid, o.epoch, o.sealed, o.api_version, o.created, \
    s.subscription, s.fields, s.since, s.candidate, s.candidate_since FROM kubernetes_objects o";

impl Store {
    /// What is known of the objects `uids`.
    pub async fn knowledge_of(
        &self,
        watch: &OpenWatch,
        uids: &[&str],
    ) -> Result<Knowledge, StoreError> {
        if uids.is_empty() {
            return Ok(Knowledge::new());
        }
        let mut select = QueryBuilder::new(COLUMNS);
        select
            .push(" LEFT JOIN kubernetes_states s ON s.watch = o.watch AND s.uid = o.uid WHERE o.watch = ")
            .push_bind(watch.id)
            .push(" AND o.uid IN (");
        let mut list = select.separated(", ");
        for uid in uids {
            list.push_bind(*uid);
        }
        let rows = select.push(")").build().fetch_all(&self.pool).await?;
        collect(&self.vault, watch, &rows)
    }

    /// The objects of which a candidate is due at `now`, up to `states_max` candidates; with those states alone.
    pub async fn knowledge_due(
        &self,
        watch: &OpenWatch,
        now: i64,
        states_max: u32,
    ) -> Result<Knowledge, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} JOIN kubernetes_states s ON s.watch = o.watch AND s.uid = o.uid \
             WHERE s.watch = $1 AND s.due_at <= $2 ORDER BY s.due_at LIMIT $3",
        )))
        .bind(watch.id)
        .bind(now)
        .bind(states_max)
        .fetch_all(&self.pool)
        .await?;
        let known = collect(&self.vault, watch, &rows)?;
        self.forget_due(watch, &rows, &known).await?;
        Ok(known)
    }

    /// What is due and does not open never counts; it must not be due for ever either.
    async fn forget_due(
        &self,
        watch: &OpenWatch,
        rows: &[SqliteRow],
        known: &Knowledge,
    ) -> Result<(), StoreError> {
        let mut lost: u64 = 0;
        for row in rows {
            let uid: String = row.try_get("uid")?;
            let subscription: i64 = row.try_get("subscription")?;
            let states = known.get(&uid).map(|known| known.states.iter());
            let mut states = watch.subscriptions.iter().zip(states.into_iter().flatten());
            let opened = states.any(|(of, state)| {
                *of == subscription
                    && state
                        .as_ref()
                        .is_some_and(|state| state.candidate.is_some())
            });
            if opened {
                continue;
            }
            sqlx::query(
                "UPDATE kubernetes_states SET due_at = NULL WHERE watch = $1 AND uid = $2 AND subscription = $3",
            )
            .bind(watch.id)
            .bind(uid)
            .bind(subscription)
            .execute(&self.pool)
            .await?;
            lost += 1;
        }
        if lost > 0 {
            tracing::warn!(
                lost,
                "changes in a cluster cannot be read from agent.db and do not count"
            );
        }
        Ok(())
    }

    /// When the next candidate of the watch's present subscriptions is due.
    pub async fn next_due(&self, watch: &OpenWatch) -> Result<Option<i64>, StoreError> {
        let due = sqlx::query_scalar("SELECT min(due_at) FROM kubernetes_states WHERE watch = $1")
            .bind(watch.id)
            .fetch_one(&self.pool)
            .await?;
        Ok(due)
    }

    /// How many objects the watch knows.
    pub async fn count_objects(&self, watch: &OpenWatch) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar("SELECT count(*) FROM kubernetes_objects WHERE watch = $1");
        Ok(count.bind(watch.id).fetch_one(&self.pool).await?)
    }
}

/// What was sealed under another key is not known: it counts as seen for the first time.
fn collect(vault: &Vault, watch: &OpenWatch, rows: &[SqliteRow]) -> Result<Knowledge, StoreError> {
    let places: BTreeMap<i64, usize> = watch.subscriptions.iter().copied().zip(0..).collect();
    let mut knowledge = Knowledge::new();
    for row in rows {
        let uid: String = row.try_get("uid")?;
        if !knowledge.contains_key(&uid) {
            let sealed: Vec<u8> = row.try_get("sealed")?;
            let Some((name, namespace)) = open_names(vault, watch.id, &uid, &sealed) else {
                continue;
            };
            let known = Known {
                about: About {
                    uid: uid.clone(),
                    name,
                    namespace,
                    api_version: row.try_get("api_version")?,
                    created: row.try_get("created")?,
                },
                epoch: row.try_get("epoch")?,
                states: vec![None; places.len()],
            };
            knowledge.insert(uid.clone(), known);
        }
        let subscription: Option<i64> = row.try_get("subscription")?;
        let place = subscription.and_then(|subscription| places.get(&subscription));
        if let (Some(place), Some(known)) = (place, knowledge.get_mut(&uid)) {
            let sealed_for = values_row(watch.id, &uid, watch.subscriptions[*place]);
            known.states[*place] = state(vault, &sealed_for, row)?;
        }
    }
    Ok(knowledge)
}

/// `None` when the settled values do not open; a candidate that does not is dropped.
fn state(vault: &Vault, sealed_for: &str, row: &SqliteRow) -> Result<Option<State>, StoreError> {
    let open = |sealed: &[u8]| {
        let clear = vault.open(STATES, sealed_for, sealed).ok()?;
        String::from_utf8(clear).ok()
    };
    let settled: Vec<u8> = row.try_get("fields")?;
    let candidate: Option<Vec<u8>> = row.try_get("candidate")?;
    let candidate_since: Option<i64> = row.try_get("candidate_since")?;
    let Some(fields) = open(&settled) else {
        return Ok(None);
    };
    Ok(Some(State {
        settled: Values {
            fields,
            since: row.try_get("since")?,
        },
        candidate: candidate
            .and_then(|sealed| open(&sealed))
            .zip(candidate_since)
            .map(|(fields, since)| Values { fields, since }),
    }))
}

fn values_row(watch: i64, uid: &str, subscription: i64) -> String {
    format!("{watch}\0{uid}\0{subscription}")
}

/// The kept fields of an object, sealed for their row.
pub(super) fn seal_values(
    vault: &Vault,
    watch: i64,
    uid: &str,
    subscription: i64,
    values: &Values,
) -> Vec<u8> {
    let sealed_for = values_row(watch, uid, subscription);
    vault.seal(STATES, &sealed_for, values.fields.as_bytes())
}

/// An object's name and namespace, sealed for its row.
pub(super) fn seal_names(vault: &Vault, watch: i64, about: &About) -> Vec<u8> {
    let clear = serde_json::json!([about.name, about.namespace]).to_string();
    let sealed_for = format!("{watch}\0{}", about.uid);
    vault.seal(OBJECTS, &sealed_for, clear.as_bytes())
}

fn open_names(
    vault: &Vault,
    watch: i64,
    uid: &str,
    sealed: &[u8],
) -> Option<(String, Option<String>)> {
    let clear = vault
        .open(OBJECTS, &format!("{watch}\0{uid}"), sealed)
        .ok()?;
    serde_json::from_slice(&clear).ok()
}
