//! What is known of some objects, for folding.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _};

use super::OpenWatch;
use crate::sources::kubernetes::fold::{Knowledge, Known};
use crate::sources::kubernetes::object::About;
use crate::sources::kubernetes::settle::{State, Values};
use crate::store::{Store, StoreError};

const COLUMNS: &str = "SELECT o.uid, o.epoch, o.name, o.namespace, o.api_version, o.created, \
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
        collect(watch, &rows)
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
        collect(watch, &rows)
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

fn collect(watch: &OpenWatch, rows: &[SqliteRow]) -> Result<Knowledge, StoreError> {
    let places: BTreeMap<i64, usize> = watch.subscriptions.iter().copied().zip(0..).collect();
    let mut knowledge = Knowledge::new();
    for row in rows {
        let uid: String = row.try_get("uid")?;
        if !knowledge.contains_key(&uid) {
            let known = Known {
                about: About {
                    uid: uid.clone(),
                    name: row.try_get("name")?,
                    namespace: row.try_get("namespace")?,
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
            known.states[*place] = Some(state(row)?);
        }
    }
    Ok(knowledge)
}

fn state(row: &SqliteRow) -> Result<State, StoreError> {
    let candidate: Option<String> = row.try_get("candidate")?;
    let candidate_since: Option<i64> = row.try_get("candidate_since")?;
    Ok(State {
        settled: Values {
            fields: row.try_get("fields")?,
            since: row.try_get("since")?,
        },
        candidate: candidate
            .zip(candidate_since)
            .map(|(fields, since)| Values { fields, since }),
    })
}
