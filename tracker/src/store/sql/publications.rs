//! What was said to the world, and to whom: snapshots, notices, villages.

use farmops_ledger::archive::Membership;
use sqlx::Row;

use super::{
    dialect::{Conn, append_post},
    rows::{count, number, tag, tagged, time},
};
use crate::store::{Batch, Notice, Publication, StoreError, Village};

/// Writes a batch's publications and deliveries, inside its transaction.
pub(super) async fn write(conn: &mut Conn, batch: &Batch<'_>) -> Result<(), StoreError> {
    if let Some(publication) = batch.publication {
        sqlx::query(
            "INSERT INTO publication (sequence, object_id, ledger_position, published_at, document) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(number(publication.sequence))
        .bind(publication.object_id.as_str())
        .bind(number(publication.ledger_position))
        .bind(publication.published_at.second())
        .bind(publication.document.as_slice())
        .execute(&mut *conn)
        .await?;
    }
    for notice in batch.notices {
        sqlx::query(
            "INSERT INTO notice (notice_key, object_id, revision, published_at, updated_at, document) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (notice_key) DO UPDATE SET \
             revision = excluded.revision, updated_at = excluded.updated_at, \
             document = excluded.document",
        )
        .bind(notice.key.as_str())
        .bind(notice.object_id.as_str())
        .bind(number(notice.revision))
        .bind(notice.published_at.second())
        .bind(notice.updated_at.second())
        .bind(notice.document.as_slice())
        .execute(&mut *conn)
        .await?;
    }
    for post in batch.posts {
        append_post(conn, post).await?;
    }
    for village in batch.villages {
        upsert_village(conn, village).await?;
    }
    for actor in batch.villages_ended {
        // One that the owner is leaving is left, and not brought back.
        sqlx::query("UPDATE village SET status = $1, home = $2 WHERE actor = $3 AND status = $4")
            .bind(tag(&Membership::Ended))
            .bind(false)
            .bind(actor.as_str())
            .bind(tag(&Membership::Active))
            .execute(&mut *conn)
            .await?;
    }
    for url in batch.villages_left {
        sqlx::query("DELETE FROM village WHERE url = $1")
            .bind(url.as_str())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

async fn upsert_village(conn: &mut Conn, village: &Village) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO village (url, actor, account, status, home, joined_at, place) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (url) DO UPDATE SET actor = excluded.actor, \
         account = excluded.account, status = excluded.status, home = excluded.home, \
         place = COALESCE(excluded.place, village.place)",
    )
    .bind(village.url.as_str())
    .bind(village.actor.as_str())
    .bind(village.account.as_str())
    .bind(tag(&village.status))
    .bind(village.home)
    .bind(village.joined_at.second())
    .bind(village.place.as_deref())
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn last(conn: &mut Conn) -> Result<Option<Publication>, StoreError> {
    sqlx::query("SELECT * FROM publication ORDER BY sequence DESC LIMIT 1")
        .fetch_optional(conn)
        .await?
        .map(|row| {
            Ok(Publication {
                sequence: count(&row, "sequence")?,
                object_id: row.try_get("object_id")?,
                ledger_position: count(&row, "ledger_position")?,
                published_at: time(&row, "published_at")?,
                document: row.try_get("document")?,
            })
        })
        .transpose()
}

pub(super) async fn notice(conn: &mut Conn, key: &str) -> Result<Option<Notice>, StoreError> {
    sqlx::query("SELECT * FROM notice WHERE notice_key = $1")
        .bind(key)
        .fetch_optional(conn)
        .await?
        .map(|row| {
            Ok(Notice {
                key: row.try_get("notice_key")?,
                object_id: row.try_get("object_id")?,
                revision: count(&row, "revision")?,
                published_at: time(&row, "published_at")?,
                updated_at: time(&row, "updated_at")?,
                document: row.try_get("document")?,
            })
        })
        .transpose()
}

pub(super) async fn villages(conn: &mut Conn) -> Result<Vec<Village>, StoreError> {
    let rows = sqlx::query("SELECT * FROM village ORDER BY home DESC, joined_at, url")
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Village {
                url: row.try_get("url")?,
                actor: row.try_get("actor")?,
                account: row.try_get("account")?,
                status: tagged(row, "status")?,
                home: row.try_get("home")?,
                joined_at: time(row, "joined_at")?,
                place: row.try_get("place")?,
            })
        })
        .collect()
}
