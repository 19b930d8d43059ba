//! The farm at a glance: its owner's, or what everyone may see.

use askama::Template;
use axum::{extract::State, response::Response};
use farmops_farm::level::{level, next_level_at};
use farmops_federation::{FederationError, RelationState};
use farmops_protocol::{enrolment::AgentStatus, proof::Category};
use farmops_service::problem::Problem;
use http::{HeaderMap, StatusCode};

use super::{
    filters,
    frame::{Frame, Owner},
    framed, plain,
    when::When,
};
use crate::{
    app::App,
    domain::FarmView,
    http::{farm, refused::not_read},
    site::ACTOR,
};

/// Entries that are told.
const LATELY_MAX: u32 = 12;
/// Followers that are counted.
const FOLLOWERS_MAX: u32 = 100;

/// What everyone sees of the farm.
pub(super) struct FarmCard {
    name: String,
    account: String,
    alt: String,
    level: u64,
    /// Coins since this level began, and coins that it takes.
    progress: (u64, u64),
    coins: u64,
    streak: u32,
    longest: u32,
    badges: Vec<(&'static str, &'static str)>,
    categories: Vec<CategoryBar>,
}

/// A category with its share of the largest one, in percent.
struct CategoryBar {
    category: Category,
    proofs: u64,
    coins: u64,
    share: u64,
}

/// Something that waits for the owner.
struct Task {
    text: String,
    path: &'static str,
    link: &'static str,
}

#[derive(Template)]
#[template(path = "visitor.html")]
struct VisitorPage {
    farm: FarmCard,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    farm: FarmCard,
    balance: u64,
    debt: u64,
    tasks: Vec<Task>,
    /// The command that a newcomer runs next.
    first_agent: Option<String>,
    lately: Vec<(When, String)>,
}

/// The owner's overview, or the public profile.
pub(in crate::http) async fn home(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let view = farm::figures(&app).await?;
    let card = card(&app, &view).await?;
    let Some(owner) = Owner::of(&headers, &app) else {
        return plain(&VisitorPage { farm: card }, StatusCode::OK);
    };
    let agents = app.reads.agents().await.map_err(not_read)?;
    let page = OverviewPage {
        frame: owner.frame(&view, "/", None),
        farm: card,
        balance: view.coins.current(),
        debt: view.coins.owed(),
        tasks: tasks(&app, &agents).await?,
        first_agent: agents.is_empty().then(|| first_agent(&app)),
        lately: lately(&app, &view).await?,
    };
    framed(&app, &page.frame, &page)
}

/// The command that starts an agent for this tracker.
pub(super) fn first_agent(app: &App) -> String {
    format!(
        "farmops-agent --config agent.yaml --tracker-url {}",
        app.site.origin()
    )
}

async fn tasks(app: &App, agents: &[crate::store::AgentRecord]) -> Result<Vec<Task>, Problem> {
    let mut tasks = Vec::new();
    let mut add = |count: usize, one: &str, more: &str, path, link| {
        if count > 0 {
            let verb = if count == 1 { one } else { more };
            let text = format!("{count} {verb}");
            tasks.push(Task { text, path, link });
        }
    };
    let pending = agents
        .iter()
        .filter(|a| a.agent.status == AgentStatus::Pending);
    let (one, more) = (
        "agent waits for your approval.",
        "agents wait for your approval.",
    );
    add(
        pending.count(),
        one,
        more,
        "/agents",
        "Compare its fingerprint",
    );
    let resets = agents.iter().filter(|a| a.reset_asked.is_some());
    let (one, more) = (
        "agent asks to resume after a loss.",
        "agents ask to resume after a loss.",
    );
    add(resets.count(), one, more, "/agents", "Decide");
    let waiting = app
        .federation
        .followers(ACTOR, Some(RelationState::Pending), None, FOLLOWERS_MAX)
        .await
        .map_err(|error: FederationError| Problem::internal(&error))?;
    let (one, more) = (
        "follower waits to be let in.",
        "followers wait to be let in.",
    );
    add(waiting.len(), one, more, "/people", "Accept or turn away");
    Ok(tasks)
}

/// What the last entries say, the latest first.
async fn lately(app: &App, farm: &FarmView) -> Result<Vec<(When, String)>, Problem> {
    let after = farm.ledger_size.saturating_sub(u64::from(LATELY_MAX));
    let lines = app
        .reads
        .ledger(after, LATELY_MAX)
        .await
        .map_err(not_read)?;
    let entries = lines.into_iter().rev().map(|line| {
        let when = When::new(&farm.profile.schedule, line.recorded_at);
        (when, line.told())
    });
    Ok(entries.collect())
}

async fn card(app: &App, farm: &FarmView) -> Result<FarmCard, Problem> {
    let most = farm.categories.values().map(|t| t.coins).max();
    let most = most.unwrap_or(0).max(1);
    let now_at = farm.level();
    let next = next_level_at(now_at);
    // The coins at which this level began.
    let began = if now_at > level(0) {
        next_level_at(now_at - 1)
    } else {
        0
    };
    let categories = farm
        .categories
        .iter()
        .map(|(category, totals)| CategoryBar {
            category: *category,
            proofs: totals.proofs,
            coins: totals.coins,
            share: totals.coins.saturating_mul(100) / most,
        });
    Ok(FarmCard {
        name: farm.profile.name.clone(),
        account: farm::account(app, farm).await?.unwrap_or_default(),
        alt: farmops_farm::alt_text(&farm.drawing(app.now())),
        level: now_at,
        progress: (
            farm.coins.earned.saturating_sub(began),
            next.saturating_sub(began).max(1),
        ),
        coins: farm.coins.earned,
        streak: farm.streak_days(app.now()),
        longest: farm.streak_longest,
        badges: farm
            .achievements()
            .iter()
            .map(|a| (a.name, a.description))
            .collect(),
        categories: categories.collect(),
    })
}
