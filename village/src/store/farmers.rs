//! The roster.

use farmops_federation::{Account, Post, PublicKey, Reach, Timestamp};
use farmops_federation_store::append_post;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use url::Url;

use super::{
    Store, StoreError, decode, invites, parsed, parsed_if_any, projection, time, time_if_any,
};
use crate::{
    farmer::{Farmer, FarmerId, Following, Membership},
    policy::Standing,
};

/// What became of a farmer that was to be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// She is in the roster.
    Yes,
    /// Her actor or her handle is in another row; nothing was changed.
    Taken,
    /// The invite has no use left; nothing was changed.
    InviteSpent,
}

impl Store {
    /// The farmer with this id.
    pub async fn farmer(&self, id: FarmerId) -> Result<Option<Farmer>, StoreError> {
        let row = sqlx::query("SELECT * FROM farmer WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(read(&row)?)).transpose()
    }

    /// The farmer with this actor.
    pub async fn farmer_by_actor(&self, actor: &Url) -> Result<Option<Farmer>, StoreError> {
        let row = sqlx::query("SELECT * FROM farmer WHERE actor = $1")
            .bind(actor.as_str())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(read(&row)?)).transpose()
    }

    /// The farmer with this handle.
    pub async fn farmer_by_account(&self, account: &Account) -> Result<Option<Farmer>, StoreError> {
        let row = sqlx::query("SELECT * FROM farmer WHERE account_name = $1 AND account_host = $2")
            .bind(account.name())
            .bind(account.host())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(read(&row)?)).transpose()
    }

    /// What is known of the farmer with this actor.
    pub async fn standing(&self, farmer: FarmerId) -> Result<Option<Standing>, StoreError> {
        let mut conn = self.pool.acquire().await?;
        projection::standing(&mut conn, farmer).await
    }

    /// Farmers with this membership, ordered by handle, at most `limit` after `after`.
    pub async fn members(
        &self,
        membership: Membership,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Farmer>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM farmer WHERE membership = $1 AND account_name > $2
             ORDER BY account_name LIMIT $3",
        )
        .bind(membership.as_str())
        .bind(after.unwrap_or(""))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(read(row)?)).collect()
    }

    /// Farmers whom the village follows or asked to follow, ordered by handle, at most `limit`
    /// after `after`.
    pub async fn followed(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Farmer>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM farmer
             WHERE following IS NOT NULL AND account_name || '@' || account_host > $1
             ORDER BY account_name || '@' || account_host LIMIT $2",
        )
        .bind(after.unwrap_or(""))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(read(row)?)).collect()
    }

    /// Every actor whom the village wants to hear from: members and followed farmers.
    pub async fn wanted_actors(&self) -> Result<Vec<Url>, StoreError> {
        let rows = sqlx::query(
            "SELECT actor FROM farmer WHERE membership = 'active' OR following IS NOT NULL
             ORDER BY actor",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(parsed(row, "actor")?)).collect()
    }

    /// How many farmers are known, in whatever way.
    pub async fn count_farmers(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM farmer")
            .fetch_one(&self.pool)
            .await?;
        Ok(super::count(&row, "n")?)
    }

    /// Writes a farmer, replacing the row with her id, and brings the boards up to date. Takes a
    /// use of `invite` in the same transaction.
    pub async fn save_farmer(
        &self,
        farmer: &Farmer,
        invite: Option<&str>,
        now: Timestamp,
    ) -> Result<Saved, StoreError> {
        let mut tx = self.begin().await?;
        if let Some(code) = invite
            && !invites::use_invite(&mut tx, code, now).await?
        {
            return Ok(Saved::InviteSpent);
        }
        match write(&mut tx, farmer).await {
            Err(sqlx::Error::Database(e)) if e.is_unique_violation() => return Ok(Saved::Taken),
            written => written?,
        }
        projection::project(&mut tx, farmer.id).await?;
        tx.commit().await?;
        Ok(Saved::Yes)
    }

    /// Sets how far the village's follow of a farmer has come.
    pub async fn set_following(
        &self,
        farmer: FarmerId,
        following: Option<Following>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE farmer SET following = $2 WHERE id = $1")
            .bind(farmer.to_string())
            .bind(following.map(Following::as_str))
            .execute(&mut *tx)
            .await?;
        projection::project(&mut tx, farmer).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ends a membership: the farmer leaves the boards at once, and her snapshots go unless the
    /// village has another reason to keep them. `farewell` tells the peers, in the same
    /// transaction.
    pub async fn end_membership(
        &self,
        farmer: FarmerId,
        membership: Membership,
        asked_at: Option<Timestamp>,
        farewell: &Post,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "UPDATE farmer SET membership = $2, asked_at = COALESCE($3, asked_at) WHERE id = $1",
        )
        .bind(farmer.to_string())
        .bind(membership.as_str())
        .bind(asked_at.map(Timestamp::second))
        .execute(&mut *tx)
        .await?;
        append_post(&mut tx, farewell).await?;
        projection::project(&mut tx, farmer).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Farmers whom the village with this actor announces.
    pub async fn announced_by(&self, village: &Url) -> Result<Vec<(FarmerId, Url)>, StoreError> {
        let rows = sqlx::query(
            "SELECT f.id, f.actor FROM farmer f
             JOIN farmer_origin o ON o.farmer_id = f.id
             JOIN federated_village v ON v.id = o.village_id WHERE v.actor = $1",
        )
        .bind(village.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| Ok((parsed(row, "id")?, parsed(row, "actor")?)))
            .collect()
    }

    /// The village with this actor announces the farmer no more.
    pub async fn end_origin(&self, farmer: FarmerId, village: &Url) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "DELETE FROM farmer_origin WHERE farmer_id = $1
             AND village_id = (SELECT id FROM federated_village WHERE actor = $2)",
        )
        .bind(farmer.to_string())
        .bind(village.as_str())
        .execute(&mut *tx)
        .await?;
        projection::project(&mut tx, farmer).await?;
        tx.commit().await?;
        Ok(())
    }

    /// An actor is gone: everything of hers goes, in whatever way she was known.
    pub async fn forget_actor(&self, actor: &Url) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let row = sqlx::query(
            "UPDATE farmer SET following = NULL,
                    membership = CASE membership WHEN 'removed' THEN 'removed' ELSE
                                 CASE WHEN membership IS NULL THEN NULL ELSE 'left' END END
             WHERE actor = $1 RETURNING id",
        )
        .bind(actor.as_str())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(false) };
        let farmer: FarmerId = parsed(&row, "id")?;
        for statement in [
            "DELETE FROM farmer_origin WHERE farmer_id = $1",
            "DELETE FROM farmer_snapshot WHERE farmer_id = $1",
        ] {
            sqlx::query(statement)
                .bind(farmer.to_string())
                .execute(&mut *tx)
                .await?;
        }
        projection::project(&mut tx, farmer).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The name and page of an actor changed.
    pub async fn rename_actor(
        &self,
        actor: &Url,
        display_name: &str,
        page: Option<&Url>,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE farmer SET display_name = $2, page = $3 WHERE actor = $1")
            .bind(actor.as_str())
            .bind(display_name)
            .bind(page.map(Url::as_str))
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

pub(super) async fn write(conn: &mut SqliteConnection, farmer: &Farmer) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO farmer (id, actor, actor_host, account_name, account_host, display_name,
                             tracker_url, farmer_key, page, membership, following,
                             registered_at, asked_at, last_sync_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (id) DO UPDATE SET
             actor = $2, actor_host = $3, account_name = $4, account_host = $5,
             display_name = $6, tracker_url = $7, farmer_key = $8, page = $9, membership = $10,
             following = $11, registered_at = $12, asked_at = $13, last_sync_at = $14",
    )
    .bind(farmer.id.to_string())
    .bind(farmer.actor.as_str())
    .bind(farmops_federation::account::authority(&farmer.actor).unwrap_or_default())
    .bind(farmer.account.name())
    .bind(farmer.account.host())
    .bind(&farmer.display_name)
    .bind(&farmer.tracker_url)
    .bind(farmer.farmer_key.to_string())
    .bind(farmer.page.as_ref().map(Url::as_str))
    .bind(farmer.membership.map(Membership::as_str))
    .bind(farmer.following.map(Following::as_str))
    .bind(farmer.registered_at.second())
    .bind(farmer.asked_at.map(Timestamp::second))
    .bind(farmer.last_sync_at.map(Timestamp::second))
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) fn read(row: &SqliteRow) -> sqlx::Result<Farmer> {
    Ok(Farmer {
        id: parsed(row, "id")?,
        actor: parsed(row, "actor")?,
        account: account(row)?,
        display_name: row.try_get("display_name")?,
        tracker_url: row.try_get("tracker_url")?,
        farmer_key: parsed::<PublicKey>(row, "farmer_key")?,
        page: parsed_if_any(row, "page")?,
        membership: parsed_if_any(row, "membership")?,
        following: parsed_if_any(row, "following")?,
        registered_at: time(row, "registered_at")?,
        asked_at: time_if_any(row, "asked_at")?,
        last_sync_at: time_if_any(row, "last_sync_at")?,
    })
}

/// What was stored had passed the stricter grammar; a database may move between both.
pub(super) fn account(row: &SqliteRow) -> sqlx::Result<Account> {
    let name: String = row.try_get("account_name")?;
    let host: String = row.try_get("account_host")?;
    Account::parse(&format!("{name}@{host}"), Reach::Loopback)
        .map_err(|e| decode("account_name", e))
}
