//! Writing a batch: one transaction, a handful of statements, whatever its size.

use farmops_ledger::Entry;

use super::{
    agents,
    dialect::{Conn, SqlJournal},
    glance, layout, log,
    multi::{MultiInsert, blocks},
    owner, publications, revocations,
    rows::{number, tag, text},
    tokens,
};
use crate::{
    domain::{Changes, ForkRow, ProofRow, State},
    store::{Batch, BufferedProof, StoreError},
};

static LEDGER: MultiInsert = MultiInsert::new(
    "INSERT INTO ledger (position, kind, recorded_at, body) VALUES",
    4,
);
static PROOFS: MultiInsert = MultiInsert::new(
    "INSERT INTO proof_chain (position, proof_id, agent_id, follows, branch, chain_length, hash, \
     finished_at, action_type, category, coins_awarded, scoring_detail, league_coins, day, earns, \
     counts) VALUES",
    16,
);
static BUFFER: MultiInsert = MultiInsert::new(
    "INSERT INTO proof_buffer (agent_id, chain_length, proof_id, follows, hash, finished_at, \
     received_at, body) VALUES",
    8,
);

impl SqlJournal {
    pub(super) async fn write(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        if let Some(growth) = &batch.log {
            log::grow(&mut tx, growth).await?;
        }
        if let Some(first) = batch.entries.first() {
            // Nothing is put behind a ledger whose end is gone.
            glance::ends_at(&mut tx, first.position.saturating_sub(1)).await?;
        }
        insert_entries(&mut tx, batch.entries).await?;
        if let Some((state, changes)) = batch.changes {
            project(&mut tx, state, changes).await?;
        }
        insert_buffered(&mut tx, batch.buffered).await?;
        for agent in batch.released {
            sqlx::query("DELETE FROM proof_buffer WHERE agent_id = $1")
                .bind(*agent)
                .execute(&mut *tx)
                .await?;
        }
        agents::write(&mut tx, batch).await?;
        for checkpoint in batch.checkpoints {
            log::sign(&mut tx, checkpoint).await?;
        }
        publications::write(&mut tx, batch).await?;
        if let Some(document) = batch.layout {
            layout::write(&mut tx, document).await?;
        }
        tokens::write(&mut tx, batch.access).await?;
        tx.commit().await?;
        Ok(())
    }
}

async fn insert_entries(conn: &mut Conn, entries: &[Entry]) -> Result<(), StoreError> {
    for block in blocks(entries.len()) {
        let mut query = sqlx::query(LEDGER.text(block.len()));
        for entry in &entries[block] {
            query = query
                .bind(number(entry.position))
                .bind(entry.event.kind())
                .bind(entry.recorded_at.second())
                .bind(entry.event.body().into_owned());
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

async fn insert_buffered(conn: &mut Conn, buffered: &[BufferedProof]) -> Result<(), StoreError> {
    for block in blocks(buffered.len()) {
        let mut query = sqlx::query(BUFFER.text(block.len()));
        for proof in &buffered[block] {
            query = query
                .bind(proof.agent_id)
                .bind(number(proof.chain_length))
                .bind(proof.proof_id)
                .bind(proof.follows)
                .bind(proof.hash.as_bytes().to_vec())
                .bind(proof.timestamp.second())
                .bind(proof.received_at.second())
                .bind(proof.bytes.as_slice());
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// Writes every row that `changes` names, as `state` has it. Rebuilding calls this too.
pub(super) async fn project(
    conn: &mut Conn,
    state: &State,
    changes: &Changes,
) -> Result<(), StoreError> {
    insert_proofs(conn, &changes.proofs).await?;
    for fork in &changes.forks {
        insert_fork(conn, fork).await?;
    }
    for rules in &changes.rules {
        owner::write_rules(conn, rules).await?;
    }
    owner::project(conn, state, changes).await?;
    for (agent, last_good) in &changes.revoked {
        revocations::mark(conn, *agent, *last_good).await?;
    }
    upsert_agents(conn, state, changes).await?;
    upsert_totals(conn, state, changes).await?;
    upsert_hours(conn, state, changes).await?;
    upsert_farm(conn, state).await
}

async fn insert_proofs(conn: &mut Conn, proofs: &[ProofRow]) -> Result<(), StoreError> {
    for block in blocks(proofs.len()) {
        let mut query = sqlx::query(PROOFS.text(block.len()));
        for proof in &proofs[block] {
            query = query
                .bind(number(proof.position))
                .bind(proof.proof_id)
                .bind(proof.agent_id)
                .bind(proof.follows)
                .bind(number(proof.branch))
                .bind(number(proof.chain_length))
                .bind(proof.hash.as_bytes().to_vec())
                .bind(proof.timestamp.second())
                .bind(proof.action_type.as_str())
                .bind(proof.category.as_str())
                .bind(number(proof.score.coins))
                .bind(text(&proof.score))
                .bind((!proof.leagues.is_empty()).then(|| text(&proof.leagues)))
                .bind(proof.day.map(|day| day.to_string()))
                .bind(i64::from(proof.earns))
                .bind(i64::from(proof.counts));
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

async fn insert_fork(conn: &mut Conn, fork: &ForkRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO fork_evidence (position, agent_id, follows, kept, recorded_at) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(number(fork.position))
    .bind(fork.agent_id)
    .bind(fork.follows)
    .bind(fork.kept)
    .bind(fork.recorded_at.second())
    .execute(&mut *conn)
    .await?;
    Ok(())
}

async fn upsert_agents(
    conn: &mut Conn,
    state: &State,
    changes: &Changes,
) -> Result<(), StoreError> {
    for id in &changes.agents {
        let Some(agent) = state.agents.get(id) else {
            continue;
        };
        sqlx::query(
            "INSERT INTO agent_trust (agent_id, public_key, former_keys, cluster_alias, status, \
             enrolled_at, approved_at, revoked_at, last_good_proof, branch, head, highest_proof, \
             proofs) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
             ON CONFLICT (agent_id) DO UPDATE SET public_key = excluded.public_key, \
             former_keys = excluded.former_keys, cluster_alias = excluded.cluster_alias, status = excluded.status, \
             approved_at = excluded.approved_at, revoked_at = excluded.revoked_at, \
             last_good_proof = excluded.last_good_proof, branch = excluded.branch, \
             head = excluded.head, highest_proof = excluded.highest_proof, \
             proofs = excluded.proofs",
        )
        .bind(*id)
        .bind(agent.public_key.to_string())
        .bind(text(&agent.former_keys))
        .bind(agent.cluster_alias.as_str())
        .bind(tag(&agent.status))
        .bind(agent.enrolled_at.second())
        .bind(
            agent
                .approved_at
                .map(farmops_protocol::time::Timestamp::second),
        )
        .bind(
            agent
                .revoked_at
                .map(farmops_protocol::time::Timestamp::second),
        )
        .bind(agent.last_good_proof)
        .bind(number(agent.branch))
        .bind(agent.head.as_ref().map(text))
        .bind(agent.highest_proof)
        .bind(number(agent.proofs))
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

async fn upsert_totals(
    conn: &mut Conn,
    state: &State,
    changes: &Changes,
) -> Result<(), StoreError> {
    for category in &changes.categories {
        let totals = state.categories.get(category).copied().unwrap_or_default();
        sqlx::query(
            "INSERT INTO category_stats (category, total_proofs, total_coins, last_proof_at) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (category) DO UPDATE SET \
             total_proofs = excluded.total_proofs, total_coins = excluded.total_coins, \
             last_proof_at = excluded.last_proof_at",
        )
        .bind(category.as_str())
        .bind(number(totals.proofs))
        .bind(number(totals.coins))
        .bind(
            totals
                .last_proof_at
                .map(farmops_protocol::time::Timestamp::second),
        )
        .execute(&mut *conn)
        .await?;
    }
    for day in &changes.days {
        let totals = state.days.get(day).copied().unwrap_or_default();
        sqlx::query(
            "INSERT INTO day_stats (day, total_proofs, total_coins) VALUES ($1, $2, $3) \
             ON CONFLICT (day) DO UPDATE SET total_proofs = excluded.total_proofs, \
             total_coins = excluded.total_coins",
        )
        .bind(day.to_string())
        .bind(number(totals.proofs))
        .bind(number(totals.coins))
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

async fn upsert_hours(conn: &mut Conn, state: &State, changes: &Changes) -> Result<(), StoreError> {
    for hour in &changes.hours {
        for like in state.activity.hour_counts(*hour) {
            sqlx::query(
                "INSERT INTO hour_activity (hour, plugin, action_type, proofs) \
                 VALUES ($1, $2, $3, $4) ON CONFLICT (hour, plugin, action_type) \
                 DO UPDATE SET proofs = excluded.proofs",
            )
            .bind(*hour)
            .bind(&*like.plugin)
            .bind(like.action_type.as_str())
            .bind(i64::from(like.proofs))
            .execute(&mut *conn)
            .await?;
        }
    }
    Ok(())
}

async fn upsert_farm(conn: &mut Conn, state: &State) -> Result<(), StoreError> {
    let Some(farm) = &state.farm else {
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO farm (id, profile, rules_digest, total_coins, spent_coins, streak_days, \
         streak_last_day, streak_longest, freezes_used, recharged_days, composites, last_active, \
         public_position, created_at, updated_at) \
         VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         ON CONFLICT (id) DO UPDATE SET profile = excluded.profile, \
         rules_digest = excluded.rules_digest, total_coins = excluded.total_coins, \
         spent_coins = excluded.spent_coins, streak_days = excluded.streak_days, \
         streak_last_day = excluded.streak_last_day, streak_longest = excluded.streak_longest, \
         freezes_used = excluded.freezes_used, recharged_days = excluded.recharged_days, \
         composites = excluded.composites, last_active = excluded.last_active, \
         public_position = excluded.public_position, updated_at = excluded.updated_at",
    )
    .bind(text(&farm.profile))
    .bind(state.rules.digest.as_bytes().to_vec())
    .bind(number(state.coins.earned))
    .bind(number(state.coins.spent))
    .bind(i64::from(state.streak.days))
    .bind(state.streak.last_day.map(|day| day.to_string()))
    .bind(i64::from(state.streak_longest))
    .bind(i64::from(state.streak.freezes_used))
    .bind(i64::from(state.streak.recharged_days))
    .bind(number(state.composites))
    .bind(
        state
            .last_active
            .map(farmops_protocol::time::Timestamp::second),
    )
    .bind(number(state.public_position))
    .bind(farm.created_at.second())
    .bind(state.updated_at.unwrap_or(farm.created_at).second())
    .execute(&mut *conn)
    .await?;
    Ok(())
}
