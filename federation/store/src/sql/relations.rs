//! Who follows whom.

use async_trait::async_trait;
use farmops_federation::{
    Direction, Post, Relation, RelationState,
    account::authority,
    store::{RelationFilter, RelationStore, StoreError},
};
use url::Url;

use super::{
    append_post,
    columns::{Out, count, parsed, time},
    dialect::{Conn, DbRow, SqlStore},
};

/// Writes a relation inside a transaction of the caller's.
pub async fn save_relation(conn: &mut Conn, relation: &Relation) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO fed_relations (local, remote, direction, state, follow_id, remote_kind, \
         inbox, host, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (local, direction, remote) DO UPDATE SET state = excluded.state, \
         follow_id = excluded.follow_id, remote_kind = excluded.remote_kind, \
         inbox = excluded.inbox, host = excluded.host, changed_at = excluded.changed_at",
    )
    .bind(relation.local.as_str())
    .bind(relation.remote.as_str())
    .bind(relation.direction.as_str())
    .bind(relation.state.as_str())
    .bind(relation.follow_id.as_str())
    .bind(relation.remote_kind.as_str())
    .bind(relation.inbox.as_str())
    .bind(authority(&relation.remote).unwrap_or_default())
    .bind(relation.changed_at.second())
    .execute(conn)
    .await
    .map(drop)
}

#[async_trait]
impl RelationStore for SqlStore {
    async fn relation(
        &self,
        local: &Url,
        remote: &Url,
        direction: Direction,
    ) -> Result<Option<Relation>, StoreError> {
        sqlx::query(
            "SELECT * FROM fed_relations WHERE local = $1 AND direction = $2 AND remote = $3",
        )
        .bind(local.as_str())
        .bind(direction.as_str())
        .bind(remote.as_str())
        .try_map(|row| read(&row))
        .fetch_optional(&self.pool)
        .await
        .out()
    }

    async fn relation_by_follow(&self, follow_id: &Url) -> Result<Option<Relation>, StoreError> {
        sqlx::query("SELECT * FROM fed_relations WHERE follow_id = $1 ORDER BY direction LIMIT 1")
            .bind(follow_id.as_str())
            .try_map(|row| read(&row))
            .fetch_optional(&self.pool)
            .await
            .out()
    }

    async fn following_state(&self, remote: &Url) -> Result<Option<RelationState>, StoreError> {
        let state: Option<String> = sqlx::query_scalar(
            "SELECT state FROM fed_relations WHERE remote = $1 AND direction = 'following' \
             ORDER BY CASE state WHEN 'accepted' THEN 0 WHEN 'pending' THEN 1 ELSE 2 END LIMIT 1",
        )
        .bind(remote.as_str())
        .fetch_optional(&self.pool)
        .await
        .out()?;
        state
            .map(|state| state.parse().map_err(StoreError::new))
            .transpose()
    }

    async fn save_relation(&self, relation: &Relation) -> Result<(), StoreError> {
        let mut conn = self.pool.acquire().await.out()?;
        save_relation(&mut conn, relation).await.out()
    }

    async fn save_relation_and_post(
        &self,
        relation: &Relation,
        post: &Post,
    ) -> Result<(), StoreError> {
        let saved = async {
            let mut tx = self.begin().await?;
            save_relation(&mut tx, relation).await?;
            append_post(&mut tx, post).await?;
            tx.commit().await
        };
        saved.await.out()
    }

    async fn end_relation(
        &self,
        local: &Url,
        remote: &Url,
        direction: Direction,
    ) -> Result<bool, StoreError> {
        sqlx::query("DELETE FROM fed_relations WHERE local = $1 AND direction = $2 AND remote = $3")
            .bind(local.as_str())
            .bind(direction.as_str())
            .bind(remote.as_str())
            .execute(&self.pool)
            .await
            .out()
            .map(|done| done.rows_affected() > 0)
    }

    async fn relations(
        &self,
        filter: &RelationFilter,
        after: Option<&Url>,
        limit: u32,
    ) -> Result<Vec<Relation>, StoreError> {
        sqlx::query(
            "SELECT * FROM fed_relations WHERE local = $1 AND direction = $2 \
             AND ($3 IS NULL OR state = $3) AND ($4 IS NULL OR remote > $4) \
             ORDER BY remote LIMIT $5",
        )
        .bind(filter.local.as_str())
        .bind(filter.direction.as_str())
        .bind(filter.state.map(RelationState::as_str))
        .bind(after.map(Url::as_str))
        .bind(i64::from(limit))
        .try_map(|row| read(&row))
        .fetch_all(&self.pool)
        .await
        .out()
    }

    async fn count_relations(&self, filter: &RelationFilter) -> Result<u64, StoreError> {
        sqlx::query(
            "SELECT COUNT(*) AS n FROM fed_relations WHERE local = $1 AND direction = $2 \
             AND ($3 IS NULL OR state = $3)",
        )
        .bind(filter.local.as_str())
        .bind(filter.direction.as_str())
        .bind(filter.state.map(RelationState::as_str))
        .try_map(|row| count(&row, "n"))
        .fetch_one(&self.pool)
        .await
        .out()
    }

    async fn relations_with_host(&self, host: &str) -> Result<Vec<Relation>, StoreError> {
        sqlx::query("SELECT * FROM fed_relations WHERE host = $1 ORDER BY local, remote")
            .bind(host)
            .try_map(|row| read(&row))
            .fetch_all(&self.pool)
            .await
            .out()
    }

    async fn drop_followers_at(&self, inbox: &Url) -> Result<Vec<Relation>, StoreError> {
        sqlx::query(
            "DELETE FROM fed_relations WHERE inbox = $1 AND direction = 'follower' RETURNING *",
        )
        .bind(inbox.as_str())
        .try_map(|row| read(&row))
        .fetch_all(&self.pool)
        .await
        .out()
    }
}

fn read(row: &DbRow) -> sqlx::Result<Relation> {
    Ok(Relation {
        local: parsed(row, "local")?,
        remote: parsed(row, "remote")?,
        direction: parsed(row, "direction")?,
        state: parsed(row, "state")?,
        follow_id: parsed(row, "follow_id")?,
        remote_kind: parsed(row, "remote_kind")?,
        inbox: parsed(row, "inbox")?,
        changed_at: time(row, "changed_at")?,
    })
}
