//! What a farm can have: buildings, upgrades, cosmetics and seasonal items, read from `catalogue.json`.
//!
//! Prices are whole coins and boosts whole basis points, so that every tracker computes the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use farmops_protocol::proof::Category;
use serde::Deserialize;

use crate::season::Season;

#[cfg(test)]
mod tests;

/// What sort of thing an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Stands on the farm and boosts work.
    Building,
    /// Improves the farm as a whole and boosts work.
    Upgrade,
    /// Is only nice to look at.
    Cosmetic,
    /// Is only nice to look at, and sold in one season of the year.
    Seasonal,
}

/// One entry of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its stable name, as it stands in snapshots.
    pub slug: String,
    /// What sort of thing it is.
    pub kind: Kind,
    /// Its name for people.
    pub name: String,
    /// One sentence about it.
    pub description: String,
    /// Coins for level 1, level 2 and so on.
    pub prices: Vec<u64>,
    /// The farm level from which it is sold.
    pub farm_level: u64,
    /// Items that must be owned before.
    pub requires: Vec<String>,
    /// What each of its levels adds to the coins of a category, in basis points.
    #[serde(default)]
    pub boosts_bp: BTreeMap<Category, u32>,
    /// For seasonal items: the quarter of the year, 1 to 4, in which it is sold.
    #[serde(default)]
    pub quarter: Option<u8>,
}

impl Item {
    /// Its highest level.
    pub fn level_max(&self) -> u64 {
        self.prices.len() as u64
    }

    /// Coins for going from `owned_level` (0 when not owned) to the next level; none at the highest.
    pub fn price_after(&self, owned_level: u64) -> Option<u64> {
        let index = usize::try_from(owned_level).ok()?;
        self.prices.get(index).copied()
    }

    /// The season in which it is sold, if it is not sold all year.
    pub fn season(&self) -> Option<Season> {
        self.quarter.and_then(Season::from_quarter)
    }
}

/// An item on a farm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owned {
    /// The item's slug; it may be one that this catalogue does not know.
    pub slug: String,
    /// From 1.
    pub level: u64,
}

/// The level at which `owned` has the item `slug`, 0 when it does not; the highest if it is listed twice.
pub fn level_of(owned: &[Owned], slug: &str) -> u64 {
    owned
        .iter()
        .filter(|of| of.slug == slug)
        .map(|of| of.level)
        .max()
        .unwrap_or(0)
}

/// Everything that can be had, in the order in which a shop shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    items: Vec<Item>,
}

/// Why a catalogue is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It does not have the form of a catalogue.
    #[error("the catalogue does not parse")]
    Form(#[source] serde_json::Error),
    /// A slug has characters other than a-z, 0-9 and -.
    #[error("{0:?} is not a slug")]
    Slug(String),
    /// Two items have the same slug.
    #[error("{0} is listed twice")]
    Duplicate(String),
    /// An item has no price, or one of 0.
    #[error("{0} needs a price above 0 for each level")]
    Price(String),
    /// A prerequisite is not in the catalogue.
    #[error("{item} requires {prerequisite}, which is not listed")]
    UnknownPrerequisite {
        /// The item that requires it.
        item: String,
        /// What it requires.
        prerequisite: String,
    },
    /// An item requires itself, directly or by way of others.
    #[error("the prerequisites of {0} lead back to it")]
    Cycle(String),
    /// Seasonal items have a quarter from 1 to 4, others none.
    #[error("{0} is seasonal without a quarter of the year, or the other way round")]
    Quarter(String),
    /// Cosmetic and seasonal items are not for gain.
    #[error("{0} is only to be looked at, so it boosts nothing")]
    BoostOfCosmetic(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    items: Vec<Item>,
}

impl Catalogue {
    /// The catalogue that this version of the farm comes with.
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Catalogue> = LazyLock::new(|| {
            // The file is part of the program, and a test parses it.
            #[expect(clippy::expect_used, reason = "a constant input, proven by a test")]
            Catalogue::parse(include_str!("../catalogue.json")).expect("builtin catalogue")
        });
        &BUILTIN
    }

    /// Reads and checks a catalogue.
    ///
    /// # Errors
    /// A [`CatalogueError`] for the first rule that is broken.
    pub fn parse(json: &str) -> Result<Self, CatalogueError> {
        let File { items } = serde_json::from_str(json).map_err(CatalogueError::Form)?;
        let mut slugs = BTreeSet::new();
        for item in &items {
            check_item(item)?;
            if !slugs.insert(item.slug.as_str()) {
                return Err(CatalogueError::Duplicate(item.slug.clone()));
            }
        }
        check_prerequisites(&items, &slugs)?;
        Ok(Self { items })
    }

    /// Every item.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The item of that slug.
    pub fn item(&self, slug: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.slug == slug)
    }

    /// What the owned items add to the coins of `category`, in basis points: 0 without any. The factor
    /// of the scoring formula is 10 000 more. Unknown items add nothing, levels above an item's highest
    /// count as its highest, and an item listed twice counts once.
    pub fn upgrade_boost_bp(&self, category: Category, owned: &[Owned]) -> u32 {
        self.items
            .iter()
            .filter_map(|item| {
                let step = item.boosts_bp.get(&category)?;
                let level = owned
                    .iter()
                    .filter(|o| o.slug == item.slug)
                    .map(|o| o.level.min(item.level_max()))
                    .max()?;
                Some(step.saturating_mul(u32::try_from(level).unwrap_or(u32::MAX)))
            })
            .fold(0, u32::saturating_add)
    }
}

/// The rule of the snapshot's slugs: 1 to 64 of a-z, 0-9 and -, the latter not at the ends.
pub(crate) fn is_slug(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn check_item(item: &Item) -> Result<(), CatalogueError> {
    let slug = || item.slug.clone();
    if !is_slug(&item.slug) {
        return Err(CatalogueError::Slug(slug()));
    }
    if item.prices.is_empty() || item.prices.contains(&0) {
        return Err(CatalogueError::Price(slug()));
    }
    if (item.kind == Kind::Seasonal) != item.season().is_some()
        || item.quarter.is_some() != item.season().is_some()
    {
        return Err(CatalogueError::Quarter(slug()));
    }
    if matches!(item.kind, Kind::Cosmetic | Kind::Seasonal) && !item.boosts_bp.is_empty() {
        return Err(CatalogueError::BoostOfCosmetic(slug()));
    }
    Ok(())
}

/// Takes away, again and again, the items whose prerequisites are all gone; what stays is in a cycle.
fn check_prerequisites(items: &[Item], slugs: &BTreeSet<&str>) -> Result<(), CatalogueError> {
    for item in items {
        if let Some(missing) = item.requires.iter().find(|r| !slugs.contains(r.as_str())) {
            return Err(CatalogueError::UnknownPrerequisite {
                item: item.slug.clone(),
                prerequisite: missing.clone(),
            });
        }
    }
    let mut waiting: Vec<&Item> = items.iter().collect();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    while let Some(first) = waiting.first().copied() {
        let before = waiting.len();
        waiting.retain(|item| {
            let ready = item.requires.iter().all(|r| done.contains(r.as_str()));
            if ready {
                done.insert(&item.slug);
            }
            !ready
        });
        if waiting.len() == before {
            return Err(CatalogueError::Cycle(first.slug.clone()));
        }
    }
    Ok(())
}
