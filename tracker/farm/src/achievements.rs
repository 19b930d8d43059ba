//! Badges: a pure function from a farm's totals to what its owner has earned.

use std::collections::BTreeMap;

use farmops_protocol::proof::Category;

#[cfg(test)]
mod tests;

/// What a badge is judged by. Each of these only grows, so a badge once earned stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// Proofs scored, by category.
    pub proofs: BTreeMap<Category, u64>,
    /// The longest streak ever, in working days.
    pub streak_days_longest: u64,
    /// The farm's level.
    pub level: u64,
    /// Different items owned.
    pub items_owned: u64,
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
        "mixed-farming",
        "Mixed farming",
        "10 proofs in each of the six categories.",
        Rule::ProofsInEach(10),
    ),
    badge(
        "working-week",
        "A working week",
        "Five working days in a row.",
        Rule::Streak(5),
    ),
    badge(
        "whole-moon",
        "A whole moon",
        "Twenty working days in a row.",
        Rule::Streak(20),
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
];

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
            Rule::Items(n) => totals.items_owned >= n,
        }
    }
}

/// The badges that `totals` have earned, in the order of [`ALL`].
pub fn earned(totals: &Totals) -> Vec<&'static Achievement> {
    ALL.iter().filter(|badge| badge.is_earned(totals)).collect()
}
