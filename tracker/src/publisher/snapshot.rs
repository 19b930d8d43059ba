//! The signed snapshot document.

use askama::Template;
use farmops_protocol::{
    field::FieldError,
    int::SafeUint,
    snapshot::{
        self, CategoryTotal, LeagueTotal, Picture, Post, Snapshot, UpgradeLevel, season_of,
    },
    time::Timestamp,
};
use serde_json::Value;

use super::{Publisher, heads};
use crate::{
    domain::FarmView,
    site::{ACTOR, SNAPSHOTS},
    store::{Publication, SignedHead},
    writer::Glimpse,
};

/// Everyone, in the audience of an object.
pub(super) const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// A snapshot, signed and ready to be written.
pub(super) struct Made {
    pub(super) publication: Publication,
    pub(super) checkpoint: SignedHead,
    pub(super) value: Value,
}

#[derive(Template)]
#[template(path = "post_snapshot.html")]
struct Text<'a> {
    farm: &'a FarmView,
    level: u64,
    streak: u32,
}

pub(super) fn make(
    publisher: &Publisher,
    glimpse: &Glimpse,
    farm: &FarmView,
    now: Timestamp,
) -> Result<Made, FieldError> {
    let sequence = glimpse.published.as_ref().map_or(0, |p| p.sequence) + 1;
    let id = publisher
        .federation
        .object_id(SNAPSHOTS, &sequence.to_string());
    let post = Post {
        id: id.to_string(),
        attributed_to: publisher.site.actor().to_string(),
        published: now,
        to: vec![PUBLIC.to_owned()],
        cc: vec![followers(publisher)],
        url: publisher.site.page().to_string(),
        content: text(farm, now)?,
        attachment: vec![picture(publisher, farm, now)],
    };
    let checkpoint = heads::sign(&publisher.site, &publisher.key, glimpse.head, now);
    let body = figures(publisher, farm, sequence, &checkpoint)?;
    let key_id = publisher.federation.farm_key_id(ACTOR);
    let signed = snapshot::sign(&post, &body, &publisher.key, &key_id)?;
    Ok(Made {
        publication: Publication {
            sequence,
            object_id: id.to_string(),
            ledger_position: glimpse.public_position,
            published_at: now,
            document: signed.to_bytes(),
        },
        checkpoint,
        value: signed.value().clone(),
    })
}

fn figures(
    publisher: &Publisher,
    farm: &FarmView,
    sequence: u64,
    checkpoint: &SignedHead,
) -> Result<Snapshot, FieldError> {
    let now = checkpoint.signed_at;
    Ok(Snapshot {
        farmer_key: publisher.key.public(),
        season: season_of(now),
        sequence: safe("farm:sequence", sequence)?,
        total_coins: safe("farm:totalCoins", farm.coins.earned)?,
        current_coins: safe("farm:currentCoins", farm.coins.current())?,
        streak_days: SafeUint::from(farm.streak_days(now)),
        level: safe("farm:level", farm.level())?,
        upgrades: farm
            .upgrades
            .iter()
            .map(|owned| {
                Ok(UpgradeLevel {
                    slug: owned.slug.clone(),
                    level: safe("farm:upgradeLevel", owned.level)?,
                })
            })
            .collect::<Result<_, FieldError>>()?,
        category_totals: farm
            .categories
            .iter()
            .map(|(category, totals)| {
                Ok(CategoryTotal {
                    category: *category,
                    proofs: safe("farm:proofs", totals.proofs)?,
                    coins: safe("farm:coins", totals.coins)?,
                })
            })
            .collect::<Result<_, FieldError>>()?,
        league_totals: league_totals(farm, &season_of(now))?,
        achievements: farm
            .achievements()
            .iter()
            .map(|a| a.slug.to_owned())
            .collect(),
        checkpoint: checkpoint.note.clone(),
    })
}

/// What the leagues that the farm is in have brought in `season`.
fn league_totals(farm: &FarmView, season: &str) -> Result<Vec<LeagueTotal>, FieldError> {
    let leagues = farm.leagues.iter();
    leagues
        .filter(|(_, league)| league.left_at.is_none())
        .map(|(slug, league)| {
            let coins = league.seasons.get(season).copied().unwrap_or(0);
            Ok(LeagueTotal {
                league: slug.clone(),
                rules: league.rules.digest,
                coins: safe("farm:coins", coins)?,
            })
        })
        .collect()
}

/// The farm's picture with its alternative text.
pub(super) fn picture(publisher: &Publisher, farm: &FarmView, now: Timestamp) -> Picture {
    Picture {
        kind: "Image".to_owned(),
        media_type: "image/svg+xml".to_owned(),
        url: publisher.site.picture().to_string(),
        name: farmops_farm::alt_text(&farm.drawing(now)),
    }
}

pub(super) fn followers(publisher: &Publisher) -> String {
    format!("{}/followers", publisher.site.actor())
}

fn text(farm: &FarmView, now: Timestamp) -> Result<String, FieldError> {
    let text = Text {
        farm,
        level: farm.level(),
        streak: farm.streak_days(now),
    };
    text.render()
        .map_err(|e| FieldError::new("content", e.to_string()))
}

fn safe(field: &str, value: u64) -> Result<SafeUint, FieldError> {
    SafeUint::try_from(value).map_err(|e| FieldError::new(field, e.to_string()))
}
