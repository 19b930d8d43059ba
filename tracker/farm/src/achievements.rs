//! Badges: a pure function from a farm's totals to what its owner has earned.

use std::collections::BTreeMap;

use farmops_protocol::proof::Category;

use crate::{
    catalogue::{Catalogue, Item, Kind, Owned, level_of},
    season::Season,
};

#[cfg(test)]
mod tests;

/// What a badge is judged by. Each of these only grows, so a badge once earned stays, unless work is
/// withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// Proofs scored, by category.
    pub proofs: BTreeMap<Category, u64>,
    /// The longest streak ever, in working days.
    pub streak_days_longest: u64,
    /// The farm's level.
    pub level: u64,
    /// What stands on the farm.
    pub owned: Vec<Owned>,
    /// Composite achievements, counted each time.
    pub composites: u64,
}

/// A badge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Achievement {
    /// Its stable name, as it stands in snapshots.
    pub slug: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// What it was earned for.
    pub description: &'static str,
    rule: Rule,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Proofs(u64),
    ProofsIn(Category, u64),
    ProofsInEach(u64),
    Streak(u64),
    Level(u64),
    Items(u64),
    ItemsOf(Kind, u64),
    Finished(u64),
    EverySeason,
    AllOf(&'static [&'static str]),
    Composites(u64),
}

const fn badge(
    slug: &'static str,
    name: &'static str,
    description: &'static str,
    rule: Rule,
) -> Achievement {
    Achievement {
        slug,
        name,
        description,
        rule,
    }
}

/// Every badge, in the order in which they are shown.
pub const ALL: &[Achievement] = &[
    badge(
        "first-seed",
        "First seed",
        "The first proof of finished work.",
        Rule::Proofs(1),
    ),
    badge(
        "hundred-furrows",
        "A hundred furrows",
        "100 proofs of finished work.",
        Rule::Proofs(100),
    ),
    badge(
        "thousand-furrows",
        "A thousand furrows",
        "1 000 proofs of finished work.",
        Rule::Proofs(1_000),
    ),
    badge(
        "ten-thousand-furrows",
        "Ten thousand furrows",
        "10 000 proofs of finished work.",
        Rule::Proofs(10_000),
    ),
    badge(
        "steady-hands",
        "Steady hands",
        "50 pieces of maintenance.",
        Rule::ProofsIn(Category::Maintenance, 50),
    ),
    badge(
        "never-again",
        "Never again",
        "25 bits of toil done away with.",
        Rule::ProofsIn(Category::Toil, 25),
    ),
    badge(
        "load-bearing",
        "Load-bearing",
        "25 steps for reliability.",
        Rule::ProofsIn(Category::Reliability, 25),
    ),
    badge(
        "good-fences",
        "Good fences",
        "25 steps for security.",
        Rule::ProofsIn(Category::Security, 25),
    ),
    badge(
        "calm-in-the-storm",
        "Calm in the storm",
        "10 incidents resolved.",
        Rule::ProofsIn(Category::Incident, 10),
    ),
    badge(
        "fresh-soil",
        "Fresh soil",
        "25 upgrades carried through.",
        Rule::ProofsIn(Category::Upgrade, 25),
    ),
    badge(
        "well-oiled",
        "Well oiled",
        "500 pieces of maintenance.",
        Rule::ProofsIn(Category::Maintenance, 500),
    ),
    badge(
        "hands-free",
        "Hands free",
        "250 bits of toil done away with.",
        Rule::ProofsIn(Category::Toil, 250),
    ),
    badge(
        "keystone",
        "Keystone",
        "250 steps for reliability.",
        Rule::ProofsIn(Category::Reliability, 250),
    ),
    badge(
        "dry-stone",
        "Dry stone",
        "250 steps for security.",
        Rule::ProofsIn(Category::Security, 250),
    ),
    badge(
        "lighthouse-keeper",
        "Lighthouse keeper",
        "100 incidents resolved.",
        Rule::ProofsIn(Category::Incident, 100),
    ),
    badge(
        "crop-rotation",
        "Crop rotation",
        "250 upgrades carried through.",
        Rule::ProofsIn(Category::Upgrade, 250),
    ),
    badge(
        "mixed-farming",
        "Mixed farming",
        "10 proofs in each of the six categories.",
        Rule::ProofsInEach(10),
    ),
    badge(
        "full-larder",
        "Full larder",
        "100 proofs in each of the six categories.",
        Rule::ProofsInEach(100),
    ),
    badge(
        "working-week",
        "A working week",
        "Five working days in a row.",
        Rule::Streak(5),
    ),
    badge(
        "fortnight",
        "A fortnight",
        "Ten working days in a row.",
        Rule::Streak(10),
    ),
    badge(
        "whole-moon",
        "A whole moon",
        "Twenty working days in a row.",
        Rule::Streak(20),
    ),
    badge(
        "whole-season",
        "A whole season",
        "Sixty working days in a row.",
        Rule::Streak(60),
    ),
    badge(
        "whole-year",
        "A whole year",
        "Two hundred and fifty working days in a row.",
        Rule::Streak(250),
    ),
    badge(
        "smallholder",
        "Smallholder",
        "A farm of level 5.",
        Rule::Level(5),
    ),
    badge(
        "landmark",
        "Landmark",
        "A farm of level 10.",
        Rule::Level(10),
    ),
    badge(
        "storied-farm",
        "Storied farm",
        "A farm of level 20.",
        Rule::Level(20),
    ),
    badge(
        "old-country",
        "Old country",
        "A farm of level 30.",
        Rule::Level(30),
    ),
    badge(
        "builder",
        "Builder",
        "Five different things on the farm.",
        Rule::Items(5),
    ),
    badge(
        "homesteader",
        "Homesteader",
        "Fifteen different things on the farm.",
        Rule::Items(15),
    ),
    badge(
        "whole-estate",
        "The whole estate",
        "Thirty different things on the farm.",
        Rule::Items(30),
    ),
    badge(
        "village-mason",
        "Mason",
        "Ten different buildings.",
        Rule::ItemsOf(Kind::Building, 10),
    ),
    badge(
        "for-the-joy-of-it",
        "For the joy of it",
        "Five things that are only nice to look at.",
        Rule::ItemsOf(Kind::Cosmetic, 5),
    ),
    badge(
        "four-seasons",
        "Four seasons",
        "Something bought in each season of the year.",
        Rule::EverySeason,
    ),
    badge(
        "well-finished",
        "Well finished",
        "Five things at their highest level.",
        Rule::Finished(5),
    ),
    badge(
        "nothing-left-to-add",
        "Nothing left to add",
        "Twenty things at their highest level.",
        Rule::Finished(20),
    ),
    badge(
        "daily-bread",
        "Daily bread",
        "Windmill, silo and bakery: from the field to the loaf.",
        Rule::AllOf(&["windmill", "silo", "bakery"]),
    ),
    badge(
        "night-watch",
        "Night watch",
        "Lanterns, watchtower and lighthouse: somebody is awake.",
        Rule::AllOf(&["lanterns", "watchtower", "lighthouse"]),
    ),
    badge(
        "all-creatures",
        "All creatures",
        "Hens, bees, doves and ducks live here.",
        Rule::AllOf(&["hen-house", "beehives", "dovecote", "duck-pond"]),
    ),
    badge(
        "in-good-order",
        "In good order",
        "The first composite: several agents, one after the other, as planned.",
        Rule::Composites(1),
    ),
    badge(
        "clockwork",
        "Clockwork",
        "25 composites: plan, pipeline, rollout, again and again.",
        Rule::Composites(25),
    ),
];

impl Totals {
    /// Items of the catalogue that are owned and for which `counts` holds.
    fn count(&self, counts: impl Fn(&Item) -> bool) -> u64 {
        let items = Catalogue::builtin().items().iter();
        items
            .filter(|item| level_of(&self.owned, &item.slug) > 0 && counts(item))
            .count() as u64
    }
}

impl Achievement {
    /// The badge of that slug.
    pub fn find(slug: &str) -> Option<&'static Self> {
        ALL.iter().find(|badge| badge.slug == slug)
    }

    fn is_earned(&self, totals: &Totals) -> bool {
        let of = |category| totals.proofs.get(&category).copied().unwrap_or(0);
        match self.rule {
            Rule::Proofs(n) => {
                totals
                    .proofs
                    .values()
                    .fold(0, |sum: u64, p| sum.saturating_add(*p))
                    >= n
            }
            Rule::ProofsIn(category, n) => of(category) >= n,
            Rule::ProofsInEach(n) => Category::ALL.iter().all(|category| of(*category) >= n),
            Rule::Streak(n) => totals.streak_days_longest >= n,
            Rule::Level(n) => totals.level >= n,
            Rule::Items(n) => totals.count(|_| true) >= n,
            Rule::ItemsOf(kind, n) => totals.count(|item| item.kind == kind) >= n,
            Rule::Finished(n) => {
                let finished =
                    |item: &Item| level_of(&totals.owned, &item.slug) >= item.level_max();
                totals.count(finished) >= n
            }
            Rule::EverySeason => Season::ALL
                .iter()
                .all(|season| totals.count(|item| item.season() == Some(*season)) > 0),
            Rule::AllOf(slugs) => slugs.iter().all(|slug| level_of(&totals.owned, slug) > 0),
            Rule::Composites(n) => totals.composites >= n,
        }
    }
}

/// The badges that `totals` have earned, in the order of [`ALL`].
pub fn earned(totals: &Totals) -> Vec<&'static Achievement> {
    ALL.iter().filter(|badge| badge.is_earned(totals)).collect()
}
