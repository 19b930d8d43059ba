//! `/api/v1/openapi.json`: what the routes say of themselves, as one `OpenAPI` 3.1 document.
//!
//! A handler says what it answers when it succeeds. What every route has in common is added here: whom it
//! refuses, how often one may ask, and that a refusal is a problem document.
//!
//! The document is committed as `tracker/openapi.json`, so that a change of the interface is seen in
//! review, and served from there.

use axum::{Router, response::IntoResponse, routing::get};
use farmops_protocol::{
    int::SafeUint,
    openapi::{Problem, complete},
};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::{Map, Value, json};
use utoipa::{OpenApi, ToSchema as _};
use utoipa_axum::router::OpenApiRouter;

use super::{log, owner, public, submission};
use crate::{app::App, keyring::TokenScope};

/// The committed document.
pub const TEXT: &str = include_str!("../../openapi.json");

const ABOUT: &str = "A farmer's own server. It checks her agents' proofs, keeps the ledger, turns proofs \
     into coins, and tells villages how her farm is doing.\n\nRoutes with the security scheme `token` take \
     the owner's token, or one that she made with the scope that is named there, as a bearer token. Agents speak by their signatures. A \
     refusal is a problem document (RFC 9457) whose `code` is stable and whose `field` names what to change.";

const TAGS: [(&str, &str); 10] = [
    ("proofs", "Sending proofs, and looking at them."),
    (
        "agents",
        "Who sends proofs, and what their owner makes of them.",
    ),
    (
        "farm",
        "The farm's figures, now or as they were, and what its owner says about herself.",
    ),
    ("shop", "What can be had for coins."),
    ("rules", "By what proofs are scored."),
    (
        "ledger",
        "The entries themselves, and opening one for somebody else.",
    ),
    ("villages", "Where the farm is a member."),
    ("people", "Who follows whom."),
    ("tokens", "Who else may do what."),
    (
        "public",
        "What everyone may see: totals, and the transparency log.",
    ),
];

/// Status, name and meaning.
const REFUSALS: [(&str, &str, &str); 11] = [
    (
        "400",
        "BadRequest",
        "A parameter, or the body as a whole, is not what it should be",
    ),
    ("401", "Unauthorized", "No token, or one that is not known"),
    (
        "403",
        "Forbidden",
        "The token does not reach that far, or the state does not allow it",
    ),
    ("404", "NotFound", "There is no such thing"),
    ("409", "Conflict", "It does not fit the present state"),
    ("413", "ContentTooLarge", "The body is too long"),
    ("415", "UnsupportedMediaType", "The body is of another type"),
    (
        "422",
        "UnprocessableContent",
        "A value breaks a rule; `field` names it",
    ),
    (
        "429",
        "TooManyRequests",
        "Asked too often; `Retry-After` says when to ask again",
    ),
    (
        "500",
        "InternalServerError",
        "A fault of the tracker's, which its log explains",
    ),
    (
        "503",
        "ServiceUnavailable",
        "The store does not answer; `Retry-After` says when to ask again",
    ),
];

#[derive(OpenApi)]
#[openapi(paths(log::tile), components(schemas(Problem, SafeUint)))]
struct Rest;

/// The description, as the routes have it now.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn describe() -> Result<Value, serde_json::Error> {
    let mut open = described(public())?;
    let mut rest = serde_json::to_value(Rest::openapi())?;
    add(&mut open, &mut rest);
    add(&mut open, &mut described(submission())?);
    for scope in TokenScope::ALL {
        let mut owners = described(owner::table(scope))?;
        for operation in operations(&mut owners) {
            operation["security"] = json!([{ "token": [scope] }]);
        }
        add(&mut open, &mut owners);
    }
    for operation in operations(&mut open) {
        finish(operation);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "FarmOps tracker",
            "version": "1",
            "description": ABOUT,
            "license": { "name": "AGPL-3.0-only", "identifier": "AGPL-3.0-only" },
        },
        "tags": TAGS.map(|(name, description)| json!({ "name": name, "description": description })),
        "paths": open["paths"].take(),
        "components": open["components"].take(),
    });
    document["components"]["responses"] = refusals().into();
    let text = |about: &str| json!({ "description": about, "schema": { "type": "string" } });
    document["components"]["headers"] = json!({
        "RateLimit": text("What is left of the quota (draft-ietf-httpapi-ratelimit-headers)"),
        "RateLimit-Policy": text("The quota"),
        "Retry-After": { "description": "Seconds", "schema": { "type": "integer" } },
        "WWW-Authenticate": text("`Bearer`"),
    });
    document["components"]["securitySchemes"] = json!({
        "token": { "type": "http", "scheme": "bearer" }
    });
    complete(&mut document)?;
    Ok(document)
}

fn described(router: OpenApiRouter<App>) -> Result<Value, serde_json::Error> {
    serde_json::to_value(router.into_openapi())
}

/// Adds the paths and schemas of `more`.
fn add(all: &mut Value, more: &mut Value) {
    for place in ["/paths", "/components/schemas"] {
        let Some(Value::Object(members)) = more.pointer_mut(place).map(Value::take) else {
            continue;
        };
        for (name, member) in members {
            let here = all.pointer_mut(place).and_then(Value::as_object_mut);
            let Some(here) = here else { continue };
            match (here.get_mut(&name), member) {
                // Another method of the same path.
                (Some(Value::Object(known)), Value::Object(methods)) => known.extend(methods),
                (_, member) => {
                    here.insert(name, member);
                }
            }
        }
    }
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document["paths"].as_object_mut().into_iter();
    paths
        .flat_map(Map::values_mut)
        .filter_map(Value::as_object_mut)
        .flat_map(|item| item.iter_mut())
        .filter(|(name, _)| ["get", "put", "post", "delete"].contains(&name.as_str()))
        .map(|(_, operation)| operation)
}

/// Adds what every operation of its kind has.
fn finish(operation: &mut Value) {
    let named = |place: &str| {
        let parameters = operation["parameters"].as_array();
        parameters.is_some_and(|all| all.iter().any(|p| p["in"] == place))
    };
    let (in_path, anywhere) = (named("path"), operation["parameters"].is_array());
    let body = operation["requestBody"].is_object();
    let own = operation["security"].is_array();
    let applies = |status: &str| match status {
        "400" | "422" => anywhere || body,
        "401" | "403" => own,
        "404" => in_path,
        "409" => body || in_path,
        "413" | "415" => body,
        _ => true,
    };
    for (status, name, _) in REFUSALS {
        if applies(status) && operation["responses"][status].is_null() {
            operation["responses"][status] =
                json!({ "$ref": format!("#/components/responses/{name}") });
        }
    }
    let tag = operation["tags"][0].as_str().unwrap_or_default();
    let name = operation["operationId"].as_str().unwrap_or_default();
    operation["operationId"] = format!("{tag}-{}", name.replace('_', "-")).into();
    let responses = operation["responses"].as_object_mut().into_iter().flatten();
    for (status, response) in responses {
        if response.get("$ref").is_some() {
            continue;
        }
        if status.as_str() >= "400" {
            response["content"] = problem();
        }
        response["headers"] = headers(status);
    }
}

fn problem() -> Value {
    let schema = format!("#/components/schemas/{}", Problem::name());
    json!({ "application/problem+json": { "schema": { "$ref": schema } } })
}

/// The refusals that many operations have in common.
fn refusals() -> Map<String, Value> {
    let refusal = |(status, name, description): &(&str, &str, &str)| {
        let response = json!({
            "description": description,
            "content": problem(),
            "headers": headers(status),
        });
        ((*name).to_owned(), response)
    };
    REFUSALS.iter().map(refusal).collect()
}

/// The header fields that an answer of this status may have.
fn headers(status: &str) -> Value {
    let mut names = vec!["RateLimit", "RateLimit-Policy"];
    match status {
        "401" => names.push("WWW-Authenticate"),
        "429" | "503" => names.push("Retry-After"),
        _ => (),
    }
    let fields = names.into_iter().map(|name| {
        let field = json!({ "$ref": format!("#/components/headers/{name}") });
        (name.to_owned(), field)
    });
    Value::Object(fields.collect())
}

/// The document, for everyone.
pub(super) fn routes() -> Router {
    Router::new().route("/api/v1/openapi.json", get(show))
}

async fn show() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "application/vnd.oai.openapi+json;version=3.1"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, TEXT)
}
