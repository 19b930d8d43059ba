//! What is drawn: the public face of one farm.

use farmops_protocol::{proof::Category, snapshot::Snapshot};

use crate::{
    catalogue::{Owned, level_of},
    season::Season,
};

/// The public face of a farm. A tracker fills it from its own tables, a village from a snapshot; the
/// same state gives the same picture everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FarmState {
    /// The farm's name as its owner wrote it; nothing about it is trusted.
    pub name: String,
    /// From 1.
    pub level: u64,
    /// Working days in a row with finished work.
    pub streak_days: u64,
    /// Coins earned in all.
    pub coins: u64,
    /// What each category has brought; categories without proofs may be missing.
    pub categories: Vec<CategoryTotal>,
    /// What stands on the farm.
    pub upgrades: Vec<Owned>,
    /// Slugs of the badges earned.
    pub achievements: Vec<String>,
    /// The time of the year.
    pub season: Season,
}

/// What one category has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CategoryTotal {
    /// The category.
    pub category: Category,
    /// Proofs scored.
    pub proofs: u64,
    /// Coins earned.
    pub coins: u64,
}

impl FarmState {
    /// An empty plot.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            level: 1,
            streak_days: 0,
            coins: 0,
            categories: Vec::new(),
            upgrades: Vec::new(),
            achievements: Vec::new(),
            season: Season::default(),
        }
    }

    /// The farm that `snapshot` shows, under the name its owner gave it.
    pub fn from_snapshot(name: impl Into<String>, snapshot: &Snapshot) -> Self {
        Self {
            name: name.into(),
            level: snapshot.level.value(),
            streak_days: snapshot.streak_days.value(),
            coins: snapshot.total_coins.value(),
            categories: snapshot
                .category_totals
                .iter()
                .map(|total| CategoryTotal {
                    category: total.category,
                    proofs: total.proofs.value(),
                    coins: total.coins.value(),
                })
                .collect(),
            upgrades: snapshot
                .upgrades
                .iter()
                .map(|upgrade| Owned {
                    slug: upgrade.slug.clone(),
                    level: upgrade.level.value(),
                })
                .collect(),
            achievements: snapshot.achievements.clone(),
            season: Season::parse(&snapshot.season).unwrap_or_default(),
        }
    }

    /// The level of the item `slug`, 0 when the farm does not have it.
    pub fn upgrade_level(&self, slug: &str) -> u64 {
        level_of(&self.upgrades, slug)
    }

    /// Coins earned in `category`.
    pub fn coins_in(&self, category: Category) -> u64 {
        self.categories
            .iter()
            .filter(|total| total.category == category)
            .map(|total| total.coins)
            .fold(0, u64::saturating_add)
    }
}
