//! `/api/v1/rules`: by what proofs are scored.

use axum::{Json, extract::State};
use farmops_protocol::{digest::Digest, scoring::RuleSet};
use farmops_service::problem::{Bounded, Path, Problem};
use http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    proofs::require_json,
    refused::{not_read, not_written},
};
use crate::{app::App, domain::decide_rules};

/// Bytes of a rules file.
pub(super) const RULES_BYTES_MAX: usize = 65_536;

/// Rules with their name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NamedRules)]
pub(super) struct Named {
    digest: Digest,
    rules: RuleSet,
}

impl From<RuleSet> for Named {
    fn from(rules: RuleSet) -> Self {
        Self {
            digest: rules.digest(),
            rules,
        }
    }
}

/// Shows the rules that proofs are scored by now.
#[utoipa::path(
    get,
    path = "/api/v1/rules",
    tag = "rules",
    responses((status = 200, description = "The rules in force", body = Named)),
)]
pub(super) async fn show(State(app): State<App>) -> Result<Json<Named>, Problem> {
    let rules = app.reads.rules(None).await.map_err(not_read)?;
    let rules = rules.ok_or_else(|| Problem::unavailable(1))?;
    Ok(Json(rules.into()))
}

/// Shows rules that proofs were once scored by.
#[utoipa::path(
    get,
    path = "/api/v1/rules/{digest}",
    tag = "rules",
    params(("digest" = Digest, Path, description = "Of the rule set")),
    responses((status = 200, description = "Those rules", body = Named)),
)]
pub(super) async fn by_digest(
    State(app): State<App>,
    Path(digest): Path<String>,
) -> Result<Json<Named>, Problem> {
    let reason = "expected the 64 hexadecimal digits of a rule set's digest";
    let digest: Digest = digest
        .parse()
        .map_err(|_| Problem::bad_request("digest", reason))?;
    let rules = app.reads.rules(Some(digest)).await.map_err(not_read)?;
    let rules = rules.ok_or_else(|| Problem::not_found("rules"))?;
    Ok(Json(rules.into()))
}

/// Takes other rules; they count for later proofs.
#[utoipa::path(
    put,
    path = "/api/v1/rules",
    tag = "rules",
    request_body(content = RuleSet),
    responses((status = 200, description = "The rules in force now", body = Named)),
)]
pub(super) async fn adopt(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bounded<RULES_BYTES_MAX>, Problem>,
) -> Result<Json<Named>, Problem> {
    require_json(&headers)?;
    let Bounded(bytes) = body.map_err(|problem| problem.field("$"))?;
    let rules = parsed(&bytes)?;
    let adopted = rules.clone();
    let decide = move |state: &_, _| Ok(decide_rules(state, adopted.clone()).into_iter().collect());
    let done = app.writer.decide(decide, |_| ()).await;
    done.map(|()| Json(rules.into()))
        .map_err(|e| not_written(&e))
}

pub(super) fn parsed(bytes: &[u8]) -> Result<RuleSet, Problem> {
    RuleSet::parse(bytes).map_err(|error| Problem::unprocessable(&error.field, &error.reason))
}
