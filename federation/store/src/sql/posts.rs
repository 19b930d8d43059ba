//! What local actors sent, and its spreading over inboxes.

use async_trait::async_trait;
use farmops_federation::{
    Audience, Post,
    account::authority,
    store::{PostStore, StoreError},
};
use sqlx::Row;
use url::Url;

use super::{
    columns::{Out, count, parsed, position, time},
    dialect::{Conn, DbRow, SqlStore},
};

/// Appends a post inside a transaction of the caller's; false if its id was there before. After
/// the commit, call [`farmops_federation::Federation::wake`].
pub async fn append_post(conn: &mut Conn, post: &Post) -> sqlx::Result<bool> {
    sqlx::query(
        "INSERT INTO fed_posts (id, actor, object, audience, listed, body, published) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
    )
    .bind(post.id.as_str())
    .bind(post.actor.as_str())
    .bind(post.object.as_str())
    .bind(post.audience.to_string())
    .bind(post.listed)
    .bind(&post.body)
    .bind(post.published.second())
    .execute(conn)
    .await
    .map(|done| done.rows_affected() > 0)
}

#[async_trait]
impl PostStore for SqlStore {
    async fn append_post(&self, post: &Post) -> Result<bool, StoreError> {
        let mut conn = self.pool.acquire().await.out()?;
        append_post(&mut conn, post).await.out()
    }

    async fn post(&self, id: &Url) -> Result<Option<Post>, StoreError> {
        sqlx::query("SELECT * FROM fed_posts WHERE id = $1")
            .bind(id.as_str())
            .try_map(|row| read(&row))
            .fetch_optional(&self.pool)
            .await
            .out()
    }

    async fn spread_posts(&self, limit: u32) -> Result<u32, StoreError> {
        for done in 0..limit {
            if !self.spread_one().await.out()? {
                return Ok(done);
            }
        }
        Ok(limit)
    }

    async fn outbox(
        &self,
        actor: &Url,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<(u64, Post)>, StoreError> {
        sqlx::query(
            "SELECT * FROM fed_posts WHERE actor = $1 AND listed = TRUE \
             AND ($2 IS NULL OR position < $2) ORDER BY position DESC LIMIT $3",
        )
        .bind(actor.as_str())
        .bind(before.map(position))
        .bind(i64::from(limit))
        .try_map(|row| Ok((count(&row, "position")?, read(&row)?)))
        .fetch_all(&self.pool)
        .await
        .out()
    }

    async fn count_outbox(&self, actor: &Url) -> Result<u64, StoreError> {
        sqlx::query("SELECT COUNT(*) AS n FROM fed_posts WHERE actor = $1 AND listed = TRUE")
            .bind(actor.as_str())
            .try_map(|row| count(&row, "n"))
            .fetch_one(&self.pool)
            .await
            .out()
    }
}

impl SqlStore {
    /// Spreads the oldest post not yet spread; false if there is none.
    async fn spread_one(&self) -> sqlx::Result<bool> {
        let mut tx = self.begin().await?;
        let next =
            sqlx::query("SELECT * FROM fed_posts WHERE spread = FALSE ORDER BY position LIMIT 1")
                .try_map(|row: DbRow| Ok((row.try_get::<i64, _>("position")?, read(&row)?)))
                .fetch_optional(&mut *tx)
                .await?;
        let Some((at, post)) = next else {
            return Ok(false);
        };
        for (inbox, host) in inboxes(&mut tx, &post).await? {
            sqlx::query(
                "INSERT INTO fed_deliveries (activity, object, inbox, host, appended_at, due_at) \
                 SELECT $1, $2, $3, $4, $5, $5 \
                 WHERE NOT EXISTS (SELECT 1 FROM fed_blocks WHERE host = $4) \
                 ON CONFLICT (activity, inbox) DO NOTHING",
            )
            .bind(post.id.as_str())
            .bind(post.object.as_str())
            .bind(inbox)
            .bind(host)
            .bind(post.published.second())
            .execute(&mut *tx)
            .await?;
        }
        sqlx::query("UPDATE fed_posts SET spread = TRUE WHERE position = $1")
            .bind(at)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// The inboxes of a post's audience, each with its host.
async fn inboxes(conn: &mut Conn, post: &Post) -> sqlx::Result<Vec<(String, String)>> {
    let statement = match &post.audience {
        Audience::Inboxes(inboxes) => {
            let host = |inbox: &Url| authority(inbox).unwrap_or_default();
            return Ok(inboxes
                .iter()
                .map(|inbox| (inbox.to_string(), host(inbox)))
                .collect());
        }
        Audience::Villages => {
            "SELECT DISTINCT inbox, host FROM fed_relations WHERE local = $1 \
             AND direction = 'follower' AND state = 'accepted' AND remote_kind = 'Group' \
             ORDER BY inbox"
        }
        Audience::People => {
            "SELECT DISTINCT inbox, host FROM fed_relations WHERE local = $1 \
             AND direction = 'follower' AND state = 'accepted' AND remote_kind <> 'Group' \
             ORDER BY inbox"
        }
        Audience::Followers => {
            "SELECT DISTINCT inbox, host FROM fed_relations WHERE local = $1 \
             AND direction = 'follower' AND state = 'accepted' ORDER BY inbox"
        }
        Audience::Everyone => {
            "SELECT DISTINCT inbox, host FROM fed_relations WHERE local = $1 \
             AND state <> 'rejected' AND (direction = 'following' OR state = 'accepted') \
             ORDER BY inbox"
        }
    };
    sqlx::query_as(statement)
        .bind(post.actor.as_str())
        .fetch_all(conn)
        .await
}

fn read(row: &DbRow) -> sqlx::Result<Post> {
    Ok(Post {
        id: parsed(row, "id")?,
        actor: parsed(row, "actor")?,
        object: parsed(row, "object")?,
        audience: parsed(row, "audience")?,
        listed: row.try_get("listed")?,
        body: row.try_get("body")?,
        published: time(row, "published")?,
    })
}
