//! `/api/v1/shop`: what can be had for coins, and having it.

use std::collections::BTreeMap;

use axum::{Json, extract::State, response::Response};
use farmops_farm::{
    catalogue::{Catalogue, Kind},
    level::level,
    season::Season,
    shop::{Customer, Offer, offers, season_at},
};
use farmops_protocol::{digest::Digest, proof::Category, time::Timestamp};
use farmops_service::problem::{Problem, StrictJson};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    etag::tagged_json,
    farm::figures,
    idempotency::IdempotencyKey,
    refused::{not_read, not_written},
};
use crate::{
    app::App,
    domain::{Purchase, State as Farm, decide_purchase},
    writer::WriteError,
};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Catalogue)]
struct Items<'a> {
    /// What may be spent.
    balance: u64,
    items: Vec<Shown<'a>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CatalogueItem)]
struct Shown<'a> {
    slug: &'a str,
    kind: &'static str,
    name: &'a str,
    description: &'a str,
    /// Coins for each level, the first one first.
    prices: &'a [u64],
    farm_level: u64,
    requires: &'a [String],
    boosts_bp: &'a BTreeMap<Category, u32>,
    season: Option<&'static str>,
    owned_level: u64,
    /// Coins for the next level; null at the highest one.
    next_price: Option<u64>,
    /// Whether it can be bought now.
    available: bool,
    /// Why not, if it cannot.
    reason: Option<Reason>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Reason {
    code: &'static str,
    text: String,
}

/// Lists the catalogue as this farm sees it.
#[utoipa::path(
    get,
    path = "/api/v1/shop/items",
    tag = "shop",
    params(("If-None-Match" = Option<String>, Header, description = "A tag that was answered before")),
    responses((status = 200, description = "The catalogue as this farm sees it", body = Items), (status = 304, description = "It is what `If-None-Match` names")),
)]
pub(super) async fn items(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let farm = figures(&app).await?;
    let customer = Customer {
        owned: &farm.upgrades,
        farm_level: farm.level(),
        balance: farm.coins.current(),
        season: season_at(app.now()),
    };
    let shown = Items {
        balance: customer.balance,
        items: offers(Catalogue::builtin(), &customer)
            .into_iter()
            .map(shown)
            .collect(),
    };
    tagged_json(&headers, &shown)
}

fn shown(offer: Offer<'_>) -> Shown<'_> {
    let item = offer.item;
    let reason = offer.decision.err();
    Shown {
        slug: &item.slug,
        kind: match item.kind {
            Kind::Building => "building",
            Kind::Upgrade => "upgrade",
            Kind::Cosmetic => "cosmetic",
            Kind::Seasonal => "seasonal",
        },
        name: &item.name,
        description: &item.description,
        prices: &item.prices,
        farm_level: item.farm_level,
        requires: &item.requires,
        boosts_bp: &item.boosts_bp,
        season: item.season().map(Season::as_str),
        owned_level: offer.owned_level,
        next_price: offer.price,
        available: reason.is_none(),
        reason: reason.map(|reason| Reason {
            code: reason.code(),
            text: reason.to_string(),
        }),
    }
}

/// What is to be bought.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PurchaseRequest)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    item: String,
}

/// A purchase, and what is left.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Purchased)]
pub(super) struct Bought {
    #[serde(flatten)]
    purchase: Recorded,
    /// What may be spent now.
    balance: u64,
    /// The farm's level now.
    farm_level: u64,
}

/// A purchase as it is recorded.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PurchaseRecord)]
pub(super) struct Recorded {
    position: u64,
    item: String,
    level: u64,
    price: u64,
    purchased_at: Timestamp,
}

impl From<Purchase> for Recorded {
    fn from(purchase: Purchase) -> Self {
        Self {
            position: purchase.position,
            item: purchase.item,
            level: purchase.level,
            price: purchase.price,
            purchased_at: purchase.purchased_at,
        }
    }
}

/// Buys the next level of an item, once for each key: 201 now, 200 if it happened before.
#[utoipa::path(
    post,
    path = "/api/v1/shop/purchase",
    tag = "shop",
    params(("Idempotency-Key" = String, Header, description = "The same key buys once; a String of Structured Fields (RFC 9651), or the same without its quotes", pattern = r#"^([!#-+\--:<-\[\]-~]{1,255}|"([ !#-\[\]-~]|\\["\\]){1,255}")$"#)),
    request_body(content = Wanted),
    responses((status = 201, description = "Bought", body = Bought), (status = 200, description = "Bought before with this key", body = Bought), (status = 404, description = "No such item")),
)]
pub(super) async fn purchase(
    State(app): State<App>,
    IdempotencyKey(key): IdempotencyKey,
    StrictJson(wanted): StrictJson<Wanted, 1024>,
) -> Result<(StatusCode, Json<Bought>), Problem> {
    let bought = buy(&app, key, wanted.item).await;
    let (status, bought) = bought.map_err(|e| not_written(&e))?;
    Ok((status, Json(bought)))
}

/// Buys the next level of `item`, once for each key.
pub(super) async fn buy(
    app: &App,
    key: Digest,
    item: String,
) -> Result<(StatusCode, Bought), WriteError> {
    let answer = move |state: &Farm, before: u64| {
        // It has just been found or recorded.
        let found = state.purchases.iter().find(|p| p.idempotency_key == key);
        found.map(|purchase| {
            let status = if purchase.position > before {
                StatusCode::CREATED
            } else {
                StatusCode::OK
            };
            let bought = Bought {
                purchase: purchase.clone().into(),
                balance: state.coins.current(),
                farm_level: level(state.coins.earned),
            };
            (status, bought)
        })
    };
    let decided = app
        .writer
        .decide_with(
            move |state, now| {
                let event = decide_purchase(state, key, &item, now)?;
                Ok((event.into_iter().collect(), state.position))
            },
            answer,
        )
        .await?;
    decided.ok_or(WriteError::Unavailable)
}

/// Everything that was bought.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PurchaseList)]
pub(super) struct Purchases {
    purchases: Vec<Recorded>,
}

/// Lists what was bought, the latest first.
#[utoipa::path(
    get,
    path = "/api/v1/shop/purchases",
    tag = "shop",
    responses((status = 200, description = "What was bought, the latest first", body = Purchases)),
)]
pub(super) async fn purchases(State(app): State<App>) -> Result<Json<Purchases>, Problem> {
    let purchases = app.reads.purchases().await.map_err(not_read)?;
    Ok(Json(Purchases {
        purchases: purchases.into_iter().rev().map(Recorded::from).collect(),
    }))
}
