//! What follows from the owner's own decisions: purchases, days of rest; and from long silences.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use farmops_ledger::{CompositeEarned, CompositePart};
use farmops_protocol::{
    digest::Digest,
    scoring::{RuleSet, composite::Candidate},
    streak::Silent,
};
use jiff::civil::Date;
use sqlx::Row;
use uuid::Uuid;

use super::{
    dialect::{Conn, DbRow},
    leagues,
    rows::{
        count, digest, flag, json, json_if_any, number, text, time, time_if_any, unreadable, word,
    },
};
use crate::{
    domain::{Changes, CompositeRow, Known, OutageRow, Purchase, Rules, State, Watch},
    store::StoreError,
};

/// Writes the rows of these tables that `changes` names.
pub(super) async fn project(
    conn: &mut Conn,
    state: &State,
    changes: &Changes,
) -> Result<(), StoreError> {
    for purchase in changes
        .purchases
        .iter()
        .filter_map(|at| state.purchases.get(*at))
    {
        insert_purchase(conn, purchase).await?;
    }
    for day in &changes.rest_days {
        mark(conn, *day, state.known.rest_days.contains(day)).await?;
    }
    for row in &changes.outages {
        insert_outage(conn, row).await?;
    }
    leagues::write(conn, state, changes).await?;
    for row in &changes.composites {
        insert_composite(conn, row).await?;
    }
    write_composing(conn, state, changes).await?;
    Ok(())
}

async fn insert_purchase(conn: &mut Conn, purchase: &Purchase) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO purchase (position, idempotency_key, item, level, price, purchased_at, \
         boosts_bp) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(number(purchase.position))
    .bind(purchase.idempotency_key.as_bytes().to_vec())
    .bind(purchase.item.as_str())
    .bind(number(purchase.level))
    .bind(number(purchase.price))
    .bind(purchase.purchased_at.second())
    .bind(purchase.boosts_bp.as_ref().map(text))
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "INSERT INTO farm_upgrade (upgrade_slug, level, purchased_at) VALUES ($1, $2, $3) \
         ON CONFLICT (upgrade_slug) DO UPDATE SET level = excluded.level, \
         purchased_at = excluded.purchased_at",
    )
    .bind(purchase.item.as_str())
    .bind(number(purchase.level))
    .bind(purchase.purchased_at.second())
    .execute(conn)
    .await?;
    Ok(())
}

async fn mark(conn: &mut Conn, day: Date, rest: bool) -> Result<(), StoreError> {
    let mark = if rest {
        sqlx::query("INSERT INTO rest_day (day) VALUES ($1) ON CONFLICT (day) DO NOTHING")
    } else {
        sqlx::query("DELETE FROM rest_day WHERE day = $1")
    };
    mark.bind(day.to_string()).execute(conn).await?;
    Ok(())
}

async fn insert_outage(conn: &mut Conn, row: &OutageRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO agent_outage (position, agent_id, began_at, ended_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(number(row.position))
    .bind(row.outage.agent_id)
    .bind(row.outage.from.second())
    .bind(row.outage.until.second())
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps a rule set under its digest.
pub(super) async fn write_rules(conn: &mut Conn, rules: &Rules) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO rule_set (digest, body) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
    )
    .bind(rules.digest.as_bytes().to_vec())
    .bind(text(&rules.set).into_bytes())
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_composite(conn: &mut Conn, row: &CompositeRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO composite (position, slug, day, coins, recorded_at, counts) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(number(row.position))
    .bind(row.composite.slug.as_str())
    .bind(row.composite.day.to_string())
    .bind(number(row.composite.coins))
    .bind(row.recorded_at.second())
    .bind(i64::from(row.counts))
    .execute(&mut *conn)
    .await?;
    for (step, part) in (0_i64..).zip(&row.composite.parts) {
        sqlx::query(
            "INSERT INTO composite_part (position, step, agent_id, proof_id) VALUES ($1, $2, $3, $4)",
        )
        .bind(number(row.position))
        .bind(step)
        .bind(part.agent_id)
        .bind(part.proof_id)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// What was bought, in order.
pub(super) async fn purchases(conn: &mut Conn) -> Result<Vec<Purchase>, StoreError> {
    let rows = sqlx::query("SELECT * FROM purchase ORDER BY position")
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Purchase {
                position: count(row, "position")?,
                purchased_at: time(row, "purchased_at")?,
                idempotency_key: digest(row, "idempotency_key")?,
                item: row.try_get("item")?,
                level: count(row, "level")?,
                price: count(row, "price")?,
                boosts_bp: json_if_any(row, "boosts_bp")?,
            })
        })
        .collect()
}

/// The days of rest.
pub(super) async fn rest_days(conn: &mut Conn) -> Result<BTreeSet<Date>, StoreError> {
    let rows = sqlx::query("SELECT day FROM rest_day")
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| word(row, "day")).collect()
}

/// What is known of the farmer's days beside the calendar.
pub(super) async fn known(conn: &mut Conn) -> Result<Known, StoreError> {
    let mut watches = BTreeMap::new();
    for row in sqlx::query(
        "SELECT agent_id, approved_at, revoked_at FROM agent_trust WHERE approved_at IS NOT NULL",
    )
    .fetch_all(&mut *conn)
    .await?
    {
        let watch = Watch {
            from: time(&row, "approved_at")?,
            until: time_if_any(&row, "revoked_at")?,
            silences: Vec::new(),
        };
        watches.insert(row.try_get::<Uuid, _>("agent_id")?, watch);
    }
    for row in sqlx::query("SELECT * FROM agent_outage ORDER BY position")
        .fetch_all(&mut *conn)
        .await?
    {
        if let Some(watch) = watches.get_mut(&row.try_get("agent_id")?) {
            watch.silences.push(Silent {
                from: time(&row, "began_at")?,
                until: time(&row, "ended_at")?,
            });
        }
    }
    Ok(Known {
        rest_days: rest_days(conn).await?,
        watches,
    })
}

/// Proofs that may become parts of composites.
pub(super) async fn composing(
    conn: &mut Conn,
) -> Result<BTreeMap<String, VecDeque<Candidate>>, StoreError> {
    let rows = sqlx::query("SELECT * FROM composing")
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            let candidates = json(row.try_get("candidates")?, "candidates")?;
            Ok((row.try_get("slug")?, candidates))
        })
        .collect()
}

async fn write_composing(
    conn: &mut Conn,
    state: &State,
    changes: &Changes,
) -> Result<(), StoreError> {
    if changes.composing_all {
        sqlx::query("DELETE FROM composing")
            .execute(&mut *conn)
            .await?;
    }
    let all = state.composing.keys().filter(|_| changes.composing_all);
    for slug in changes.composing.iter().chain(all) {
        let Some(waiting) = state.composing.get(slug) else {
            sqlx::query("DELETE FROM composing WHERE slug = $1")
                .bind(slug.as_str())
                .execute(&mut *conn)
                .await?;
            continue;
        };
        sqlx::query(
            "INSERT INTO composing (slug, candidates) VALUES ($1, $2) \
             ON CONFLICT (slug) DO UPDATE SET candidates = excluded.candidates",
        )
        .bind(slug.as_str())
        .bind(text(waiting))
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// The rules of that digest, or those in force.
pub(super) async fn rules(
    conn: &mut Conn,
    wanted: Option<Digest>,
) -> Result<Option<RuleSet>, StoreError> {
    let query = match wanted {
        Some(digest) => sqlx::query("SELECT body FROM rule_set WHERE digest = $1")
            .bind(digest.as_bytes().to_vec()),
        None => sqlx::query(
            "SELECT rule_set.body FROM rule_set JOIN farm ON farm.rules_digest = rule_set.digest",
        ),
    };
    let row = query.fetch_optional(conn).await?;
    row.map(|row| RuleSet::parse(row.try_get("body")?).map_err(|e| unreadable("body", e)))
        .transpose()
}

fn read_part(row: &DbRow) -> Result<CompositePart, StoreError> {
    Ok(CompositePart {
        agent_id: row.try_get("agent_id")?,
        proof_id: row.try_get("proof_id")?,
    })
}

/// The composites that were earned, latest first.
pub(super) async fn composites(
    conn: &mut Conn,
    limit: u32,
) -> Result<Vec<CompositeRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM composite ORDER BY position DESC LIMIT $1")
        .bind(i64::from(limit))
        .fetch_all(&mut *conn)
        .await?;
    let mut composites = Vec::with_capacity(rows.len());
    for row in &rows {
        let position: i64 = row.try_get("position")?;
        let parts = sqlx::query("SELECT * FROM composite_part WHERE position = $1 ORDER BY step")
            .bind(position)
            .fetch_all(&mut *conn)
            .await?;
        composites.push(CompositeRow {
            position: count(row, "position")?,
            composite: CompositeEarned {
                coins: count(row, "coins")?,
                day: word(row, "day")?,
                parts: parts.iter().map(read_part).collect::<Result<_, _>>()?,
                slug: row.try_get("slug")?,
            },
            recorded_at: time(row, "recorded_at")?,
            counts: flag(row, "counts")?,
        });
    }
    Ok(composites)
}
