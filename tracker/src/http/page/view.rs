//! What the pages show.

use askama::Template;
use farmops_farm::level::next_level_at;
use farmops_federation::{FederationError, RelationState};
use farmops_protocol::{
    enrolment::AgentStatus,
    proof::{Category, ParsedProof},
    registration::MembershipStatus,
};
use farmops_service::problem::Problem;
use std::collections::HashMap;

use crate::{
    app::App,
    domain::FarmView,
    http::{agents, farm, federation, refused::not_read},
    session::Session,
    site::ACTOR,
    store::{ProofFilter, ProofRecord, Village},
};

/// Proofs on the page.
const PROOFS_MAX: u32 = 20;
/// Followers on the page.
const FOLLOWERS_MAX: u32 = 50;

/// What everyone sees of the farm.
pub(super) struct FarmCard {
    pub(super) name: String,
    pub(super) account: String,
    pub(super) alt: String,
    pub(super) level: u64,
    pub(super) coins: u64,
    pub(super) next_level_at: u64,
    pub(super) streak: u32,
    pub(super) badges: Vec<(&'static str, &'static str)>,
    pub(super) categories: Vec<CategoryBar>,
}

/// A category with its share of the largest one, in percent.
pub(super) struct CategoryBar {
    pub(super) category: Category,
    pub(super) proofs: u64,
    pub(super) coins: u64,
    pub(super) share: u64,
}

/// A proof as the owner sees it, checked once more for this page.
pub(super) struct ProofLine {
    pub(super) when: String,
    pub(super) description: String,
    pub(super) category: Category,
    pub(super) alias: String,
    pub(super) coins: u64,
    pub(super) verified: bool,
}

#[derive(Template)]
#[template(path = "visitor.html")]
pub(super) struct VisitorPage {
    title: String,
    farm: FarmCard,
}

#[derive(Template)]
#[template(path = "owner.html")]
pub(super) struct OwnerPage {
    title: String,
    farm: FarmCard,
    form_token: String,
    problem: Option<String>,
    agents: Vec<agents::Shown>,
    proofs: Vec<ProofLine>,
    villages: Vec<Village>,
    followers: Vec<federation::Shown>,
}

impl VisitorPage {
    pub(super) async fn gather(app: &App) -> Result<Self, Problem> {
        let farm = card(app, &farm::figures(app).await?).await?;
        Ok(Self {
            title: farm.name.clone(),
            farm,
        })
    }
}

impl OwnerPage {
    /// Reads everything the owner's page shows; `problem` is what went wrong with the last form.
    pub(super) async fn gather(
        app: &App,
        session: &Session,
        problem: Option<String>,
    ) -> Result<Self, Problem> {
        let farm = card(app, &farm::figures(app).await?).await?;
        let accepted_or_not: Option<RelationState> = None;
        let followers = app
            .federation
            .followers(ACTOR, accepted_or_not, None, FOLLOWERS_MAX);
        let followers = followers
            .await
            .map_err(|error: FederationError| Problem::internal(&error))?;
        Ok(Self {
            title: farm.name.clone(),
            farm,
            form_token: session.form_token.clone(),
            problem,
            agents: agents::all(app).await.map_err(not_read)?,
            proofs: proof_lines(app).await?,
            villages: app.reads.villages().await.map_err(not_read)?,
            followers: followers.into_iter().map(federation::Shown::from).collect(),
        })
    }
}

async fn card(app: &App, farm: &FarmView) -> Result<FarmCard, Problem> {
    let most = farm
        .categories
        .values()
        .map(|t| t.coins)
        .max()
        .unwrap_or(0)
        .max(1);
    let level = farm.level();
    Ok(FarmCard {
        name: farm.profile.name.clone(),
        account: farm::account(app, farm).await?.unwrap_or_default(),
        alt: farmops_farm::alt_text(&farm.drawing(app.now())),
        level,
        coins: farm.coins.earned,
        next_level_at: next_level_at(level),
        streak: farm.streak_days(app.now()),
        badges: farm
            .achievements()
            .iter()
            .map(|a| (a.name, a.description))
            .collect(),
        categories: farm
            .categories
            .iter()
            .map(|(category, totals)| CategoryBar {
                category: *category,
                proofs: totals.proofs,
                coins: totals.coins,
                share: totals.coins.saturating_mul(100) / most,
            })
            .collect(),
    })
}

async fn proof_lines(app: &App) -> Result<Vec<ProofLine>, Problem> {
    let filter = ProofFilter::default();
    let records = app
        .reads
        .proofs(&filter, PROOFS_MAX)
        .await
        .map_err(not_read)?;
    let agents = app.reads.agents().await.map_err(not_read)?;
    let keys: HashMap<_, _> = agents
        .iter()
        .map(|a| (a.agent_id, a.agent.public_key))
        .collect();
    Ok(records
        .iter()
        .filter_map(|record| {
            let key = keys.get(&record.row.agent_id)?;
            proof_line(record, key)
        })
        .collect())
}

fn proof_line(record: &ProofRecord, key: &farmops_protocol::key::PublicKey) -> Option<ProofLine> {
    let parsed = ParsedProof::parse(&record.bytes).ok()?;
    let body = parsed.body().clone();
    let verified = parsed.hash() == record.row.hash && parsed.verify(key).is_ok();
    Some(ProofLine {
        when: body.timestamp.to_string(),
        description: body.action.description,
        category: body.action.category,
        alias: body.agent.cluster_alias,
        coins: record.row.score.coins,
        verified,
    })
}

/// Helpers that the templates call.
impl OwnerPage {
    fn is_pending(agent: &agents::Shown) -> bool {
        agent.status == AgentStatus::Pending
    }

    fn is_revoked(agent: &agents::Shown) -> bool {
        agent.status == AgentStatus::Revoked
    }

    fn is_member(village: &Village) -> bool {
        village.status == MembershipStatus::Active
    }
}
