//! What no longer counts once an agent is revoked from one of its proofs on.

use std::collections::BTreeMap;

use farmops_ledger::{LeagueCoins, Withdrawn};
use farmops_protocol::proof::Category;
use futures::TryStreamExt as _;
use jiff::civil::Date;
use sqlx::Row;
use uuid::Uuid;

use super::{
    dialect::{Conn, DbRow},
    rows::{count, json_if_any, word},
};
use crate::{domain::Cut, store::StoreError};

/// Gathered by day and category; composites have none.
type ByDay = BTreeMap<(Date, Option<Category>), Sum>;

#[derive(Default)]
struct Sum {
    proofs: u64,
    coins: u64,
    leagues: BTreeMap<(String, String), u64>,
}

/// What the proofs of `agent` after `last_good` had brought; nothing if it has no such proof.
pub(super) async fn cut(
    conn: &mut Conn,
    agent: Uuid,
    last_good: Option<Uuid>,
) -> Result<Option<Cut>, StoreError> {
    let Some(after) = place(conn, agent, last_good).await? else {
        return Ok(None);
    };
    let mut sums = ByDay::new();
    let mut rows = sqlx::query(
        "SELECT day, category, coins_awarded, league_coins FROM proof_chain \
         WHERE agent_id = $1 AND position > $2 AND counts = 1 AND earns = 1",
    )
    .bind(agent)
    .bind(after)
    .fetch(&mut *conn);
    while let Some(row) = rows.try_next().await? {
        add_proof(&mut sums, &row)?;
    }
    drop(rows);
    for row in sqlx::query(
        "SELECT day, coins FROM composite WHERE counts = 1 AND position IN \
         (SELECT c.position FROM composite_part c JOIN proof_chain p ON p.proof_id = c.proof_id \
         AND p.agent_id = c.agent_id WHERE c.agent_id = $1 AND p.position > $2)",
    )
    .bind(agent)
    .bind(after)
    .fetch_all(conn)
    .await?
    {
        let sum = sums.entry((word(&row, "day")?, None)).or_default();
        sum.proofs += 1;
        sum.coins += count(&row, "coins")?;
    }
    Ok(Some(Cut {
        last_good_proof: last_good,
        withdrawn: sums.into_iter().map(withdrawn).collect(),
    }))
}

/// The last proof of `agent`, over all branches of its chain.
pub(super) async fn last(conn: &mut Conn, agent: Uuid) -> Result<Option<Uuid>, StoreError> {
    let row = sqlx::query(
        "SELECT proof_id FROM proof_chain WHERE agent_id = $1 ORDER BY position DESC LIMIT 1",
    )
    .bind(agent)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| row.try_get("proof_id")).transpose()?)
}

/// Marks what no longer counts.
pub(super) async fn mark(
    conn: &mut Conn,
    agent: Uuid,
    last_good: Option<Uuid>,
) -> Result<(), StoreError> {
    let Some(after) = place(conn, agent, last_good).await? else {
        return Ok(());
    };
    sqlx::query("UPDATE proof_chain SET counts = 0 WHERE agent_id = $1 AND position > $2")
        .bind(agent)
        .bind(after)
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "UPDATE composite SET counts = 0 WHERE position IN \
         (SELECT c.position FROM composite_part c JOIN proof_chain p ON p.proof_id = c.proof_id \
         AND p.agent_id = c.agent_id WHERE c.agent_id = $1 AND p.counts = 0)",
    )
    .bind(agent)
    .execute(conn)
    .await?;
    Ok(())
}

/// The position of the last good proof; 0 if none is good.
async fn place(
    conn: &mut Conn,
    agent: Uuid,
    last_good: Option<Uuid>,
) -> Result<Option<i64>, StoreError> {
    let Some(proof) = last_good else {
        return Ok(Some(0));
    };
    let row = sqlx::query("SELECT position FROM proof_chain WHERE proof_id = $1 AND agent_id = $2")
        .bind(proof)
        .bind(agent)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| row.try_get("position")).transpose()?)
}

fn add_proof(sums: &mut ByDay, row: &DbRow) -> Result<(), StoreError> {
    let key = (word(row, "day")?, Some(word(row, "category")?));
    let sum = sums.entry(key).or_default();
    sum.proofs += 1;
    sum.coins += count(row, "coins_awarded")?;
    let leagues: Vec<LeagueCoins> = json_if_any(row, "league_coins")?.unwrap_or_default();
    for earned in leagues {
        *sum.leagues
            .entry((earned.league, earned.season))
            .or_default() += earned.coins;
    }
    Ok(())
}

fn withdrawn(((day, category), sum): ((Date, Option<Category>), Sum)) -> Withdrawn {
    let leagues = sum.leagues.into_iter();
    Withdrawn {
        category,
        coins: sum.coins,
        day,
        leagues: leagues
            .map(|((league, season), coins)| LeagueCoins {
                coins,
                league,
                season,
            })
            .collect(),
        proofs: sum.proofs,
    }
}
