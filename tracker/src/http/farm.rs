//! `/api/v1/farm`: the farm's state, balance, statistics and upgrades; with `?at=`, as they were.

use axum::{extract::State, response::Response};
use farmops_farm::level::next_level_at;
use farmops_protocol::{proof::Category, time::Timestamp};
use farmops_service::problem::{Problem, Query};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

use super::{etag::tagged_json, refused::not_read};
use crate::{
    app::App,
    domain::{DayTotals, FarmView, Purchase},
    past::{At, NoMoment, PastError, fold_to},
};

/// Days in the statistics: a leap year.
const DAYS_MAX: u32 = 366;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Farm)]
struct Shown {
    name: String,
    handle: String,
    account: Option<String>,
    level: u64,
    next_level_at: u64,
    total_coins: u64,
    current_coins: u64,
    streak_days: u32,
    streak_longest: u32,
    /// Freezes that are left.
    freezes_held: u32,
    achievements: Vec<&'static str>,
    time_zone: String,
    #[schema(min_items = 7, max_items = 7)]
    working_days: [bool; 7],
    ledger_size: u64,
    last_active: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// The farm's figures; a problem before it is founded, which happens at the first start.
pub(super) async fn figures(app: &App) -> Result<FarmView, Problem> {
    let farm = app.reads.farm().await.map_err(not_read)?;
    farm.ok_or_else(|| Problem::unavailable(1))
}

/// The moment asked about.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// A position or a time; without it, now.
    #[param(
        pattern = r"^([1-9][0-9]{0,14}|[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z)$"
    )]
    at: Option<String>,
}

/// The farm at the moment asked about.
pub(super) struct Seen {
    pub(super) farm: FarmView,
    pub(super) days: Vec<(String, DayTotals)>,
    pub(super) purchases: Vec<Purchase>,
    /// Whether there may be earlier days.
    pub(super) cut: bool,
    moment: Timestamp,
}

impl Seen {
    /// The farm without its days.
    async fn figures(app: &App, wanted: &Wanted) -> Result<Self, Problem> {
        match &wanted.at {
            Some(at) => Self::past(app, at).await,
            None => Ok(Self {
                farm: figures(app).await?,
                days: Vec::new(),
                purchases: Vec::new(),
                cut: false,
                moment: app.now(),
            }),
        }
    }

    /// The farm with its days, latest first, and what was bought.
    pub(super) async fn with_days(app: &App, wanted: &Wanted) -> Result<Self, Problem> {
        let mut seen = Self::figures(app, wanted).await?;
        if wanted.at.is_none() {
            seen.days = app.reads.days(DAYS_MAX).await.map_err(not_read)?;
            seen.purchases = app.reads.purchases().await.map_err(not_read)?;
        }
        seen.cut = seen.days.len() >= DAYS_MAX as usize;
        Ok(seen)
    }

    async fn past(app: &App, at: &str) -> Result<Self, Problem> {
        let at: At = at
            .parse()
            .map_err(|e: NoMoment| Problem::bad_request("at", e.to_string()))?;
        // A fold keeps a core busy: one at a time.
        let _turn = app
            .folds
            .acquire()
            .await
            .map_err(|e| Problem::internal(&e))?;
        let past = fold_to(&*app.reads, at, app.now()).await.map_err(no_past)?;
        let days = past.state.days.iter().rev().take(DAYS_MAX as usize);
        Ok(Self {
            days: days
                .map(|(day, totals)| (day.to_string(), *totals))
                .collect(),
            purchases: past.state.purchases,
            cut: false,
            farm: past.farm,
            moment: past.moment,
        })
    }
}

fn no_past(error: PastError) -> Problem {
    match error {
        PastError::Store(error) => not_read(error),
        PastError::Archived(_) => Problem::new(StatusCode::GONE, "archived")
            .field("at")
            .detail(error.to_string()),
        outside => Problem::unprocessable("at", outside.to_string()),
    }
}

/// The account everyone should show.
pub(super) async fn account(app: &App, farm: &FarmView) -> Result<Option<String>, Problem> {
    let villages = app.reads.villages().await.map_err(not_read)?;
    let account = app.site.account(&farm.profile.handle, &villages);
    Ok(account.map(|account| account.to_handle()))
}

/// Shows the farm.
#[utoipa::path(
    get,
    path = "/api/v1/farm",
    tag = "farm",
    params(Wanted, ("If-None-Match" = Option<String>, Header, description = "A tag that was answered before")),
    responses((status = 200, description = "The farm", body = Shown), (status = 304, description = "It is what `If-None-Match` names"), (status = 410, description = "That moment needs what is archived")),
)]
pub(super) async fn show(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Seen { farm, moment, .. } = Seen::figures(&app, &wanted).await?;
    let level = farm.level();
    let schedule = &farm.profile.schedule;
    let term = schedule.term_on(schedule.day(moment));
    let shown = Shown {
        account: account(&app, &farm).await?,
        level,
        next_level_at: next_level_at(level),
        total_coins: farm.coins.earned,
        current_coins: farm.coins.current(),
        streak_days: farm.streak_days(moment),
        streak_longest: farm.streak_longest,
        freezes_held: farm.freezes_held(moment),
        achievements: farm.achievements().iter().map(|a| a.slug).collect(),
        ledger_size: farm.ledger_size,
        last_active: farm.last_active,
        created_at: farm.created_at,
        updated_at: farm.updated_at,
        name: farm.profile.name.clone(),
        handle: farm.profile.handle.clone(),
        time_zone: term.time_zone.clone(),
        working_days: term.working_days,
    };
    tagged_json(&headers, &shown)
}

/// Coins earned, spent and left at `ledger_size` entries.
#[derive(Debug, Serialize, ToSchema)]
struct Balance {
    total_coins: u64,
    spent_coins: u64,
    current_coins: u64,
    ledger_size: u64,
}

/// Shows the balance.
#[utoipa::path(
    get,
    path = "/api/v1/farm/balance",
    tag = "farm",
    params(Wanted, ("If-None-Match" = Option<String>, Header, description = "A tag that was answered before")),
    responses((status = 200, description = "The balance", body = Balance), (status = 304, description = "It is what `If-None-Match` names"), (status = 410, description = "That moment needs what is archived")),
)]
pub(super) async fn balance(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Seen { farm, .. } = Seen::figures(&app, &wanted).await?;
    let balance = Balance {
        total_coins: farm.coins.earned,
        spent_coins: farm.coins.spent,
        current_coins: farm.coins.current(),
        ledger_size: farm.ledger_size,
    };
    tagged_json(&headers, &balance)
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Statistics)]
struct Stats {
    by_category: Vec<CategoryStats>,
    by_day: Vec<DayStats>,
    /// By the rules of each league, and apart from the farm's own coins.
    leagues: Vec<LeagueStats>,
    composites: u64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LeagueStatistics)]
struct LeagueStats {
    league: String,
    name: String,
    /// Whether proofs are scored by it still.
    joined: bool,
    /// Coins by season.
    seasons: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CategoryStatistics)]
struct CategoryStats {
    category: Category,
    total_proofs: u64,
    total_coins: u64,
    last_proof_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DayStatistics)]
struct DayStats {
    day: String,
    total_proofs: u64,
    total_coins: u64,
}

/// Shows what each category and each day brought.
#[utoipa::path(
    get,
    path = "/api/v1/farm/stats",
    tag = "farm",
    params(Wanted, ("If-None-Match" = Option<String>, Header, description = "A tag that was answered before")),
    responses((status = 200, description = "The totals", body = Stats), (status = 304, description = "It is what `If-None-Match` names"), (status = 410, description = "That moment needs what is archived")),
)]
pub(super) async fn stats(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Seen { farm, days, .. } = Seen::with_days(&app, &wanted).await?;
    let stats = Stats {
        by_category: Category::ALL
            .iter()
            .map(|category| {
                let totals = farm.categories.get(category).copied().unwrap_or_default();
                CategoryStats {
                    category: *category,
                    total_proofs: totals.proofs,
                    total_coins: totals.coins,
                    last_proof_at: totals.last_proof_at,
                }
            })
            .collect(),
        by_day: days
            .into_iter()
            .map(|(day, totals)| DayStats {
                day,
                total_proofs: totals.proofs,
                total_coins: totals.coins,
            })
            .collect(),
        leagues: farm
            .leagues
            .into_iter()
            .map(|(slug, league)| LeagueStats {
                league: slug,
                name: league.name,
                joined: league.left_at.is_none(),
                seasons: league.seasons,
            })
            .collect(),
        composites: farm.composites,
    };
    tagged_json(&headers, &stats)
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UpgradeList)]
struct Upgrades {
    upgrades: Vec<Upgrade>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Upgrade {
    slug: String,
    level: u64,
}

/// Lists what stands on the farm.
#[utoipa::path(
    get,
    path = "/api/v1/farm/upgrades",
    tag = "farm",
    params(Wanted, ("If-None-Match" = Option<String>, Header, description = "A tag that was answered before")),
    responses((status = 200, description = "What stands there", body = Upgrades), (status = 304, description = "It is what `If-None-Match` names"), (status = 410, description = "That moment needs what is archived")),
)]
pub(super) async fn upgrades(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Seen { farm, .. } = Seen::figures(&app, &wanted).await?;
    let upgrades = farm
        .upgrades
        .into_iter()
        .map(|owned| Upgrade {
            slug: owned.slug,
            level: owned.level,
        })
        .collect();
    tagged_json(&headers, &Upgrades { upgrades })
}
