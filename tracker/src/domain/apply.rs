//! Folding the ledger into the state.

mod agents;
mod archived;
mod proof;

use farmops_farm::catalogue::Owned;
use farmops_ledger::{
    CalendarChanged, CompositeEarned, Entry, Event, ItemPurchased, LeagueCoins, LeagueJoined,
};
use farmops_protocol::{scoring::Score, streak::Silent};
use jiff::civil::Date;

use super::state::{Farm, League, Purchase, Rules, State};

/// What applying an entry worked out besides the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// A proof, its score and its place in its chain.
    Scored {
        /// The score and its factors.
        score: Score,
        /// How many proofs the chain holds, this one included.
        chain_length: u64,
        /// The farmer's day that it counts for.
        day: Option<Date>,
        /// What it earned in the leagues.
        leagues: Vec<LeagueCoins>,
    },
    /// A composite, and its coins.
    Composed {
        /// The coins it brought.
        coins: u64,
    },
    /// Anything else.
    Noted,
}

impl State {
    /// Folds one entry in. What the transparency log makes of it is told in `log.rs`.
    ///
    /// Entries are facts: nothing is refused here. One about an agent that never enrolled moves the
    /// position and nothing else.
    pub fn apply(&mut self, entry: &Entry) -> Applied {
        debug_assert_eq!(
            entry.position,
            self.next_position(),
            "entries come in order"
        );
        self.position = entry.position;
        self.updated_at = Some(entry.recorded_at);
        if is_public(&entry.event) {
            self.public_position = entry.position;
        }
        match &entry.event {
            Event::ProofAccepted(proof) => return self.apply_proof(proof, entry.position),
            Event::CompositeEarned(composite) => return self.apply_composite(composite),
            Event::FarmFounded(profile) => {
                self.farm = Some(Farm {
                    profile: profile.clone().into(),
                    created_at: entry.recorded_at,
                });
            }
            Event::FarmRenamed(renamed) => {
                if let Some(farm) = &mut self.farm {
                    farm.profile.name.clone_from(&renamed.name);
                }
            }
            Event::CalendarChanged(changed) => {
                if let Some(farm) = &mut self.farm {
                    let CalendarChanged {
                        from,
                        time_zone,
                        working_days,
                    } = changed.clone();
                    farm.profile.schedule.change(from, time_zone, working_days);
                }
            }
            Event::DayMarked(marked) => {
                let rest_days = &mut self.known.rest_days;
                if marked.rest {
                    rest_days.insert(marked.day);
                } else {
                    rest_days.remove(&marked.day);
                }
            }
            Event::ItemPurchased(purchased) => self.apply_purchase(purchased, entry),
            Event::RulesAdopted(rules) => {
                self.rules = Rules::new(rules.clone());
                let names = |slug: &str| rules.composites.iter().any(|rule| rule.slug == slug);
                self.keep_composing(|slug, _| names(slug));
            }
            Event::LeagueJoined(joined) => self.apply_league(joined, entry),
            Event::LeagueLeft(left) => {
                if let Some(league) = self.leagues.get_mut(&left.league) {
                    league.left_at = Some(entry.recorded_at);
                }
            }
            Event::AgentEnrolled(request) => self.apply_enrolment(request, entry.recorded_at),
            Event::AgentApproved(approved) => self.apply_approval(approved, entry.recorded_at),
            Event::AgentDismissed(dismissed) => {
                self.end_trust(dismissed.agent_id, None, entry.recorded_at);
            }
            Event::AgentRevoked(revoked) => self.apply_revocation(revoked, entry.recorded_at),
            Event::KeyRotated(rotation) => self.apply_rotation(rotation),
            Event::ChainReset(reset) => self.apply_reset(reset),
            Event::AgentOutage(outage) => {
                if let Some(watch) = self.known.watches.get_mut(&outage.agent_id) {
                    watch.silences.push(Silent {
                        from: outage.from,
                        until: outage.until,
                    });
                }
            }
            Event::ForkRefused(_) => {}
        }
        Applied::Noted
    }

    fn apply_purchase(&mut self, purchased: &ItemPurchased, entry: &Entry) {
        self.coins.spent = self.coins.spent.saturating_add(purchased.price);
        match self
            .upgrades
            .binary_search_by(|owned| owned.slug.cmp(&purchased.item))
        {
            Ok(at) => self.upgrades[at].level = purchased.level,
            Err(at) => self.upgrades.insert(
                at,
                Owned {
                    slug: purchased.item.clone(),
                    level: purchased.level,
                },
            ),
        }
        let purchase = Purchase {
            position: entry.position,
            purchased_at: entry.recorded_at,
            idempotency_key: purchased.idempotency_key,
            item: purchased.item.clone(),
            level: purchased.level,
            price: purchased.price,
            boosts_bp: purchased.boosts_bp.clone(),
        };
        purchase.boost(&mut self.boosts_bp);
        self.purchases.push(purchase);
    }

    /// Joining again goes on with what was earned before.
    fn apply_league(&mut self, joined: &LeagueJoined, entry: &Entry) {
        let before = self.leagues.remove(&joined.league);
        let (seasons, days) = before
            .map(|league| (league.seasons, league.days))
            .unwrap_or_default();
        self.leagues.insert(
            joined.league.clone(),
            League {
                name: joined.name.clone(),
                rules: Rules::new(joined.rules.clone()),
                village: joined.village.clone(),
                joined_at: entry.recorded_at,
                left_at: None,
                seasons,
                days,
            },
        );
    }

    fn apply_composite(&mut self, composite: &CompositeEarned) -> Applied {
        let coins = composite.coins;
        let day = self.days.entry(composite.day).or_default();
        day.coins = day.coins.saturating_add(coins);
        self.coins.earned = self.coins.earned.saturating_add(coins);
        self.composites += 1;
        self.take_parts(composite);
        Applied::Composed { coins }
    }
}

/// Whether an event changes what everyone may see, so that a new snapshot is due. A proof says so
/// itself, because only one that earns does.
fn is_public(event: &Event) -> bool {
    match event {
        Event::FarmFounded(_)
        | Event::FarmRenamed(_)
        | Event::CalendarChanged(_)
        | Event::DayMarked(_)
        | Event::ItemPurchased(_)
        | Event::AgentRevoked(_)
        | Event::AgentOutage(_)
        | Event::LeagueJoined(_)
        | Event::LeagueLeft(_)
        | Event::CompositeEarned(_) => true,
        Event::ProofAccepted(_)
        | Event::RulesAdopted(_)
        | Event::AgentEnrolled(_)
        | Event::AgentApproved(_)
        | Event::AgentDismissed(_)
        | Event::KeyRotated(_)
        | Event::ChainReset(_)
        | Event::ForkRefused(_) => false,
    }
}
