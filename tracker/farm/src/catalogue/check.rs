//! What a catalogue must keep to, and how it says which rule is broken.

use std::collections::BTreeSet;

use farmops_protocol::proof::Category;

use super::{BOOST_BP_MAX, Item, Kind, Stands};
use crate::grid::SIDE_MAX;

/// Pieces of one item on a farm.
const PIECES_MAX: u8 = 32;

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
    /// Its pieces do not fit its levels, or a farm.
    #[error("{0} does not say for each level how many pieces stand where")]
    Stands(String),
    /// With everything bought, a category would gain too much.
    #[error("everything together boosts {} by {sum} basis points, more than {BOOST_BP_MAX}", category.as_str())]
    Boosts {
        /// The category.
        category: Category,
        /// What everything adds to it.
        sum: u32,
    },
}

/// Checks every rule, item by item and then for all together.
pub(super) fn all(items: &[Item]) -> Result<(), CatalogueError> {
    let mut slugs = BTreeSet::new();
    for item in items {
        check_item(item)?;
        if !slugs.insert(item.slug.as_str()) {
            return Err(CatalogueError::Duplicate(item.slug.clone()));
        }
    }
    check_prerequisites(items, &slugs)?;
    check_boosts(items)
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
    if item.stands.as_ref().is_some_and(|s| !stands_well(item, s)) {
        return Err(CatalogueError::Stands(slug()));
    }
    Ok(())
}

/// One number of pieces for each level, never fewer than before, and a cell for each piece of the last.
fn stands_well(item: &Item, stands: &Stands) -> bool {
    let last = stands.pieces.last().copied().unwrap_or(0);
    let on_grid = |[x, y]: &[u8; 2]| {
        let [width, depth] = stands.size;
        x.saturating_add(width) <= SIDE_MAX && y.saturating_add(depth) <= SIDE_MAX
    };
    stands.pieces.len() == item.prices.len()
        && stands.pieces.is_sorted()
        && (1..=PIECES_MAX).contains(&last)
        && stands.pieces.first() > Some(&0)
        && stands.size.iter().all(|n| (1..=SIDE_MAX).contains(n))
        && stands.at.len() == usize::from(last)
        && stands.at.iter().all(on_grid)
}

fn check_boosts(items: &[Item]) -> Result<(), CatalogueError> {
    for category in Category::ALL {
        let sum = items.iter().fold(0_u32, |sum, item| {
            let levels = u32::try_from(item.prices.len()).unwrap_or(u32::MAX);
            let step = item.boosts_bp.get(category).copied().unwrap_or(0);
            sum.saturating_add(step.saturating_mul(levels))
        });
        if sum > BOOST_BP_MAX {
            let category = *category;
            return Err(CatalogueError::Boosts { category, sum });
        }
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
