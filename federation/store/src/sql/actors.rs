//! Remote actors met.

use async_trait::async_trait;
use farmops_federation::{
    Account, FarmKey, Reach, RemoteActor, Timestamp,
    store::{ActorStore, StoreError},
};
use sqlx::Row;
use url::Url;

use super::{
    columns::{Out, decode, parsed, parsed_if_any, time},
    dialect::{DbRow, SqlStore},
};

#[async_trait]
impl ActorStore for SqlStore {
    async fn remote_actor(&self, id: &Url) -> Result<Option<RemoteActor>, StoreError> {
        sqlx::query("SELECT * FROM fed_actors WHERE id = $1")
            .bind(id.as_str())
            .try_map(|row| read(&row))
            .fetch_optional(&self.pool)
            .await
            .out()
    }

    async fn remote_actor_by_key(&self, key_id: &str) -> Result<Option<RemoteActor>, StoreError> {
        sqlx::query("SELECT * FROM fed_actors WHERE key_id = $1 ORDER BY id LIMIT 1")
            .bind(key_id)
            .try_map(|row| read(&row))
            .fetch_optional(&self.pool)
            .await
            .out()
    }

    async fn save_remote_actor(&self, actor: &RemoteActor) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO fed_actors (id, kind, username, account, name, page, icon, inbox, \
             shared_inbox, outbox, key_id, public_key_pem, farm_key_id, farm_key, \
             offered_key_id, offered_key, fetched_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) \
             ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, username = excluded.username, \
             account = excluded.account, name = excluded.name, page = excluded.page, \
             icon = excluded.icon, inbox = excluded.inbox, shared_inbox = excluded.shared_inbox, \
             outbox = excluded.outbox, key_id = excluded.key_id, \
             public_key_pem = excluded.public_key_pem, farm_key_id = excluded.farm_key_id, \
             farm_key = excluded.farm_key, offered_key_id = excluded.offered_key_id, \
             offered_key = excluded.offered_key, fetched_at = excluded.fetched_at",
        )
        .bind(actor.id.as_str())
        .bind(actor.kind.as_str())
        .bind(&actor.username)
        .bind(actor.account.as_ref().map(ToString::to_string))
        .bind(&actor.name)
        .bind(actor.page.as_ref().map(Url::as_str))
        .bind(actor.icon.as_ref().map(Url::as_str))
        .bind(actor.inbox.as_str())
        .bind(actor.shared_inbox.as_ref().map(Url::as_str))
        .bind(actor.outbox.as_ref().map(Url::as_str))
        .bind(&actor.key_id)
        .bind(&actor.public_key_pem)
        .bind(actor.farm_key.as_ref().map(|key| &key.id))
        .bind(actor.farm_key.as_ref().map(|key| key.key.to_string()))
        .bind(actor.farm_key_offered.as_ref().map(|key| &key.id))
        .bind(
            actor
                .farm_key_offered
                .as_ref()
                .map(|key| key.key.to_string()),
        )
        .bind(actor.fetched_at.second())
        .execute(&self.pool)
        .await
        .out()
        .map(drop)
    }

    async fn forget_strangers(&self, before: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM fed_actors WHERE fetched_at < $1 AND farm_key IS NULL \
             AND id NOT IN (SELECT remote FROM fed_relations)",
        )
        .bind(before.second())
        .execute(&self.pool)
        .await
        .out()
        .map(drop)
    }

    async fn forget_remote_actor(&self, id: &Url) -> Result<(), StoreError> {
        let forgotten = async {
            let mut tx = self.begin().await?;
            for statement in [
                "DELETE FROM fed_relations WHERE remote = $1",
                "DELETE FROM fed_actors WHERE id = $1",
            ] {
                sqlx::query(statement)
                    .bind(id.as_str())
                    .execute(&mut *tx)
                    .await?;
            }
            tx.commit().await
        };
        forgotten.await.out()
    }
}

fn read(row: &DbRow) -> sqlx::Result<RemoteActor> {
    let account: Option<String> = row.try_get("account")?;
    // Written by us after it was parsed under the rule of the day: read back generously.
    let account = account
        .map(|text| Account::parse(&text, Reach::Loopback).map_err(|e| decode("account", e)))
        .transpose()?;
    Ok(RemoteActor {
        id: parsed(row, "id")?,
        kind: parsed(row, "kind")?,
        username: row.try_get("username")?,
        account,
        name: row.try_get("name")?,
        page: parsed_if_any(row, "page")?,
        icon: parsed_if_any(row, "icon")?,
        inbox: parsed(row, "inbox")?,
        shared_inbox: parsed_if_any(row, "shared_inbox")?,
        outbox: parsed_if_any(row, "outbox")?,
        key_id: row.try_get("key_id")?,
        public_key_pem: row.try_get("public_key_pem")?,
        farm_key: farm_key(row, "farm_key_id", "farm_key")?,
        farm_key_offered: farm_key(row, "offered_key_id", "offered_key")?,
        fetched_at: time(row, "fetched_at")?,
    })
}

fn farm_key(row: &DbRow, id: &str, key: &str) -> sqlx::Result<Option<FarmKey>> {
    let id: Option<String> = row.try_get(id)?;
    Ok(id
        .zip(parsed_if_any(row, key)?)
        .map(|(id, key)| FarmKey { id, key }))
}
