//! What a farm can have: buildings, upgrades, cosmetics and seasonal items, read from `catalogue.json`.
//!
//! Prices are whole coins and boosts whole basis points, so that every tracker computes the same.

use std::{collections::BTreeMap, sync::LazyLock};

use farmops_protocol::{
    digest::{Digest, sha256},
    proof::Category,
};
use serde::{Deserialize, Serialize};

use crate::season::Season;

mod check;
#[cfg(test)]
mod tests;

pub use check::CatalogueError;
pub(crate) use check::is_slug;

/// What a complete farm may add to the coins of one category, in basis points: with everything bought,
/// work pays at most half as much again, far from the 100 000 at which scoring caps a factor.
pub const BOOST_BP_MAX: u32 = 5_000;

/// What sort of thing an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

impl Kind {
    /// Every kind, in the order in which a shop shows them.
    pub const ALL: [Self; 4] = [
        Self::Building,
        Self::Upgrade,
        Self::Cosmetic,
        Self::Seasonal,
    ];

    /// Its name, as it stands in the catalogue.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Upgrade => "upgrade",
            Self::Cosmetic => "cosmetic",
            Self::Seasonal => "seasonal",
        }
    }
}

/// How an item stands on the ground.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stands {
    /// Cells along x and y that each piece takes.
    pub size: [u8; 2],
    /// How many pieces there are at level 1, level 2 and so on.
    pub pieces: Vec<u8>,
    /// The cell at the back corner of each piece where nobody has put it elsewhere.
    pub at: Vec<[u8; 2]>,
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
    /// How it stands on the ground; what has none is part of the farm as a whole.
    #[serde(default)]
    pub stands: Option<Stands>,
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

    /// How many pieces of it stand on a farm that owns it at `level`.
    pub fn pieces(&self, level: u64) -> u8 {
        let Some(stands) = &self.stands else {
            return 0;
        };
        let last = usize::try_from(level.min(self.level_max())).unwrap_or(usize::MAX);
        last.checked_sub(1)
            .and_then(|index| stands.pieces.get(index).copied())
            .unwrap_or(0)
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
    version: u32,
    digest: Digest,
    items: Vec<Item>,
    /// Which items boost a category, by their places: every proof is scored with it.
    boosters: BTreeMap<Category, Vec<usize>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// For editors: where the schema of the file is.
    #[serde(rename = "$schema")]
    _schema: Option<String>,
    version: u32,
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
        let file: File = serde_json::from_str(json).map_err(CatalogueError::Form)?;
        check::all(&file.items)?;
        Ok(Self {
            version: file.version,
            digest: sha256(json.as_bytes()),
            boosters: boosters(&file.items),
            items: file.items,
        })
    }

    /// The number of this edition: it grows with every change of the file.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// SHA-256 of the file, byte for byte.
    pub fn digest(&self) -> Digest {
        self.digest
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
        let boosters = self.boosters.get(&category).into_iter().flatten();
        boosters
            .filter_map(|place| {
                let item = self.items.get(*place)?;
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

    /// What [`Self::upgrade_boost_bp`] says of each category that has any.
    pub fn upgrade_boosts_bp(&self, owned: &[Owned]) -> BTreeMap<Category, u32> {
        let boosts = self.boosters.keys().map(|&category| {
            let boost = self.upgrade_boost_bp(category, owned);
            (category, boost)
        });
        boosts.filter(|(_, boost)| *boost > 0).collect()
    }
}

fn boosters(items: &[Item]) -> BTreeMap<Category, Vec<usize>> {
    let mut boosters = BTreeMap::<_, Vec<_>>::new();
    for (place, item) in items.iter().enumerate() {
        for category in item.boosts_bp.keys() {
            boosters.entry(*category).or_default().push(place);
        }
    }
    boosters
}
