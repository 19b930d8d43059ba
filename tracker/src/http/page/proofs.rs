//! The proofs: a list by agent and category, and one with its score explained factor by factor.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use farmops_protocol::{
    proof::{Category, ParsedProof, ProofBody},
    snapshot::season_of,
};
use farmops_service::problem::{Path, Problem, Query};
use serde::Deserialize;
use url::form_urlencoded::Serializer;
use uuid::Uuid;

use super::{
    filters,
    frame::{Frame, Owner},
    framed,
    when::When,
};
use crate::{
    app::App,
    domain::{Agent, FarmView, Schedule},
    http::{
        farm::figures,
        proofs::{Whose, one as proof_of},
        refused::not_read,
    },
    store::{AgentRecord, ProofFilter, ProofRecord},
};

/// Proofs on a page.
const PAGE: u32 = 50;

/// Which proofs. What does not parse is taken for not chosen: it came from an old link.
#[derive(Deserialize)]
pub(in crate::http) struct Wanted {
    #[serde(default)]
    agent: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    before: String,
}

/// A proof as a line of the list.
struct Line {
    id: Uuid,
    agent: Uuid,
    when: When,
    description: String,
    category: Category,
    alias: String,
    coins: u64,
    verified: bool,
    archived: bool,
    counts: bool,
}

#[derive(Template)]
#[template(path = "proofs.html")]
struct ProofsPage {
    frame: Frame,
    lines: Vec<Line>,
    agents: Vec<(Uuid, String, bool)>,
    categories: Vec<(Category, bool)>,
    filtered: bool,
    first: String,
    next: Option<String>,
    paged: bool,
}

/// Lists the proofs, latest first.
pub(in crate::http) async fn list(
    State(app): State<App>,
    owner: Owner,
    Query(wanted): Query<Wanted>,
) -> Response {
    listed(&app, owner, &wanted).await.into_response()
}

async fn listed(app: &App, owner: Owner, wanted: &Wanted) -> Result<Response, Problem> {
    let farm = figures(app).await?;
    let filter = ProofFilter {
        agent: wanted.agent.parse().ok(),
        category: wanted.category.parse().ok(),
        since: None,
        before: wanted.before.parse().ok(),
    };
    let records = app.reads.proofs(&filter, PAGE + 1).await;
    let mut records = records.map_err(not_read)?;
    let more = records.len() > PAGE as usize;
    records.truncate(PAGE as usize);
    let agents = app.reads.agents().await.map_err(not_read)?;
    let next = records
        .last()
        .filter(|_| more)
        .map(|record| record.row.position);
    let page = ProofsPage {
        lines: records
            .iter()
            .filter_map(|record| line(record, &agents, &farm.profile.schedule))
            .collect(),
        agents: agents
            .iter()
            .map(|a| {
                (
                    a.agent_id,
                    a.agent.cluster_alias.clone(),
                    filter.agent == Some(a.agent_id),
                )
            })
            .collect(),
        categories: Category::ALL
            .iter()
            .map(|category| (*category, filter.category == Some(*category)))
            .collect(),
        filtered: filter.agent.is_some() || filter.category.is_some(),
        first: link(&filter, None),
        next: next.map(|position| link(&filter, Some(position))),
        paged: filter.before.is_some(),
        frame: owner.frame(&farm, "/proofs", None),
    };
    framed(app, &page.frame, &page)
}

fn link(filter: &ProofFilter, before: Option<u64>) -> String {
    let mut query = Serializer::new(String::new());
    if let Some(agent) = filter.agent {
        query.append_pair("agent", &agent.to_string());
    }
    if let Some(category) = filter.category {
        query.append_pair("category", category.as_str());
    }
    if let Some(before) = before {
        query.append_pair("before", &before.to_string());
    }
    match query.finish() {
        none if none.is_empty() => "/proofs".to_owned(),
        query => format!("/proofs?{query}"),
    }
}

fn line(record: &ProofRecord, agents: &[AgentRecord], schedule: &Schedule) -> Option<Line> {
    let agent = agents.iter().find(|a| a.agent_id == record.row.agent_id)?;
    let archived = record.bytes.is_none();
    let (description, alias, verified) = if archived {
        let season = season_of(record.recorded_at);
        let alias = agent.agent.cluster_alias.clone();
        (format!("Archived with the season {season}"), alias, false)
    } else {
        let (body, verified) = opened(record, &agent.agent)?;
        (body.action.description, body.agent.cluster_alias, verified)
    };
    Some(Line {
        id: record.row.proof_id,
        agent: record.row.agent_id,
        when: When::new(schedule, record.row.timestamp),
        description,
        category: record.row.category,
        alias,
        coins: record.row.score.coins,
        verified,
        archived,
        counts: record.row.counts,
    })
}

/// What a proof says, and whether hash and signature are good: checked anew for this page.
fn opened(record: &ProofRecord, agent: &Agent) -> Option<(ProofBody, bool)> {
    let parsed = ParsedProof::parse(record.bytes.as_ref()?).ok()?;
    let body = parsed.body().clone();
    // Which of its keys signed follows from the place over all branches, which `fsck` knows.
    let mut keys = agent.former_keys.iter().map(|former| &former.key);
    let verified = parsed.hash() == record.row.hash
        && (parsed.clone().verify(&agent.public_key).is_ok()
            || keys.any(|key| parsed.clone().verify(key).is_ok()));
    Some((body, verified))
}

/// A factor of the score.
struct Factor {
    name: &'static str,
    /// What it is taken from.
    because: String,
    /// `× 1.25`.
    value: String,
}

#[derive(Template)]
#[template(path = "proof.html")]
struct ProofPage {
    frame: Frame,
    body: ProofBody,
    finished: When,
    recorded: When,
    verified: bool,
    counts: bool,
    earns: bool,
    coins: u64,
    /// Coins that a cap took away.
    capped: u64,
    base: u32,
    factors: Vec<Factor>,
    chain_length: u64,
    branch: u64,
    position: u64,
    hash: String,
    document: String,
}

/// A proof of which only its row is here.
#[derive(Template)]
#[template(path = "proof-archived.html")]
struct ArchivedPage {
    frame: Frame,
    season: String,
    finished: When,
    category: Category,
    coins: u64,
    counts: bool,
    position: u64,
    hash: String,
}

fn archived(owner: Owner, farm: &FarmView, record: &ProofRecord) -> ArchivedPage {
    ArchivedPage {
        frame: owner.frame(farm, "/proofs", None),
        season: season_of(record.recorded_at),
        finished: When::new(&farm.profile.schedule, record.row.timestamp),
        category: record.row.category,
        coins: record.row.score.coins,
        counts: record.row.counts,
        position: record.row.position,
        hash: record.row.hash.to_string(),
    }
}

/// Shows one proof.
pub(in crate::http) async fn one(
    State(app): State<App>,
    owner: Owner,
    Path(id): Path<Uuid>,
    Query(whose): Query<Whose>,
) -> Response {
    shown(&app, owner, id, whose).await.into_response()
}

async fn shown(app: &App, owner: Owner, id: Uuid, whose: Whose) -> Result<Response, Problem> {
    let farm = figures(app).await?;
    let record = proof_of(app, id, whose).await?;
    let agents = app.reads.agents().await.map_err(not_read)?;
    let agent = agents.iter().find(|a| a.agent_id == record.row.agent_id);
    let agent = agent.ok_or_else(|| Problem::not_found("agent"))?;
    let Some(document) = &record.bytes else {
        let page = archived(owner, &farm, &record);
        return framed(app, &page.frame, &page);
    };
    let document = String::from_utf8_lossy(document).into_owned();
    let (body, verified) =
        opened(&record, &agent.agent).ok_or_else(|| Problem::not_found("proof"))?;
    let page = ProofPage {
        finished: When::new(&farm.profile.schedule, record.row.timestamp),
        recorded: When::new(&farm.profile.schedule, record.recorded_at),
        verified,
        counts: record.row.counts,
        earns: record.row.earns,
        coins: record.row.score.coins,
        capped: record.row.score.capped,
        base: record.row.score.base_coins,
        factors: factors(&record, &body),
        chain_length: record.row.chain_length,
        branch: record.row.branch,
        position: record.row.position,
        hash: record.row.hash.to_string(),
        document,
        body,
        frame: owner.frame(&farm, "/proofs", None),
    };
    framed(app, &page.frame, &page)
}

fn factors(record: &ProofRecord, body: &ProofBody) -> Vec<Factor> {
    let score = &record.row.score;
    let reached = body.scoring_hints.impact_radius.value();
    let because = [
        (
            "Complexity",
            score.complexity_bp,
            format!(
                "The work was of {} complexity.",
                body.scoring_hints.complexity.as_str()
            ),
        ),
        (
            "Impact",
            score.impact_bp,
            format!("Its impact radius is {reached}."),
        ),
        (
            "Streak",
            score.streak_bp,
            "Working days in a row, as they were then.".to_owned(),
        ),
        (
            "Upgrades",
            score.upgrade_bp,
            format!("What the farm owned for {} then.", body.action.category),
        ),
        (
            "Repetition",
            score.repetition_bp,
            "How often the same was done within the hour.".to_owned(),
        ),
    ];
    because
        .into_iter()
        .map(|(name, basis_points, because)| Factor {
            name,
            because,
            value: times(basis_points),
        })
        .collect()
}

/// Basis points as a factor.
fn times(basis_points: u32) -> String {
    let digits = format!("{}.{:04}", basis_points / 10_000, basis_points % 10_000);
    let (whole, rest) = digits.split_at(digits.len() - 2);
    format!("× {whole}{}", rest.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_is_told_exactly_and_with_two_places_at_least() {
        let told = [10_000, 12_500, 11_111, 500, 20_010].map(times);
        assert_eq!(told, ["× 1.00", "× 1.25", "× 1.1111", "× 0.05", "× 2.001"]);
    }

    #[test]
    fn a_link_keeps_what_was_chosen() {
        let filter = ProofFilter {
            category: Some(Category::Toil),
            ..ProofFilter::default()
        };
        assert_eq!(link(&filter, Some(7)), "/proofs?category=toil&before=7");
        assert_eq!(link(&ProofFilter::default(), None), "/proofs");
    }
}
