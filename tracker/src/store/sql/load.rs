//! Reading the state back from the projections.

use std::collections::HashMap;

use farmops_farm::catalogue::Owned;
use farmops_protocol::{chain::ChainHead, int::SafeUint, scoring::RuleSet, streak::Streak};
use sqlx::Row;
use uuid::Uuid;

use super::{
    agents,
    dialect::{Conn, DbRow, SqlJournal},
    glance, leagues, log, owner,
    rows::{count, count_u32, digest, json, tagged, time, time_if_any, unreadable, word},
};
use crate::{
    domain::{
        Agent, CategoryTotals, Coins, DayTotals, Farm, LikeCount, Purchase, Rules, State, Waiting,
        WaitingRoom,
    },
    store::{Loaded, StoreError},
};

impl SqlJournal {
    pub(super) async fn read_all(&mut self) -> Result<Loaded, StoreError> {
        let conn = &mut self.conn;
        let mut state = State::default();
        read_farm(conn, &mut state).await?;
        let log = log::read(conn).await?;
        glance::check(conn, &log).await?;
        state.position = log.size();
        read_agents(conn, &mut state).await?;
        read_totals(conn, &mut state).await?;
        read_hours(conn, &mut state).await?;
        state.upgrades = read_upgrades(conn).await?;
        state.purchases = owner::purchases(conn).await?;
        state.boosts_bp = Purchase::boosts_bp(&state.purchases);
        state.known = owner::known(conn).await?;
        state.composing = owner::composing(conn).await?;
        state.leagues = leagues::read_with_days(conn).await?;
        let waiting = read_waiting(conn).await?;
        let resets = agents::resets(conn).await?;
        let contacts = agents::contacts(conn).await?;
        Ok(Loaded {
            state,
            log,
            waiting,
            resets,
            contacts,
        })
    }
}

async fn read_farm(conn: &mut Conn, state: &mut State) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT farm.*, rule_set.body AS rules FROM farm \
         LEFT JOIN rule_set ON rule_set.digest = farm.rules_digest WHERE id = 1",
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(()) };
    state.farm = Some(Farm {
        profile: json(row.try_get("profile")?, "profile")?,
        created_at: time(&row, "created_at")?,
    });
    if let Some(body) = row.try_get::<Option<&[u8]>, _>("rules")? {
        let set = RuleSet::parse(body).map_err(|e| unreadable("rules", e))?;
        state.rules = Rules::new(set);
    }
    state.coins = read_coins(&row)?;
    state.streak = read_streak(&row)?;
    state.streak_longest = count_u32(&row, "streak_longest")?;
    state.composites = count(&row, "composites")?;
    state.last_active = time_if_any(&row, "last_active")?;
    state.public_position = count(&row, "public_position")?;
    state.updated_at = Some(time(&row, "updated_at")?);
    Ok(())
}

pub(super) fn read_coins(row: &DbRow) -> Result<Coins, StoreError> {
    Ok(Coins {
        earned: count(row, "total_coins")?,
        spent: count(row, "spent_coins")?,
    })
}

pub(super) fn read_streak(row: &DbRow) -> Result<Streak, StoreError> {
    let last_day: Option<&str> = row.try_get("streak_last_day")?;
    Ok(Streak {
        days: count_u32(row, "streak_days")?,
        freezes_used: count_u32(row, "freezes_used")?,
        recharged_days: count_u32(row, "recharged_days")?,
        last_day: last_day
            .map(|day| day.parse().map_err(|e| unreadable("streak_last_day", e)))
            .transpose()?,
    })
}

async fn read_agents(conn: &mut Conn, state: &mut State) -> Result<(), StoreError> {
    for row in sqlx::query("SELECT * FROM agent_trust")
        .fetch_all(conn)
        .await?
    {
        state
            .agents
            .insert(row.try_get("agent_id")?, read_agent(&row)?);
    }
    Ok(())
}

pub(super) fn read_agent(row: &DbRow) -> Result<Agent, StoreError> {
    let head: Option<&str> = row.try_get("head")?;
    Ok(Agent {
        public_key: word(row, "public_key")?,
        former_keys: json(row.try_get("former_keys")?, "former_keys")?,
        cluster_alias: row.try_get("cluster_alias")?,
        status: tagged(row, "status")?,
        enrolled_at: time(row, "enrolled_at")?,
        approved_at: time_if_any(row, "approved_at")?,
        revoked_at: time_if_any(row, "revoked_at")?,
        last_good_proof: row.try_get("last_good_proof")?,
        branch: count(row, "branch")?,
        head: head.map(|head| json(head, "head")).transpose()?,
        highest_proof: row.try_get("highest_proof")?,
        proofs: count(row, "proofs")?,
    })
}

async fn read_totals(conn: &mut Conn, state: &mut State) -> Result<(), StoreError> {
    for row in sqlx::query("SELECT * FROM category_stats")
        .fetch_all(&mut *conn)
        .await?
    {
        state
            .categories
            .insert(word(&row, "category")?, read_category(&row)?);
    }
    for row in sqlx::query("SELECT * FROM day_stats")
        .fetch_all(conn)
        .await?
    {
        state.days.insert(word(&row, "day")?, read_day(&row)?);
    }
    Ok(())
}

pub(super) fn read_category(row: &DbRow) -> Result<CategoryTotals, StoreError> {
    Ok(CategoryTotals {
        proofs: count(row, "total_proofs")?,
        coins: count(row, "total_coins")?,
        last_proof_at: time_if_any(row, "last_proof_at")?,
    })
}

pub(super) fn read_day(row: &DbRow) -> Result<DayTotals, StoreError> {
    Ok(DayTotals {
        proofs: count(row, "total_proofs")?,
        coins: count(row, "total_coins")?,
    })
}

async fn read_hours(conn: &mut Conn, state: &mut State) -> Result<(), StoreError> {
    for row in sqlx::query("SELECT * FROM hour_activity")
        .fetch_all(conn)
        .await?
    {
        let plugin: String = row.try_get("plugin")?;
        state.activity.restore(
            row.try_get("hour")?,
            LikeCount {
                plugin: plugin.into(),
                action_type: word(&row, "action_type")?,
                proofs: count_u32(&row, "proofs")?,
            },
        );
    }
    Ok(())
}

pub(super) async fn read_upgrades(conn: &mut Conn) -> Result<Vec<Owned>, StoreError> {
    let rows = sqlx::query("SELECT * FROM farm_upgrade ORDER BY upgrade_slug")
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Owned {
                slug: row.try_get("upgrade_slug")?,
                level: count(row, "level")?,
            })
        })
        .collect()
}

/// The buffered chains: figures of each, and the last proof as its head.
async fn read_waiting(conn: &mut Conn) -> Result<WaitingRoom, StoreError> {
    let mut room = HashMap::new();
    let rows = sqlx::query(
        "SELECT b.agent_id, b.proof_id, b.hash, b.chain_length, b.finished_at, t.bytes, t.since, \
         (SELECT h.proof_id FROM proof_buffer h WHERE h.agent_id = b.agent_id ORDER BY h.proof_id DESC LIMIT 1) AS highest \
         FROM proof_buffer b JOIN (SELECT agent_id, MAX(chain_length) AS last, \
         SUM(LENGTH(body)) AS bytes, MIN(received_at) AS since FROM proof_buffer \
         GROUP BY agent_id) t ON t.agent_id = b.agent_id AND t.last = b.chain_length",
    )
    .fetch_all(conn)
    .await?;
    for row in &rows {
        let length = SafeUint::try_from(count(row, "chain_length")?)
            .map_err(|e| unreadable("chain_length", e))?;
        let head = ChainHead {
            hash: digest(row, "hash")?,
            length,
            proof_id: row.try_get("proof_id")?,
            timestamp: time(row, "finished_at")?,
        };
        let agent: Uuid = row.try_get("agent_id")?;
        room.insert(
            agent,
            Waiting {
                head: Some(head),
                highest_proof: row.try_get("highest")?,
                bytes: count(row, "bytes")?,
                since: time_if_any(row, "since")?,
            },
        );
    }
    Ok(room)
}
