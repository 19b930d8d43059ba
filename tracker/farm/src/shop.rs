//! The shop: what an item's next level costs, whether it may be bought now, and if not, exactly why.
//!
//! Pure: the caller brings what the farm owns and has, and records what [`decide`] allows. Nothing is
//! spent here.

use farmops_protocol::snapshot::season_of;
use farmops_protocol::time::Timestamp;

use crate::{
    catalogue::{Catalogue, Item, Owned, level_of},
    season::Season,
};

#[cfg(test)]
mod economy;
#[cfg(test)]
mod tests;

/// Who stands at the counter.
#[derive(Debug, Clone, Copy)]
pub struct Customer<'a> {
    /// What the farm owns.
    pub owned: &'a [Owned],
    /// The farm's level.
    pub farm_level: u64,
    /// Coins that may be spent: 0 while there is a debt.
    pub balance: u64,
    /// The time of the year.
    pub season: Season,
}

/// An item as one customer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The item.
    pub item: &'a Item,
    /// The level owned, 0 for none.
    pub owned_level: u64,
    /// Coins for the next level; none at the highest.
    pub price: Option<u64>,
    /// What buying it now would be, or why it cannot be bought.
    pub decision: Result<Purchase, NotForSale>,
}

/// One level of one item for its price: what is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// The item's slug.
    pub item: String,
    /// The level that is bought: one more than was owned.
    pub level: u64,
    /// What it costs, in coins.
    pub price: u64,
}

/// Why an item cannot be bought now. Where several reasons hold, the one that lasts longest is given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotForSale {
    /// The catalogue does not have it.
    #[error("The shop does not sell {0:?}.")]
    Unknown(String),
    /// There is no further level.
    #[error("{name} has reached its highest level, {level}.")]
    HighestLevel {
        /// The item's name.
        name: String,
        /// The level reached.
        level: u64,
    },
    /// The farm is too young for it.
    #[error("{name} is sold from farm level {needed}; this farm is at level {farm_level}.")]
    FarmLevel {
        /// The item's name.
        name: String,
        /// From which level it is sold.
        needed: u64,
        /// The farm's level.
        farm_level: u64,
    },
    /// Something else has to be there first.
    #[error("{name} needs these first: {}.", missing.join(", "))]
    Prerequisites {
        /// The item's name.
        name: String,
        /// The names of what is missing, in the order of the catalogue.
        missing: Vec<String>,
    },
    /// It is sold at another time of the year.
    #[error("{name} is sold in {}; it is {} now.", sold_in.as_str(), now.as_str())]
    OutOfSeason {
        /// The item's name.
        name: String,
        /// When it is sold.
        sold_in: Season,
        /// What it is now.
        now: Season,
    },
    /// The coins do not suffice.
    #[error(
        "{name} costs {price} coins: {short_by} more {} needed.",
        if *short_by == 1 { "is" } else { "are" }
    )]
    TooFewCoins {
        /// The item's name.
        name: String,
        /// What the next level costs.
        price: u64,
        /// How many coins are missing.
        short_by: u64,
    },
}

impl NotForSale {
    /// A stable name of the reason, for programs; the sentence is its `Display`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "unknown-item",
            Self::HighestLevel { .. } => "highest-level",
            Self::FarmLevel { .. } => "farm-level",
            Self::Prerequisites { .. } => "prerequisites",
            Self::OutOfSeason { .. } => "out-of-season",
            Self::TooFewCoins { .. } => "too-few-coins",
        }
    }
}

/// The season in which the shop stands at `now`: the quarter in UTC, as in snapshots.
pub fn season_at(now: Timestamp) -> Season {
    Season::parse(&season_of(now)).unwrap_or_default()
}

/// Every item of the catalogue, in its order, as `customer` sees it.
pub fn offers<'a>(catalogue: &'a Catalogue, customer: &Customer<'_>) -> Vec<Offer<'a>> {
    let offer = |item: &'a Item| {
        let owned_level = level_of(customer.owned, &item.slug);
        Offer {
            item,
            owned_level,
            price: item.price_after(owned_level),
            decision: judge(catalogue, customer, item),
        }
    };
    catalogue.items().iter().map(offer).collect()
}

/// Whether `customer` may buy the next level of the item `slug` now, and what that is.
///
/// # Errors
/// [`NotForSale`] with the reason.
pub fn decide(
    catalogue: &Catalogue,
    customer: &Customer<'_>,
    slug: &str,
) -> Result<Purchase, NotForSale> {
    let item = catalogue
        .item(slug)
        .ok_or_else(|| NotForSale::Unknown(slug.chars().take(64).collect()))?;
    judge(catalogue, customer, item)
}

fn judge(
    catalogue: &Catalogue,
    customer: &Customer<'_>,
    item: &Item,
) -> Result<Purchase, NotForSale> {
    let name = || item.name.clone();
    let owned_level = level_of(customer.owned, &item.slug);
    let Some(price) = item.price_after(owned_level) else {
        return Err(NotForSale::HighestLevel {
            name: name(),
            level: item.level_max(),
        });
    };
    if customer.farm_level < item.farm_level {
        return Err(NotForSale::FarmLevel {
            name: name(),
            needed: item.farm_level,
            farm_level: customer.farm_level,
        });
    }
    let missing = missing(catalogue, customer, item);
    if !missing.is_empty() {
        return Err(NotForSale::Prerequisites {
            name: name(),
            missing,
        });
    }
    match item.season() {
        Some(sold_in) if sold_in != customer.season => {
            return Err(NotForSale::OutOfSeason {
                name: name(),
                sold_in,
                now: customer.season,
            });
        }
        _ => {}
    }
    if let short_by @ 1.. = price.saturating_sub(customer.balance) {
        return Err(NotForSale::TooFewCoins {
            name: name(),
            price,
            short_by,
        });
    }
    Ok(Purchase {
        item: item.slug.clone(),
        level: owned_level + 1,
        price,
    })
}

fn missing(catalogue: &Catalogue, customer: &Customer<'_>, item: &Item) -> Vec<String> {
    let items = catalogue.items().iter();
    items
        .filter(|needed| item.requires.contains(&needed.slug))
        .filter(|needed| level_of(customer.owned, &needed.slug) == 0)
        .map(|needed| needed.name.clone())
        .collect()
}
