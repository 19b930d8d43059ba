//! The shop: what can be had for coins, why something cannot, and having it.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use farmops_farm::{
    catalogue::{Catalogue, Kind},
    shop::{Customer, NotForSale, Offer, offers, season_at},
};
use farmops_service::problem::Problem;
use http::StatusCode;
use uuid::Uuid;

use super::{
    filters,
    frame::{Fault, Frame, Owner, OwnersForm, done, sentence},
    framed,
};
use crate::{
    app::App,
    http::{farm::figures, idempotency, shop},
};

/// An item as it lies in the shop.
struct Ware {
    slug: String,
    name: String,
    description: String,
    owned_level: u64,
    level_max: u64,
    price: Option<u64>,
    /// `+5 % toil`.
    boosts: Vec<String>,
    /// Why it cannot be bought.
    reason: Option<String>,
    /// Whether that is its price, which the reason then names.
    dear: bool,
    /// The key of the purchase that its button asks for: pressed twice, it is bought once.
    key: Uuid,
}

#[derive(Template)]
#[template(path = "shop.html")]
struct ShopPage {
    frame: Frame,
    balance: u64,
    debt: u64,
    level: u64,
    season: &'static str,
    shelves: Vec<(&'static str, Vec<Ware>)>,
}

/// Shows the shop.
pub(in crate::http) async fn show(State(app): State<App>, owner: Owner) -> Response {
    page(&app, (owner, None)).await
}

async fn page(app: &App, shown: (Owner, Option<Fault>)) -> Response {
    gather(app, shown).await.into_response()
}

async fn gather(app: &App, (owner, fault): (Owner, Option<Fault>)) -> Result<Response, Problem> {
    let farm = figures(app).await?;
    let customer = Customer {
        owned: &farm.upgrades,
        farm_level: farm.level(),
        balance: farm.coins.current(),
        season: season_at(app.now()),
    };
    let offered = offers(Catalogue::builtin(), &customer);
    let shelves = Kind::ALL.iter().map(|kind| {
        let on_it = offered.iter().filter(|offer| offer.item.kind == *kind);
        let mut wares: Vec<_> = on_it.map(ware).collect();
        wares.sort_by_key(|ware| (ware.reason.is_some(), ware.price.is_none()));
        (shelf(*kind), wares)
    });
    let page = ShopPage {
        balance: customer.balance,
        debt: farm.coins.owed(),
        level: customer.farm_level,
        season: customer.season.as_str(),
        shelves: shelves.collect(),
        frame: owner.frame(&farm, "/shop", fault),
    };
    framed(app, &page.frame, &page)
}

fn shelf(kind: Kind) -> &'static str {
    match kind {
        Kind::Building => "Buildings",
        Kind::Upgrade => "Upgrades",
        Kind::Cosmetic => "Ornaments",
        Kind::Seasonal => "Of the season",
    }
}

fn ware(offer: &Offer<'_>) -> Ware {
    let item = offer.item;
    let boosts = item.boosts_bp.iter().map(|(category, basis_points)| {
        let (whole, rest) = (basis_points / 100, basis_points % 100);
        if rest == 0 {
            format!("+{whole} % {category}")
        } else {
            format!("+{whole}.{rest:02} % {category}")
        }
    });
    Ware {
        slug: item.slug.clone(),
        name: item.name.clone(),
        description: item.description.clone(),
        owned_level: offer.owned_level,
        level_max: item.level_max(),
        price: offer.price,
        boosts: boosts.collect(),
        reason: offer.decision.as_ref().err().map(ToString::to_string),
        dear: matches!(offer.decision, Err(NotForSale::TooFewCoins { .. })),
        key: Uuid::new_v4(),
    }
}

/// Buys the next level of an item, once for each key.
pub(in crate::http) async fn buy(State(app): State<App>, form: OwnersForm) -> Response {
    let item = form.fields.text("item").to_owned();
    let field = format!("buy-{item}");
    let Some(key) = idempotency::parse(form.fields.text("key")) else {
        return page(&app, form.fault(field, "This page is too old; try again.")).await;
    };
    match shop::buy(&app, key, item.clone()).await {
        Ok((status, _)) => {
            let name = Catalogue::builtin()
                .item(&item)
                .map_or(item.as_str(), |item| &item.name);
            let told = match status {
                StatusCode::CREATED => format!("{name} is yours."),
                _ => format!("{name} is yours; it was bought once."),
            };
            done(&app, "/shop", &told)
        }
        Err(error) => page(&app, form.fault(field, sentence(&error))).await,
    }
}
