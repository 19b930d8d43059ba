//! `/api/v1/shop/items`: what can be had for coins.

use axum::{extract::State, response::Response};
use farmops_farm::{
    catalogue::{Catalogue, Item, Kind},
    season::Season,
};
use farmops_protocol::{proof::Category, snapshot::season_of};
use farmops_service::problem::Problem;
use http::HeaderMap;
use serde::Serialize;
use std::collections::BTreeMap;

use super::{etag::tagged_json, farm::figures};
use crate::{app::App, domain::FarmView};

#[derive(Debug, Serialize)]
struct Items<'a> {
    items: Vec<Shown<'a>>,
}

#[derive(Debug, Serialize)]
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
    /// Whether the farm's level and things, and the season, allow it now.
    available: bool,
}

/// Lists the catalogue as this farm sees it.
pub(super) async fn items(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let farm = figures(&app).await?;
    let season = Season::parse(&season_of(app.now()));
    let items = Catalogue::builtin().items().iter();
    let items = items.map(|item| shown(item, &farm, season)).collect();
    tagged_json(&headers, &Items { items })
}

fn shown<'a>(item: &'a Item, farm: &FarmView, season: Option<Season>) -> Shown<'a> {
    let owned = |slug: &str| {
        let of = farm.upgrades.iter().find(|owned| owned.slug == slug);
        of.map_or(0, |owned| owned.level)
    };
    let owned_level = owned(&item.slug);
    let in_season = item.season().is_none_or(|sold| Some(sold) == season);
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
        owned_level,
        next_price: item.price_after(owned_level),
        available: in_season
            && farm.level() >= item.farm_level
            && item.requires.iter().all(|needed| owned(needed) > 0),
    }
}
