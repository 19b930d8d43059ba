//! `/farmers/@alice`, `/farmers/@alice@orchard.example`: a farmer and her farm.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use farmops_farm::{achievements::Achievement, catalogue::Catalogue, level};
use farmops_protocol::snapshot::Snapshot;
use farmops_service::problem::Path;

use super::{
    PageError, render,
    text::{capitalised, counted, day, grouped, moment, of_slug},
    view::{FarmPicture, Shell},
};
use crate::{
    farmer::{Following, Membership},
    http::{failed, farm_of, shown_farmer},
    leagues::Leagues,
    limits::HISTORY_POINTS_MAX,
    pages::farmer::spark::Spark,
    store::{HistoryPoint, StoredSnapshot},
    village::Village,
};

mod spark;

#[derive(Template)]
#[template(path = "farmer.html")]
struct FarmerPage {
    shell: Shell,
    farm: FarmPicture,
    name: String,
    handle: String,
    member: bool,
    followed: bool,
    stats: Option<Stats>,
    page: Option<String>,
    actor: String,
    key: String,
    fingerprint: String,
    api: String,
}

struct Stats {
    coins: String,
    level: u64,
    streak: String,
    proofs: String,
    next_level: u64,
    to_next: String,
    progress: u64,
    season: String,
    at: String,
    at_text: String,
    categories: Vec<Bar>,
    badges: Vec<Badge>,
    built: Vec<String>,
    leagues: Vec<String>,
    spark: Option<Spark>,
}

struct Bar {
    slug: &'static str,
    label: String,
    coins: String,
    proofs: String,
    percent: u64,
}

struct Badge {
    name: String,
    about: String,
}

/// The farm's picture. It has an address of its own below the page, so that a handle, and not
/// an id, stands in it.
pub(super) use crate::http::farm_picture_at as picture;

pub(super) async fn show(
    State(village): State<Village>,
    Path(handle): Path<String>,
) -> Result<Response, PageError> {
    let refused = |problem| village.page_error(problem);
    let farmer = shown_farmer(&village, &handle).await.map_err(refused)?;
    let canonical = farmer.path(village.host_name());
    if format!("/farmers/{handle}") != canonical {
        // An id, or a handle with this village's own host: one page has one address.
        return Ok(axum::response::Redirect::permanent(&canonical).into_response());
    }
    let inside = |error| village.page_error(failed(error));
    let newest = village
        .store()
        .newest_snapshot(farmer.id)
        .await
        .map_err(inside)?;
    let history = village
        .store()
        .history(farmer.id, None, HISTORY_POINTS_MAX)
        .await
        .map_err(inside)?;
    let sequence = newest
        .as_ref()
        .map_or(0, |stored| stored.document.snapshot().sequence.value());
    let farm = farm_of(&farmer, newest.as_ref());
    let page = FarmerPage {
        shell: Shell::live(&village, ""),
        farm: FarmPicture::of(&farmer.account, village.host_name(), &farm, sequence),
        name: farmer.display_name.clone(),
        handle: farmer.account.to_handle(),
        member: farmer.membership == Some(Membership::Active),
        followed: farmer.following == Some(Following::Active),
        stats: newest.map(|stored| stats(&stored, &history, village.leagues())),
        page: farmer
            .page
            .filter(|page| matches!(page.scheme(), "http" | "https"))
            .map(|page| page.to_string()),
        actor: farmer.actor.to_string(),
        key: farmer.farmer_key.to_string(),
        fingerprint: farmer.farmer_key.fingerprint().to_string(),
        api: village
            .url_of(&format!("/api/v1/farmers/{}", farmer.id))
            .to_string(),
    };
    Ok(render(&page))
}

fn stats(stored: &StoredSnapshot, history: &[HistoryPoint], supplied: &Leagues) -> Stats {
    let snapshot = stored.document.snapshot();
    let coins = snapshot.total_coins.value();
    let present = snapshot.level.value();
    let at = stored.document.post().published;
    let proofs = snapshot
        .category_totals
        .iter()
        .map(|total| total.proofs.value())
        .fold(0, u64::saturating_add);
    let goal = level::next_level_at(present);
    let start = if present > 1 {
        level::next_level_at(present - 1)
    } else {
        0
    };
    Stats {
        coins: grouped(coins),
        level: present,
        streak: counted(snapshot.streak_days.value(), "day", "days"),
        proofs: grouped(proofs),
        next_level: present.saturating_add(1),
        to_next: grouped(goal.saturating_sub(coins)),
        progress: percent(coins.saturating_sub(start), goal.saturating_sub(start)),
        season: snapshot.season.clone(),
        at: at.to_string(),
        at_text: moment(at),
        categories: bars(snapshot),
        badges: snapshot
            .achievements
            .iter()
            .map(|slug| badge(slug))
            .collect(),
        built: built(snapshot),
        leagues: leagues(snapshot, supplied),
        spark: Spark::of(history, day),
    }
}

fn bars(snapshot: &Snapshot) -> Vec<Bar> {
    let mut totals: Vec<_> = snapshot
        .category_totals
        .iter()
        .filter(|total| total.proofs.value() > 0)
        .collect();
    totals.sort_by_key(|total| (std::cmp::Reverse(total.coins), total.category));
    let most = totals.first().map_or(0, |total| total.coins.value());
    totals
        .into_iter()
        .map(|total| Bar {
            slug: total.category.as_str(),
            label: capitalised(total.category.as_str()),
            coins: grouped(total.coins.value()),
            proofs: counted(total.proofs.value(), "proof", "proofs"),
            percent: percent(total.coins.value(), most),
        })
        .collect()
}

fn badge(slug: &str) -> Badge {
    match Achievement::find(slug) {
        Some(known) => Badge {
            name: known.name.to_owned(),
            about: known.description.to_owned(),
        },
        // Another server may give badges that this one does not know.
        None => Badge {
            name: of_slug(slug),
            about: String::new(),
        },
    }
}

/// A league counts by rules of its own, so its coins are no part of the farm's. Whether these are the
/// rules that this village supplies for it stands beside them.
fn leagues(snapshot: &Snapshot, supplied: &Leagues) -> Vec<String> {
    let totals = snapshot.league_totals.iter();
    totals
        .map(|total| {
            let coins = counted(total.coins.value(), "coin", "coins");
            match supplied.named(&total.league) {
                Some(league) if league.rules.digest() == total.rules => {
                    format!("{}: {coins} by its own rules", league.name)
                }
                Some(_) => format!(
                    "{}: {coins}, by other rules than this village has for it",
                    total.league
                ),
                None => format!("{}: {coins} by its own rules", total.league),
            }
        })
        .collect()
}

fn built(snapshot: &Snapshot) -> Vec<String> {
    snapshot
        .upgrades
        .iter()
        .filter(|upgrade| upgrade.level.value() > 0)
        .map(|upgrade| {
            let name = Catalogue::builtin()
                .item(&upgrade.slug)
                .map_or_else(|| of_slug(&upgrade.slug), |item| item.name.clone());
            match upgrade.level.value() {
                1 => name,
                level => format!("{name}, level {level}"),
            }
        })
        .collect()
}

/// `part` of `whole` in whole per cent, 0 to 100.
fn percent(part: u64, whole: u64) -> u64 {
    let share = u128::from(part) * 100 / u128::from(whole.max(1));
    u64::try_from(share).unwrap_or(100).min(100)
}
