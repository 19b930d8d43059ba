//! Leagues, and what each season and each day brought in them.

use std::collections::{BTreeMap, BTreeSet};

use farmops_protocol::scoring::RuleSet;
use jiff::civil::Date;
use sqlx::Row;

use super::{
    dialect::Conn,
    rows::{count, number, time, time_if_any, unreadable, word, word_if_any},
};
use crate::{
    domain::{Changes, League, Rules, State},
    store::StoreError,
};

/// Writes the leagues that a batch touches.
pub(super) async fn write(
    conn: &mut Conn,
    state: &State,
    changes: &Changes,
) -> Result<(), StoreError> {
    for (slug, seasons) in &changes.leagues {
        if let Some(league) = state.leagues.get(slug) {
            write_one(conn, slug, league, seasons).await?;
            write_days(conn, slug, league, &changes.days).await?;
        }
    }
    Ok(())
}

async fn write_one(
    conn: &mut Conn,
    slug: &str,
    league: &League,
    seasons: &BTreeSet<String>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO league (league, name, village, rules_digest, joined_at, left_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (league) DO UPDATE SET name = excluded.name, \
         village = excluded.village, rules_digest = excluded.rules_digest, \
         joined_at = excluded.joined_at, left_at = excluded.left_at",
    )
    .bind(slug)
    .bind(league.name.as_str())
    .bind(league.village.as_ref().map(ToString::to_string))
    .bind(league.rules.digest.as_bytes().to_vec())
    .bind(league.joined_at.second())
    .bind(
        league
            .left_at
            .map(farmops_protocol::time::Timestamp::second),
    )
    .execute(&mut *conn)
    .await?;
    for season in seasons {
        sqlx::query(
            "INSERT INTO league_season (league, season, coins) VALUES ($1, $2, $3) \
             ON CONFLICT (league, season) DO UPDATE SET coins = excluded.coins",
        )
        .bind(slug)
        .bind(season.as_str())
        .bind(number(league.seasons.get(season).copied().unwrap_or(0)))
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

async fn write_days(
    conn: &mut Conn,
    slug: &str,
    league: &League,
    days: &BTreeSet<Date>,
) -> Result<(), StoreError> {
    for day in days {
        let Some(coins) = league.days.get(day) else {
            continue;
        };
        sqlx::query(
            "INSERT INTO league_day (league, day, coins) VALUES ($1, $2, $3) \
             ON CONFLICT (league, day) DO UPDATE SET coins = excluded.coins",
        )
        .bind(slug)
        .bind(day.to_string())
        .bind(number(*coins))
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// The leagues with what each season and each day brought: what scoring needs.
pub(super) async fn read_with_days(
    conn: &mut Conn,
) -> Result<BTreeMap<String, League>, StoreError> {
    let mut leagues = read(&mut *conn).await?;
    for row in sqlx::query("SELECT * FROM league_day")
        .fetch_all(conn)
        .await?
    {
        if let Some(league) = leagues.get_mut(row.try_get::<&str, _>("league")?) {
            league
                .days
                .insert(word(&row, "day")?, count(&row, "coins")?);
        }
    }
    Ok(leagues)
}

/// The leagues with what each season brought. Their days, of which there are hundreds a year, are not shown.
pub(super) async fn read(conn: &mut Conn) -> Result<BTreeMap<String, League>, StoreError> {
    let mut leagues = BTreeMap::new();
    for row in sqlx::query(
        "SELECT league.*, rule_set.body AS rules FROM league \
         JOIN rule_set ON rule_set.digest = league.rules_digest",
    )
    .fetch_all(&mut *conn)
    .await?
    {
        let set = RuleSet::parse(row.try_get("rules")?).map_err(|e| unreadable("rules", e))?;
        let league = League {
            name: row.try_get("name")?,
            rules: Rules::new(set),
            village: word_if_any(&row, "village")?,
            joined_at: time(&row, "joined_at")?,
            left_at: time_if_any(&row, "left_at")?,
            seasons: BTreeMap::new(),
            days: BTreeMap::new(),
        };
        leagues.insert(row.try_get::<String, _>("league")?, league);
    }
    for row in sqlx::query("SELECT * FROM league_season")
        .fetch_all(conn)
        .await?
    {
        if let Some(league) = leagues.get_mut(row.try_get::<&str, _>("league")?) {
            let season = row.try_get("season")?;
            league.seasons.insert(season, count(&row, "coins")?);
        }
    }
    Ok(leagues)
}
