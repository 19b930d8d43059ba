//! What everyone may see: the profile, the last snapshot, the picture. Totals, never a proof.

use axum::{extract::State, response::Response};
use farmops_farm::{scene, svg};
use farmops_protocol::{key::PublicKey, openapi, proof::Category, time::Timestamp};
use farmops_service::problem::Problem;
use http::{HeaderMap, HeaderValue, header::CONTENT_SECURITY_POLICY};
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use super::{
    etag::{tagged, tagged_json},
    farm::{account, figures},
    refused::not_read,
};
use crate::app::App;

#[derive(Debug, Serialize, ToSchema)]
struct Profile {
    name: String,
    handle: String,
    account: Option<String>,
    actor: Url,
    farmer_key: PublicKey,
    picture: Url,
    level: u64,
    total_coins: u64,
    streak_days: u32,
    achievements: Vec<&'static str>,
    categories: Vec<CategoryTotal>,
    founded_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
struct CategoryTotal {
    category: Category,
    proofs: u64,
    coins: u64,
}

/// The public profile.
#[utoipa::path(
    get,
    path = "/api/v1/public/profile",
    tag = "public",
    params(("If-None-Match" = Option<String>, Header, description = "A tag that was answered before")),
    responses((status = 200, description = "The profile", body = Profile), (status = 304, description = "It is what `If-None-Match` names")),
)]
pub(super) async fn profile(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let farm = figures(&app).await?;
    let profile = Profile {
        account: account(&app, &farm).await?,
        actor: app.site.actor(),
        farmer_key: farm.profile.farmer_key,
        picture: app.site.picture(),
        level: farm.level(),
        total_coins: farm.coins.earned,
        streak_days: farm.streak_days(app.now()),
        achievements: farm.achievements().iter().map(|a| a.slug).collect(),
        categories: farm
            .categories
            .iter()
            .map(|(category, totals)| CategoryTotal {
                category: *category,
                proofs: totals.proofs,
                coins: totals.coins,
            })
            .collect(),
        founded_at: farm.created_at,
        name: farm.profile.name,
        handle: farm.profile.handle,
    };
    tagged_json(&headers, &profile)
}

/// The last signed snapshot, exactly as it was published.
#[utoipa::path(
    get,
    path = "/api/v1/public/snapshot",
    tag = "public",
    params(("If-None-Match" = Option<String>, Header, description = "A tag that was answered before")),
    responses((status = 200, description = "The last signed snapshot", body = openapi::FarmSnapshot, content_type = "application/activity+json"), (status = 304, description = "It is what `If-None-Match` names"), (status = 404, description = "Nothing was published yet")),
)]
pub(super) async fn snapshot(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let published = app.reads.snapshot().await.map_err(not_read)?;
    let published = published.ok_or_else(|| Problem::not_found("snapshot"))?;
    Ok(tagged(
        &headers,
        "application/activity+json",
        published.document,
    ))
}

/// The farm, drawn.
#[utoipa::path(
    get,
    path = "/farm.svg",
    tag = "public",
    params(("If-None-Match" = Option<String>, Header, description = "A tag that was answered before")),
    responses((status = 200, description = "The farm, drawn", body = String, content_type = "image/svg+xml"), (status = 304, description = "It is what `If-None-Match` names")),
)]
pub(super) async fn picture(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let farm = figures(&app).await?;
    let arrangement = app.desk.view(&app, &farm).await?;
    let drawing = farm.drawing(app.now());
    let scene = scene::compose_arranged(&drawing, &arrangement);
    let picture = svg::draw(&scene, &svg::Options::default());
    let mut response = tagged(&headers, "image/svg+xml", picture.into_bytes());
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}
