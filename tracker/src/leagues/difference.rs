//! How one set of rules differs from another, for a person who is to choose.

use farmops_protocol::scoring::RuleSet;
use serde_json::Value;

/// Members that bring nothing in a league (`SCO-LEAGUE-001`): streaks, and so freezes, are the farm's.
const WITHOUT_EFFECT: [&str; 2] = ["composites", "freezes"];
/// Characters of a value that are shown.
const SHOWN_CHARS_MAX: usize = 160;

/// A member that two rule sets do not have alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where it stands: `base_coins.toil`.
    pub member: String,
    /// What it is here.
    pub here: String,
    /// What it is in the league.
    pub there: String,
}

/// What scores differently in a league by the rules `there` than by `here`.
pub fn differences(here: &RuleSet, there: &RuleSet) -> Vec<Difference> {
    let tree = |rules: &RuleSet| serde_json::to_value(rules).unwrap_or_default();
    let mut found = Vec::new();
    compare("", &tree(here), &tree(there), &mut found);
    found.sort_by(|one, other| one.member.cmp(&other.member));
    found
}

fn compare(place: &str, here: &Value, there: &Value, found: &mut Vec<Difference>) {
    match (here, there) {
        // Both are of one type, so they have the same members.
        (Value::Object(ours), Value::Object(theirs)) => {
            let scored = ours
                .iter()
                .filter(|(name, _)| !(place.is_empty() && WITHOUT_EFFECT.contains(&name.as_str())));
            for (name, here) in scored {
                let there = theirs.get(name).unwrap_or(&Value::Null);
                let dot = if place.is_empty() { "" } else { "." };
                compare(&format!("{place}{dot}{name}"), here, there, found);
            }
        }
        (here, there) if here != there => found.push(Difference {
            member: place.to_owned(),
            here: shown(here),
            there: shown(there),
        }),
        _ => (),
    }
}

fn shown(value: &Value) -> String {
    if value.is_null() {
        return "none".to_owned();
    }
    let text = value.to_string().replace(',', ", ");
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_with_both_values() {
        let here = RuleSet::default();
        let mut there = here.clone();
        there.base_coins.toil = 40;
        there.caps.per_day = Some(300);
        there.streak_bp = vec![10_000; 366];
        there.composites.clear();
        there.freezes.held_max = 0;
        let found = differences(&here, &there);
        let members: Vec<_> = found.iter().map(|d| d.member.as_str()).collect();
        assert_eq!(members, ["base_coins.toil", "caps.per_day", "streak_bp"]);
        assert_eq!((&*found[0].here, &*found[0].there), ("15", "40"));
        assert_eq!((&*found[1].here, &*found[1].there), ("none", "300"));
        assert!(found[2].here.starts_with("[10000, 10833"));
        assert_eq!(found[2].there.chars().count(), SHOWN_CHARS_MAX + 1);
        assert_eq!(differences(&here, &here), []);
    }
}
