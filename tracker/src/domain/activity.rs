//! How often the same kind of thing was done within one hour: what diminishing returns look at.

use std::collections::BTreeMap;

use farmops_protocol::{
    proof::{Action, ActionType},
    time::Timestamp,
};

/// Proofs by UTC hour, plugin and action type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HourlyActivity(BTreeMap<i64, Vec<LikeCount>>);

/// Proofs of one plugin and action type within one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LikeCount {
    /// The plugin.
    pub plugin: Box<str>,
    /// The action type.
    pub action_type: ActionType,
    /// How many.
    pub proofs: u32,
}

impl HourlyActivity {
    /// The UTC hour of `moment`, in hours since the epoch.
    pub const fn hour(moment: Timestamp) -> i64 {
        moment.second().div_euclid(3600)
    }

    /// Counts one more, and says how many like proofs stood in that hour before it.
    pub fn count(&mut self, hour: i64, action: &Action) -> u32 {
        let counts = self.0.entry(hour).or_default();
        match find(counts, action) {
            Ok(at) => {
                let before = counts[at].proofs;
                counts[at].proofs = before.saturating_add(1);
                before
            }
            Err(at) => {
                let first = LikeCount {
                    plugin: action.plugin.as_str().into(),
                    action_type: action.action_type,
                    proofs: 1,
                };
                counts.insert(at, first);
                0
            }
        }
    }

    /// The counts of one hour.
    pub fn hour_counts(&self, hour: i64) -> &[LikeCount] {
        self.0.get(&hour).map_or(&[], Vec::as_slice)
    }

    /// Puts back what a store kept.
    pub fn restore(&mut self, hour: i64, count: LikeCount) {
        let counts = self.0.entry(hour).or_default();
        counts.push(count);
        counts.sort_by(|a, b| (&*a.plugin, a.action_type).cmp(&(&*b.plugin, b.action_type)));
    }
}

/// Where the counts of `action` are, or belong.
fn find(counts: &[LikeCount], action: &Action) -> Result<usize, usize> {
    counts.binary_search_by(|count| {
        (&*count.plugin, count.action_type).cmp(&(action.plugin.as_str(), action.action_type))
    })
}
