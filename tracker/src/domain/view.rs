//! The farm's public figures, and everything that follows from them.

use farmops_farm::{
    achievements::{Achievement, Totals, earned},
    catalogue::Owned,
    level::level,
    season::Season,
    state::{CategoryTotal, FarmState},
};
use farmops_protocol::{
    proof::Category, scoring::Freezes, snapshot::season_of, streak::Streak, time::Timestamp,
};
use std::collections::BTreeMap;

use super::{
    rhythm::Known,
    state::{CategoryTotals, Coins, League, Profile, State},
};

/// The farm's figures at one moment: totals, never proofs.
#[derive(Debug, Clone, PartialEq)]
pub struct FarmView {
    /// Whose farm it is.
    pub profile: Profile,
    /// Coins earned and spent.
    pub coins: Coins,
    /// What each category brought.
    pub categories: BTreeMap<Category, CategoryTotals>,
    /// Composites that were earned and count.
    pub composites: u64,
    /// The leagues that the farm is or was in, by slug; without their days.
    pub leagues: BTreeMap<String, League>,
    /// What stands on the farm.
    pub upgrades: Vec<Owned>,
    /// The streak as it was when last extended.
    pub streak: Streak,
    /// The longest streak ever.
    pub streak_longest: u32,
    /// What is known of the farmer's days beside the calendar.
    pub known: Known,
    /// How a missed day is forgiven.
    pub freezes: Freezes,
    /// The time of the latest proof.
    pub last_active: Option<Timestamp>,
    /// When the farm was founded.
    pub created_at: Timestamp,
    /// When the last entry was recorded.
    pub updated_at: Timestamp,
    /// Entries in the ledger.
    pub ledger_size: u64,
}

impl FarmView {
    /// The figures of `state`, once the farm is founded.
    pub fn of(state: &State) -> Option<Self> {
        let farm = state.farm.as_ref()?;
        Some(Self {
            profile: farm.profile.clone(),
            coins: state.coins,
            categories: state.categories.clone(),
            leagues: without_days(&state.leagues),
            upgrades: state.upgrades.clone(),
            streak: state.streak,
            streak_longest: state.streak_longest,
            known: state.known.clone(),
            freezes: state.rules.set.freezes,
            composites: state.composites,
            last_active: state.last_active,
            created_at: farm.created_at,
            updated_at: state.updated_at.unwrap_or(farm.created_at),
            ledger_size: state.position,
        })
    }

    /// The streak as it stands on the day of `now`.
    pub fn streak_days(&self, now: Timestamp) -> u32 {
        let days = self.known.by(&self.profile.schedule);
        let today = self.profile.schedule.day(now);
        self.streak.days_on(today, &days.rhythm(self.freezes))
    }

    /// The freezes that are left on the day of `now`.
    pub fn freezes_held(&self, now: Timestamp) -> u32 {
        let days = self.known.by(&self.profile.schedule);
        let today = self.profile.schedule.day(now);
        self.streak.freezes_on(today, &days.rhythm(self.freezes))
    }

    /// Whether the streak that was shown at `shown_at` has lapsed, or grown, by `now`: days go by
    /// without an entry in the ledger.
    pub fn streak_differs(&self, shown_at: Timestamp, now: Timestamp) -> bool {
        self.streak_days(shown_at) != self.streak_days(now)
    }

    /// The farm's level.
    pub fn level(&self) -> u64 {
        level(self.coins.earned)
    }

    /// The badges earned so far.
    pub fn achievements(&self) -> Vec<&'static Achievement> {
        earned(&Totals {
            proofs: self
                .categories
                .iter()
                .map(|(c, t)| (*c, t.proofs))
                .collect(),
            streak_days_longest: u64::from(self.streak_longest),
            level: self.level(),
            owned: self.upgrades.clone(),
            composites: self.composites,
        })
    }

    /// What is drawn at `now`.
    pub fn drawing(&self, now: Timestamp) -> FarmState {
        FarmState {
            name: self.profile.name.clone(),
            level: self.level(),
            streak_days: u64::from(self.streak_days(now)),
            coins: self.coins.earned,
            categories: self
                .categories
                .iter()
                .map(|(category, totals)| CategoryTotal {
                    category: *category,
                    proofs: totals.proofs,
                    coins: totals.coins,
                })
                .collect(),
            upgrades: self.upgrades.clone(),
            achievements: self
                .achievements()
                .iter()
                .map(|a| a.slug.to_owned())
                .collect(),
            season: Season::parse(&season_of(now)).unwrap_or_default(),
        }
    }
}

/// Days are for scoring only, and there are many.
fn without_days(leagues: &BTreeMap<String, League>) -> BTreeMap<String, League> {
    let shown = leagues.iter().map(|(slug, league)| {
        let league = League {
            name: league.name.clone(),
            rules: league.rules.clone(),
            village: league.village.clone(),
            seasons: league.seasons.clone(),
            days: BTreeMap::new(),
            ..*league
        };
        (slug.clone(), league)
    });
    shown.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use farmops_protocol::key::SecretKey;

    use super::*;
    use crate::domain::Schedule;

    #[test]
    fn a_streak_lapses_without_an_entry_in_the_ledger() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let friday = at("2026-02-20T12:00:00Z");
        let view = FarmView {
            profile: Profile {
                farmer_key: SecretKey::from_bytes([7; 32]).public(),
                handle: "alice".into(),
                name: "Alice's farm".into(),
                schedule: Schedule::new(
                    "Europe/Berlin".into(),
                    [true, true, true, true, true, false, false],
                ),
            },
            coins: Coins::default(),
            categories: BTreeMap::new(),
            leagues: BTreeMap::new(),
            upgrades: Vec::new(),
            streak: Streak {
                days: 4,
                last_day: Some("2026-02-20".parse().unwrap()),
                ..Streak::default()
            },
            streak_longest: 4,
            known: Known::default(),
            freezes: Freezes {
                held_max: 0,
                recharge_days: 1,
            },
            composites: 0,
            last_active: Some(friday),
            created_at: friday,
            updated_at: friday,
            ledger_size: 2,
        };
        assert!(
            !view.streak_differs(friday, at("2026-02-23T22:59:59Z")),
            "Monday may still bring work"
        );
        assert!(
            view.streak_differs(friday, at("2026-02-23T23:00:00Z")),
            "in Berlin it is Tuesday"
        );
    }
}
