//! The picture in words, for those who cannot see it and for posts.

use crate::{catalogue::Catalogue, state::FarmState, svg::text};

/// How many buildings are named before the rest are counted.
const NAMED_MAX: usize = 6;

/// The farm in one or two sentences of plain text (not escaped for XML or HTML).
pub fn alt_text(state: &FarmState) -> String {
    let mut text = format!(
        "{}, a level {} farm in {}, drawn as a small island.",
        text::display_name(&state.name),
        state.level,
        state.season.as_str()
    );
    text.push_str(&fields(state));
    text.push_str(&buildings(state));
    text.push_str(&streak(state.streak_days));
    text
}

fn streak(days: u64) -> String {
    match days {
        0 => String::new(),
        1 => " The streak is one day long.".to_owned(),
        days => format!(" A flag marks a streak of {days} working days."),
    }
}

fn fields(state: &FarmState) -> String {
    let mut growing: Vec<_> = state
        .categories
        .iter()
        .filter(|total| total.coins > 0)
        .collect();
    growing.sort_by_key(|total| (std::cmp::Reverse(total.coins), total.category));
    let names: Vec<&str> = growing
        .iter()
        .map(|total| total.category.as_str())
        .collect();
    match names.as_slice() {
        [] => " The fields are not ploughed yet.".to_owned(),
        [one] => format!(" Only the {one} field is planted."),
        [first, ..] => format!(
            " Crops grow on {} of 6 fields, most of all on the {first} field.",
            names.len()
        ),
    }
}

fn buildings(state: &FarmState) -> String {
    let names: Vec<String> = Catalogue::builtin()
        .items()
        .iter()
        .filter(|item| state.upgrade_level(&item.slug) > 0)
        .map(|item| item.name.to_lowercase())
        .collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!(" It has one thing built on it: {one}."),
        many => {
            let named = &many[..many.len().min(NAMED_MAX)];
            let rest = many.len() - named.len();
            let end = if rest > 0 {
                format!(" and {rest} more")
            } else {
                String::new()
            };
            format!(" Built so far: {}{end}.", named.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use farmops_protocol::proof::Category;

    use super::*;
    use crate::{catalogue::Owned, state::CategoryTotal};

    #[test]
    fn a_farm_in_words() {
        let mut state = FarmState::new("Alice's farm");
        assert_eq!(
            alt_text(&state),
            "Alice's farm, a level 1 farm in summer, drawn as a small island. The fields are not ploughed yet."
        );
        let total = |category, coins| CategoryTotal {
            category,
            proofs: 1,
            coins,
        };
        state.categories = vec![total(Category::Toil, 5), total(Category::Incident, 40)];
        state.upgrades = vec![Owned {
            slug: "barn".to_owned(),
            level: 2,
        }];
        state.streak_days = 3;
        assert_eq!(
            alt_text(&state),
            "Alice's farm, a level 1 farm in summer, drawn as a small island. Crops grow on 2 of 6 fields, \
             most of all on the incident field. It has one thing built on it: barn. A flag marks a streak \
             of 3 working days."
        );
    }
}
