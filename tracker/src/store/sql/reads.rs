//! The reading side.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use farmops_protocol::{
    digest::Digest,
    log::{Tile, commitment::LoggedScore},
    scoring::RuleSet,
    time::Timestamp,
};
use jiff::civil::Date;
use sqlx::{QueryBuilder, Row};
use uuid::Uuid;

use super::{
    agents,
    dialect::{DbRow, SqlReads},
    layout, leagues,
    load::{read_agent, read_category, read_coins, read_day, read_streak, read_upgrades},
    log, owner, prune, publications,
    rows::{
        count, count_u32, digest, flag, json, json_if_any, number, time, time_if_any, word,
        word_if_any,
    },
};
use crate::{
    domain::{CompositeRow, DayTotals, FarmView, League, ProofRow, Purchase},
    store::{
        AgentRecord, ArchivedSeason, LedgerLine, ProofFilter, ProofRecord, Publication, Reads,
        SignedHead, StoreError, Village,
    },
};

type Db = <DbRow as Row>::Database;

const PROOFS: &str = "SELECT p.*, l.recorded_at, l.body FROM proof_chain p \
    JOIN ledger l ON l.position = p.position";
/// So many proofs are few: they are sorted in no time.
const FEW: i64 = 2_000;

impl SqlReads {
    /// Whether few proofs are of work that was finished since then.
    async fn are_few(&self, since: i64) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS found FROM \
             (SELECT 1 FROM proof_chain WHERE finished_at >= $1 LIMIT $2) AS counted",
        )
        .bind(since)
        .bind(FEW)
        .fetch_one(&self.pool)
        .await?;
        Ok(row.try_get::<i64, _>("found")? < FEW)
    }
}

#[async_trait]
impl Reads for SqlReads {
    async fn farm(&self) -> Result<Option<FarmView>, StoreError> {
        // One transaction, so that the totals and the farm are of the same moment.
        let mut tx = self.pool.begin().await?;
        let farm = sqlx::query(
            "SELECT farm.*, ledger_head.size FROM farm JOIN ledger_head ON ledger_head.id = farm.id",
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(farm) = farm else { return Ok(None) };
        let mut categories = BTreeMap::new();
        for row in sqlx::query("SELECT * FROM category_stats")
            .fetch_all(&mut *tx)
            .await?
        {
            categories.insert(word(&row, "category")?, read_category(&row)?);
        }
        Ok(Some(FarmView {
            profile: json(farm.try_get("profile")?, "profile")?,
            coins: read_coins(&farm)?,
            categories,
            leagues: leagues::read(&mut tx).await?,
            upgrades: read_upgrades(&mut tx).await?,
            streak: read_streak(&farm)?,
            streak_longest: count_u32(&farm, "streak_longest")?,
            composites: count(&farm, "composites")?,
            known: owner::known(&mut tx).await?,
            freezes: owner::rules(&mut tx, None)
                .await?
                .map_or_else(|| RuleSet::default().freezes, |rules| rules.freezes),
            last_active: time_if_any(&farm, "last_active")?,
            created_at: time(&farm, "created_at")?,
            updated_at: time(&farm, "updated_at")?,
            ledger_size: count(&farm, "size")?,
        }))
    }

    async fn layout(&self) -> Result<Option<Vec<u8>>, StoreError> {
        layout::read(&self.pool).await
    }

    async fn days(&self, limit: u32) -> Result<Vec<(String, DayTotals)>, StoreError> {
        let rows = sqlx::query("SELECT * FROM day_stats ORDER BY day DESC LIMIT $1")
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get("day")?, read_day(row)?)))
            .collect()
    }

    async fn proofs(
        &self,
        filter: &ProofFilter,
        limit: u32,
    ) -> Result<Vec<ProofRecord>, StoreError> {
        // What nobody asks for does not stand in the text, so that the database finds an index for the rest.
        let mut query = QueryBuilder::<Db>::new(PROOFS);
        query.push(" WHERE p.position < ");
        query.push_bind(filter.before.map_or(i64::MAX, number));
        if let Some(agent) = filter.agent {
            query.push(" AND p.agent_id = ").push_bind(agent);
        }
        if let Some(category) = filter.category {
            query.push(" AND p.category = ");
            query.push_bind(category.as_str());
        }
        if let Some(since) = filter.since.map(Timestamp::second) {
            // Of few the list is sorted; of many the newest entries of the ledger have enough soon.
            if self.are_few(since).await? {
                query.push(
                    " AND p.position IN (SELECT position FROM proof_chain WHERE finished_at >= ",
                );
                query.push_bind(since).push(")");
            } else {
                query.push(" AND p.finished_at >= ").push_bind(since);
            }
        }
        query.push(" ORDER BY p.position DESC LIMIT ");
        query.push_bind(i64::from(limit));
        let rows = query.build().fetch_all(&self.pool).await?;
        rows.iter().map(read_proof).collect()
    }

    async fn proof(&self, id: Uuid, agent: Option<Uuid>) -> Result<Vec<ProofRecord>, StoreError> {
        let mut query = QueryBuilder::<Db>::new(PROOFS);
        query.push(" WHERE p.proof_id = ").push_bind(id);
        if let Some(agent) = agent {
            query.push(" AND p.agent_id = ").push_bind(agent);
        }
        query.push(" ORDER BY p.position LIMIT 2");
        let rows = query.build().fetch_all(&self.pool).await?;
        rows.iter().map(read_proof).collect()
    }

    async fn agents(&self) -> Result<Vec<AgentRecord>, StoreError> {
        let mut tx = self.pool.begin().await?;
        let resets = agents::resets(&mut tx).await?;
        let contacts = agents::contacts(&mut tx).await?;
        let rows = sqlx::query(
            "SELECT a.*, (SELECT COUNT(*) FROM proof_buffer b WHERE b.agent_id = a.agent_id) \
             AS buffered FROM agent_trust a ORDER BY a.enrolled_at, a.agent_id",
        )
        .fetch_all(&mut *tx)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(AgentRecord {
                    agent_id: row.try_get("agent_id")?,
                    agent: read_agent(row)?,
                    buffered: count(row, "buffered")?,
                    reset_asked: resets.get(&row.try_get("agent_id")?).cloned(),
                    heard_at: contacts.get(&row.try_get("agent_id")?).copied(),
                })
            })
            .collect()
    }

    async fn ledger(&self, after: u64, limit: u32) -> Result<Vec<LedgerLine>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM ledger WHERE position > $1 ORDER BY position LIMIT $2")
                .bind(number(after))
                .bind(i64::from(limit))
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(prune::line).collect()
    }

    async fn archived(&self) -> Result<Vec<ArchivedSeason>, StoreError> {
        prune::archived(&mut *self.pool.acquire().await?).await
    }

    async fn proof_rows(&self, after: u64, through: u64) -> Result<Vec<ProofRow>, StoreError> {
        prune::proof_rows(&mut *self.pool.acquire().await?, after, through).await
    }

    async fn tile(&self, tile: &Tile) -> Result<Option<Vec<u8>>, StoreError> {
        log::tile(&mut *self.pool.acquire().await?, tile).await
    }

    async fn logged_score(&self, position: u64) -> Result<Option<LoggedScore>, StoreError> {
        log::score(&mut *self.pool.acquire().await?, position).await
    }

    async fn checkpoint(&self) -> Result<Option<SignedHead>, StoreError> {
        log::latest(&mut *self.pool.acquire().await?).await
    }

    async fn checkpoints(&self, after: u64, limit: u32) -> Result<Vec<SignedHead>, StoreError> {
        log::after(&mut *self.pool.acquire().await?, after, limit).await
    }

    async fn purchases(&self) -> Result<Vec<Purchase>, StoreError> {
        owner::purchases(&mut *self.pool.acquire().await?).await
    }

    async fn rest_days(&self) -> Result<BTreeSet<Date>, StoreError> {
        owner::rest_days(&mut *self.pool.acquire().await?).await
    }

    async fn leagues(&self) -> Result<BTreeMap<String, League>, StoreError> {
        leagues::read(&mut *self.pool.begin().await?).await
    }

    async fn rules(&self, digest: Option<Digest>) -> Result<Option<RuleSet>, StoreError> {
        owner::rules(&mut *self.pool.acquire().await?, digest).await
    }

    async fn composites(&self, limit: u32) -> Result<Vec<CompositeRow>, StoreError> {
        owner::composites(&mut *self.pool.begin().await?, limit).await
    }

    async fn forks(&self) -> Result<Vec<(Uuid, u64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT agent_id, COUNT(*) AS forks FROM fork_evidence GROUP BY agent_id ORDER BY agent_id",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| Ok((row.try_get("agent_id")?, count(row, "forks")?)))
            .collect()
    }

    async fn snapshot(&self) -> Result<Option<Publication>, StoreError> {
        publications::last(&mut *self.pool.acquire().await?).await
    }

    async fn object(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query(
            "SELECT document FROM publication WHERE object_id = $1 \
             UNION ALL SELECT document FROM notice WHERE object_id = $1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| row.try_get("document")).transpose()?)
    }

    async fn count_objects(&self) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM publication) + (SELECT COUNT(*) FROM notice) AS objects",
        )
        .fetch_one(&self.pool)
        .await?;
        count(&row, "objects")
    }

    async fn villages(&self) -> Result<Vec<Village>, StoreError> {
        publications::villages(&mut *self.pool.acquire().await?).await
    }
}

fn read_proof(row: &DbRow) -> Result<ProofRecord, StoreError> {
    Ok(ProofRecord {
        row: read_row(row)?,
        recorded_at: time(row, "recorded_at")?,
        bytes: row.try_get("body")?,
    })
}

pub(super) fn read_row(row: &DbRow) -> Result<ProofRow, StoreError> {
    Ok(ProofRow {
        position: count(row, "position")?,
        proof_id: row.try_get("proof_id")?,
        agent_id: row.try_get("agent_id")?,
        follows: row.try_get("follows")?,
        branch: count(row, "branch")?,
        chain_length: count(row, "chain_length")?,
        hash: digest(row, "hash")?,
        timestamp: time(row, "finished_at")?,
        action_type: word(row, "action_type")?,
        category: word(row, "category")?,
        score: json(row.try_get("scoring_detail")?, "scoring_detail")?,
        day: word_if_any(row, "day")?,
        earns: flag(row, "earns")?,
        leagues: json_if_any(row, "league_coins")?.unwrap_or_default(),
        counts: flag(row, "counts")?,
    })
}
