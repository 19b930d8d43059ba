//! `/api/v1/proofs`: submitting one, listing them, looking at one.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use farmops_ledger::LeagueCoins;
use farmops_protocol::{
    digest::Digest,
    limits::PROOF_BYTES_MAX,
    openapi,
    proof::{ActionType, Category},
    scoring::Score,
    snapshot::season_of,
    time::Timestamp,
};
use farmops_service::problem::{Bounded, Path, Problem, Query};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, LINK, LOCATION},
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    ledger::raw,
    refused::{not_read, not_written, problem_of},
};
use crate::{
    app::App,
    domain::ProofRow,
    store::{ProofFilter, ProofRecord},
    writer::Standing,
};

/// Proofs on a page unless the caller asks for fewer or more.
const PAGE_DEFAULT: u32 = 50;
/// Proofs on a page at most.
const PAGE_MAX: u32 = 200;

/// What is answered to a proof that was accepted.
#[derive(Debug, Serialize, ToSchema)]
struct Accepted {
    proof_id: Uuid,
    hash: Digest,
    standing: &'static str,
}

/// Takes one canonical, signed proof: 201 chained, 202 buffered, 200 here before.
#[utoipa::path(
    post,
    path = "/api/v1/proofs",
    tag = "proofs",
    request_body(content = openapi::Proof),
    responses((status = 201, description = "Chained and scored", body = Accepted), (status = 202, description = "Kept until the agent is approved", body = Accepted), (status = 200, description = "Here before", body = Accepted), (status = 404, description = "The agent is not enrolled"), (status = 403, description = "The agent is revoked")),
)]
pub(super) async fn submit(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bounded<PROOF_BYTES_MAX>, Problem>,
) -> Result<Response, Problem> {
    require_json(&headers)?;
    let Bounded(bytes) = body.map_err(|problem| problem.field("$"))?;
    let mut checked = app.writer.directory().check_all(vec![bytes]).await;
    let proof_id = match checked.first() {
        Some(Ok(submission)) => submission.proof.body().proof_id,
        Some(Err(refusal)) => return Err(problem_of(refusal)),
        None => return Err(Problem::unavailable(1)),
    };
    let mut answers = app
        .writer
        .submit(std::mem::take(&mut checked))
        .await
        .map_err(|e| not_written(&e))?;
    let receipt = match answers.pop() {
        Some(Ok(receipt)) => receipt,
        Some(Err(refusal)) => return Err(problem_of(&refusal)),
        None => return Err(Problem::unavailable(1)),
    };
    let (status, standing) = match receipt.standing {
        Standing::Chained => (StatusCode::CREATED, "chained"),
        Standing::Buffered => (StatusCode::ACCEPTED, "buffered"),
        Standing::Duplicate => (StatusCode::OK, "duplicate"),
    };
    let location = format!("/api/v1/proofs/{proof_id}");
    let accepted = Accepted {
        proof_id,
        hash: receipt.hash,
        standing,
    };
    Ok((status, [(LOCATION, location)], Json(accepted)).into_response())
}

/// Refuses a body that is not declared as JSON.
pub(super) fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let declared = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let essence = declared
        .and_then(|d| d.split(';').next())
        .unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Problem::unsupported_media_type("application/json"))
    }
}

/// Which proofs, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    agent: Option<Uuid>,
    category: Option<Category>,
    #[param(value_type = Option<String>, pattern = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$")]
    since: Option<Timestamp>,
    /// Where the page begins: `next` of the one before.
    #[param(pattern = "^p[0-9a-f]{1,16}$")]
    cursor: Option<String>,
    /// Proofs on the page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A page of the list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ProofPage)]
pub(crate) struct Page {
    pub(crate) proofs: Vec<Shown>,
    /// The cursor of the next page; null on the last one.
    pub(crate) next: Option<String>,
}

/// A proof with what the tracker made of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ScoredProof)]
pub(crate) struct Shown {
    pub(crate) proof_id: Uuid,
    agent_id: Uuid,
    pub(crate) position: u64,
    chain_length: u64,
    hash: Digest,
    recorded_at: Timestamp,
    timestamp: Timestamp,
    category: Category,
    action_type: ActionType,
    pub(crate) coins: u64,
    score: Score,
    /// The branch of its agent's chain that it stands in.
    branch: u64,
    /// The proof before it, or its agent.
    follows: Uuid,
    /// The farmer's day that it counts for.
    day: Option<Date>,
    /// Whether it is a verified success.
    earns: bool,
    /// Whether it counts: not after the last good proof of a revoked agent.
    counts: bool,
    /// What it earned in leagues.
    leagues: Vec<LeagueCoins>,
    /// The season with which what it says is archived; null while it is here.
    archived: Option<String>,
    /// The proof exactly as it was received; null once it is archived.
    #[schema(value_type = Option<openapi::Proof>)]
    proof: Option<Box<RawValue>>,
}

impl Shown {
    /// The row that stands in for the proof.
    pub(crate) fn row(&self) -> ProofRow {
        ProofRow {
            position: self.position,
            proof_id: self.proof_id,
            agent_id: self.agent_id,
            follows: self.follows,
            branch: self.branch,
            chain_length: self.chain_length,
            hash: self.hash,
            timestamp: self.timestamp,
            action_type: self.action_type,
            category: self.category,
            score: self.score,
            day: self.day,
            earns: self.earns,
            leagues: self.leagues.clone(),
            counts: self.counts,
        }
    }

    fn of(record: ProofRecord) -> Result<Self, Problem> {
        let archived = record.bytes.is_none();
        Ok(Self {
            proof_id: record.row.proof_id,
            agent_id: record.row.agent_id,
            position: record.row.position,
            chain_length: record.row.chain_length,
            hash: record.row.hash,
            recorded_at: record.recorded_at,
            timestamp: record.row.timestamp,
            category: record.row.category,
            action_type: record.row.action_type,
            coins: record.row.score.coins,
            score: record.row.score,
            branch: record.row.branch,
            follows: record.row.follows,
            day: record.row.day,
            earns: record.row.earns,
            counts: record.row.counts,
            leagues: record.row.leagues,
            archived: archived.then(|| season_of(record.recorded_at)),
            proof: record.bytes.map(raw).transpose()?,
        })
    }
}

/// Lists proofs, latest first.
#[utoipa::path(
    get,
    path = "/api/v1/proofs",
    tag = "proofs",
    params(Wanted),
    responses((status = 200, description = "A page of them, the latest first", body = Page)),
)]
pub(super) async fn list(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let limit = wanted.limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Problem::bad_request(
            "limit",
            format!("expected 1 to {PAGE_MAX}"),
        ));
    }
    let before = wanted.cursor.as_deref().map(read_cursor).transpose()?;
    let filter = ProofFilter {
        agent: wanted.agent,
        category: wanted.category,
        since: wanted.since,
        before,
    };
    let mut records = app
        .reads
        .proofs(&filter, limit + 1)
        .await
        .map_err(not_read)?;
    let more = records.len() > limit as usize;
    records.truncate(limit as usize);
    let last = records.last().map(|record| record.row.position);
    let next = last.filter(|_| more).map(write_cursor);
    let proofs = records
        .into_iter()
        .map(Shown::of)
        .collect::<Result<_, _>>()?;
    let link = next
        .as_ref()
        .map(|cursor| next_link(&wanted, cursor, limit));
    let mut response = Json(Page { proofs, next }).into_response();
    if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

/// Shows one proof.
#[utoipa::path(
    get,
    path = "/api/v1/proofs/{id}",
    tag = "proofs",
    params(("id" = Uuid, Path, description = "The proof"), Whose),
    responses((status = 200, description = "The proof", body = Shown), (status = 409, description = "Several agents have a proof of that id, and none is named")),
)]
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    Query(whose): Query<Whose>,
) -> Result<impl IntoResponse, Problem> {
    Shown::of(one(&app, id, whose).await?).map(Json)
}

/// Whose proof it is.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    /// The agent: an id stands once in the chain of each.
    agent: Option<Uuid>,
}

/// The one proof of that id, of the named agent if one is named.
pub(super) async fn one(app: &App, id: Uuid, whose: Whose) -> Result<ProofRecord, Problem> {
    let found = app.reads.proof(id, whose.agent).await.map_err(not_read)?;
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Problem::not_found("proof")),
        (Some(_), Some(_)) => {
            let detail = "several agents have a proof of that id; name one with ?agent=";
            Err(Problem::conflict(detail).code("ambiguous").field("agent"))
        }
    }
}

/// A cursor says where the next page begins; callers hand it back and look no further.
pub(crate) fn write_cursor(position: u64) -> String {
    format!("p{position:x}")
}

fn read_cursor(cursor: &str) -> Result<u64, Problem> {
    cursor
        .strip_prefix('p')
        .filter(|digits| digits.len() <= 16)
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or_else(|| Problem::bad_request("cursor", "not a cursor of this list"))
}

fn next_link(wanted: &Wanted, cursor: &str, limit: u32) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(agent) = wanted.agent {
        query.append_pair("agent", &agent.to_string());
    }
    if let Some(category) = wanted.category {
        query.append_pair("category", category.as_str());
    }
    if let Some(since) = wanted.since {
        query.append_pair("since", &since.to_string());
    }
    query.append_pair("cursor", cursor);
    query.append_pair("limit", &limit.to_string());
    format!("</api/v1/proofs?{}>; rel=\"next\"", query.finish())
}
