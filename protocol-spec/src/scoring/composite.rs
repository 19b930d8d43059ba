//! Composites: proofs that are worth more together, such as a plan, a pipeline and a rollout in one
//! afternoon (`protocol-spec/docs/scoring.md`, `SCO-COMP`).
//!
//! What makes proofs belong together is their kind, their order and their time, across all agents of a
//! farm. They say nothing of what was worked on, so nothing else could.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    field::{self, FieldError},
    proof::{Action, ActionType, Category, is_plugin, is_slug},
    registration::check_display_name,
    time::Timestamp,
};

/// Composites in one rule set.
const RULES_MAX: usize = 16;
/// The longest time between the first and the last part: a week, in seconds.
const WITHIN_SECONDS_MAX: u32 = 7 * 86_400;
/// The most coins a composite brings.
const COINS_MAX: u32 = 1_000_000;
/// Proofs that wait to become a part, for each composite; the oldest give way (`SCO-COMP-004`).
pub const CANDIDATES_MAX: usize = 256;

/// What proofs are worth together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompositeRule {
    /// Its stable name.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The coins it brings, beside those of its parts; no factor applies.
    pub coins: u32,
    /// From the first part's time to the last one's, at most.
    pub within_seconds: u32,
    /// What its parts are, in the order of their times: 2 to 8.
    pub steps: Vec<Step>,
}

/// What one part is; null stands for anything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The plugin.
    #[serde(deserialize_with = "field::nullable")]
    pub plugin: Option<String>,
    /// The action type.
    #[serde(deserialize_with = "field::nullable")]
    pub action_type: Option<ActionType>,
    /// The category.
    #[serde(deserialize_with = "field::nullable")]
    pub category: Option<Category>,
}

/// A proof that may become a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The proof.
    pub proof_id: Uuid,
    /// Its agent.
    pub agent_id: Uuid,
    /// When its work was finished.
    pub timestamp: Timestamp,
    /// The steps that it fits.
    pub fits: Fits,
}

/// Numbers of steps, from 0; on paper a list of them in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<u8>", into = "Vec<u8>")]
pub struct Fits(u8);

impl Fits {
    /// Whether it is no step.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the step of this number is one of them.
    pub const fn contains(self, step: u8) -> bool {
        step < 8 && self.0 & (1 << step) != 0
    }

    /// The numbers in order.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..8).filter(move |&step| self.contains(step))
    }
}

impl FromIterator<u8> for Fits {
    /// There are at most eight steps; other numbers are those of none.
    fn from_iter<I: IntoIterator<Item = u8>>(steps: I) -> Self {
        let steps = steps.into_iter().filter(|&step| step < 8);
        Self(steps.fold(0, |fits, step| fits | 1 << step))
    }
}

impl From<Vec<u8>> for Fits {
    fn from(steps: Vec<u8>) -> Self {
        steps.into_iter().collect()
    }
}

impl From<Fits> for Vec<u8> {
    fn from(fits: Fits) -> Self {
        fits.iter().collect()
    }
}

impl Step {
    /// Whether work of this kind is such a part.
    pub fn fits(&self, action: &Action) -> bool {
        self.plugin.as_ref().is_none_or(|p| *p == action.plugin)
            && self.action_type.is_none_or(|t| t == action.action_type)
            && self.category.is_none_or(|c| c == action.category)
    }
}

impl CompositeRule {
    /// The numbers of the steps that work of this kind fits.
    pub fn fits(&self, action: &Action) -> Fits {
        (0_u8..)
            .zip(&self.steps)
            .filter(|(_, step)| step.fits(action))
            .map(|(number, _)| number)
            .collect()
    }

    /// Takes a candidate in, by time, and lets those go that are too old or too many (`SCO-COMP-004`).
    pub fn admit(&self, candidates: &mut VecDeque<Candidate>, new: Candidate) {
        // Proofs come mostly in the order of their times, so the place is sought from the end.
        let after = candidates
            .iter()
            .rposition(|c| c.timestamp <= new.timestamp);
        candidates.insert(after.map_or(0, |after| after + 1), new);
        let Some(newest) = candidates.back().map(|c| c.timestamp) else {
            return;
        };
        let window = i64::from(self.within_seconds);
        // They stand in the order of their times, so those that are too old come first.
        let too_old = candidates.partition_point(|c| newest.seconds_since(c.timestamp) > window);
        let too_many = candidates.len().saturating_sub(CANDIDATES_MAX);
        candidates.drain(..too_old.max(too_many));
    }

    /// The parts that a proof of `agent`, one of the candidates, completes; nothing if it completes none
    /// (`SCO-COMP-002`, `SCO-COMP-003`).
    ///
    /// For each step that it fits, the nearest candidates before and after it are taken, which gives the
    /// shortest time there can be; the first such step that keeps within the time is it.
    pub fn completed_by<'a>(
        &self,
        candidates: &'a VecDeque<Candidate>,
        agent: Uuid,
        proof: Uuid,
    ) -> Option<Vec<&'a Candidate>> {
        let is_it = |c: &Candidate| (c.agent_id, c.proof_id) == (agent, proof);
        let at = candidates.iter().rposition(is_it)?;
        let window = i64::from(self.within_seconds);
        candidates[at].fits.iter().find_map(|step| {
            let places = self.around(candidates, at, step)?;
            let (first, last) = (*places.first()?, *places.last()?);
            let span = candidates[last]
                .timestamp
                .seconds_since(candidates[first].timestamp);
            let parts = || places.iter().map(|&place| &candidates[place]).collect();
            (span <= window).then(parts)
        })
    }

    fn around(&self, candidates: &VecDeque<Candidate>, at: usize, step: u8) -> Option<Vec<usize>> {
        let last = u8::try_from(self.steps.len()).ok()?.checked_sub(1)?;
        let mut places = vec![at];
        let mut place = at;
        for wanted in (0..step).rev() {
            place = (0..place).rfind(|&n| candidates[n].fits.contains(wanted))?;
            places.insert(0, place);
        }
        place = at;
        for wanted in step + 1..=last {
            place = (place + 1..candidates.len()).find(|&n| candidates[n].fits.contains(wanted))?;
            places.push(place);
        }
        Some(places)
    }
}

pub(super) fn check(rules: &[CompositeRule]) -> Result<(), FieldError> {
    if rules.len() > RULES_MAX {
        let reason = format!("at most {RULES_MAX} composites");
        return Err(FieldError::new("composites", reason));
    }
    let mut slugs = BTreeSet::new();
    for (n, rule) in rules.iter().enumerate() {
        let refuse = |member: &str, reason: &str| {
            Err(FieldError::new(format!("composites[{n}].{member}"), reason))
        };
        if !is_slug(&rule.slug) || !slugs.insert(&rule.slug) {
            return refuse("slug", "expected a slug that no other composite has");
        }
        if let Err(error) = check_display_name(&rule.name) {
            return refuse("name", &error.reason);
        }
        if rule.coins > COINS_MAX {
            return refuse("coins", "at most 1000000 coins");
        }
        if !(1..=WITHIN_SECONDS_MAX).contains(&rule.within_seconds) {
            return refuse("within_seconds", "expected 1 to 604800 seconds");
        }
        if !(2..=8).contains(&rule.steps.len()) {
            return refuse("steps", "expected 2 to 8 steps");
        }
        if rule.steps.contains(&Step::default()) {
            return refuse("steps", "a step that anything fits is none");
        }
        for (m, step) in rule.steps.iter().enumerate() {
            if step.plugin.as_deref().is_some_and(|p| !is_plugin(p)) {
                let reason = "expected two slugs with a slash between, like farmops/git-pr-review";
                return refuse(&format!("steps[{m}].plugin"), reason);
            }
        }
    }
    Ok(())
}

pub(super) fn defaults() -> Vec<CompositeRule> {
    let step = |action_type, category| Step {
        plugin: None,
        action_type: Some(action_type),
        category,
    };
    vec![
        CompositeRule {
            slug: "careful-change".to_owned(),
            name: "Careful change".to_owned(),
            coins: 40,
            within_seconds: 86_400,
            steps: vec![
                step(ActionType::Configure, None),
                step(ActionType::Review, None),
                step(ActionType::Deploy, None),
            ],
        },
        CompositeRule {
            slug: "lasting-repair".to_owned(),
            name: "Lasting repair".to_owned(),
            coins: 30,
            within_seconds: 3 * 86_400,
            steps: vec![
                step(ActionType::Resolve, Some(Category::Incident)),
                step(ActionType::Fix, None),
                step(ActionType::Verify, None),
            ],
        },
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule() -> CompositeRule {
        let mut rule = defaults().remove(0);
        rule.within_seconds = 100;
        rule
    }

    fn candidate(n: u8, second: i64, fits: &[u8]) -> Candidate {
        Candidate {
            proof_id: Uuid::from_bytes([n; 16]),
            agent_id: Uuid::nil(),
            timestamp: Timestamp::from_second(second).unwrap(),
            fits: fits.to_vec().into(),
        }
    }

    #[test]
    fn nobody_waits_longer_than_the_time_allows_nor_in_a_longer_queue() {
        let (rule, mut waiting) = (rule(), VecDeque::new());
        rule.admit(&mut waiting, candidate(1, 0, &[0]));
        rule.admit(&mut waiting, candidate(2, 100, &[0]));
        assert_eq!(waiting.len(), 2);
        rule.admit(&mut waiting, candidate(3, 101, &[0]));
        assert_eq!(waiting[0].proof_id, Uuid::from_bytes([2; 16]));
        for _ in 0..2 * CANDIDATES_MAX {
            rule.admit(&mut waiting, candidate(4, 101, &[0]));
        }
        assert_eq!(waiting.len(), CANDIDATES_MAX);
    }

    proptest! {
        /// Parts keep to steps, order and time, no proof is a part twice, and what could be complete is.
        #[test]
        fn parts_belong_together_once(work in prop::collection::vec((0..3_u8, 0..400_i64), 1..30)) {
            let (rule, mut waiting, mut used) = (rule(), VecDeque::new(), BTreeSet::new());
            for (n, &(step, second)) in (0_u8..).zip(&work) {
                let new = candidate(n, second, &[step]);
                let id = new.proof_id;
                rule.admit(&mut waiting, new);
                let parts = rule.completed_by(&waiting, Uuid::nil(), id);
                prop_assert_eq!(parts.is_some(), could_be_complete(&waiting, id), "{:?}", waiting);
                let Some(parts) = parts else { continue };
                prop_assert_eq!(parts.len(), 3);
                prop_assert!(parts.iter().any(|part| part.proof_id == id));
                for (step, part) in (0_u8..).zip(&parts) {
                    prop_assert!(part.fits.contains(step));
                    prop_assert!(used.insert(part.proof_id), "a part of two");
                }
                prop_assert!(parts.is_sorted_by_key(|part| part.timestamp));
                prop_assert!(parts[2].timestamp.seconds_since(parts[0].timestamp) <= 100);
                let parts: Vec<_> = parts.iter().map(|part| part.proof_id).collect();
                waiting.retain(|c| !parts.contains(&c.proof_id));
            }
        }
    }

    /// Whether any three that wait, the proof among them, are a composite: every choice is tried.
    fn could_be_complete(waiting: &VecDeque<Candidate>, id: Uuid) -> bool {
        let fits = |n: usize, step: u8| waiting[n].fits.contains(step);
        let all = 0..waiting.len();
        all.clone().any(|a| {
            (a + 1..all.end).any(|b| {
                (b + 1..all.end).any(|c| {
                    let span = waiting[c].timestamp.seconds_since(waiting[a].timestamp);
                    let it_is_there = [a, b, c].iter().any(|&n| waiting[n].proof_id == id);
                    fits(a, 0) && fits(b, 1) && fits(c, 2) && span <= 100 && it_is_there
                })
            })
        })
    }
}
