//! Tests of the drawing: what it looks like (snapshots), and what holds for every farm.

#![allow(clippy::unwrap_used)]

use farmops_protocol::proof::Category;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    arrangement::Arrangement,
    catalogue::{Catalogue, Owned},
    scene::{compose, compose_arranged},
    season::Season,
    state::{CategoryTotal, FarmState},
};

/// Bytes of one picture.
const BYTES_MAX: usize = 96 * 1024;

fn picture(state: &FarmState, theme: Theme) -> String {
    let options = Options {
        theme,
        ..Options::default()
    };
    draw(&compose(state), &options)
}

fn totals(coins: [u64; 6]) -> Vec<CategoryTotal> {
    Category::ALL
        .iter()
        .zip(coins)
        .map(|(category, coins)| CategoryTotal {
            category: *category,
            proofs: coins / 20,
            coins,
        })
        .collect()
}

fn everything() -> Vec<Owned> {
    Catalogue::builtin()
        .items()
        .iter()
        .map(|item| Owned {
            slug: item.slug.clone(),
            level: item.level_max(),
        })
        .collect()
}

fn middling() -> FarmState {
    FarmState {
        level: 5,
        coins: 1_740,
        streak_days: 4,
        categories: totals([900, 320, 0, 240, 0, 70]),
        upgrades: [
            ("barn", 1),
            ("well", 2),
            ("fence", 2),
            ("duck-pond", 1),
            ("beehives", 1),
        ]
        .map(|(slug, level)| Owned {
            slug: slug.to_owned(),
            level,
        })
        .to_vec(),
        achievements: vec!["first-seed".to_owned(), "smallholder".to_owned()],
        season: Season::Spring,
        ..FarmState::new("Alice's farm")
    }
}

fn lush(season: Season) -> FarmState {
    FarmState {
        level: 23,
        coins: 214_500,
        streak_days: 41,
        categories: totals([60_000, 45_000, 38_000, 30_000, 25_000, 16_500]),
        upgrades: everything(),
        achievements: vec!["landmark".to_owned(); 12],
        season,
        ..FarmState::new("Bob's farm")
    }
}

#[test]
fn an_empty_plot() {
    insta::assert_snapshot!(picture(&FarmState::new("New plot"), Theme::Day));
}

#[test]
fn a_farm_half_way() {
    insta::assert_snapshot!(picture(&middling(), Theme::Day));
}

#[test]
fn a_lush_farm() {
    insta::assert_snapshot!(picture(&lush(Season::Autumn), Theme::Night));
}

#[test]
fn a_hostile_name() {
    let name = "</title><script>alert(\"1\")</script>&#0;\u{0}\u{202e}\u{ffff}<!--]]>";
    let picture = picture(&FarmState::new(name), Theme::Day);
    assert!(!picture.contains("<script"));
    well_formed(&picture).expect("well-formed");
    insta::assert_snapshot!(picture);
}

#[test]
fn a_text_that_a_wider_font_would_push_off_the_board_is_held_to_its_width() {
    let held = |name: &str, coins| {
        let state = FarmState {
            coins,
            ..FarmState::new(name)
        };
        let picture = picture(&state, Theme::Day);
        let lengths = picture.split("textLength=\"").skip(1);
        let lengths = lengths.map(|rest| rest.split('"').next().unwrap().parse().unwrap());
        lengths.collect::<Vec<u32>>()
    };
    assert_eq!(held("Alice's farm", 3_367), [0; 0]);
    for name in [
        "Älice & <b>Söns</b>",
        "Operations Team North-East of the River",
        &"W".repeat(32),
        &"農".repeat(32),
    ] {
        let lengths = held(name, 3_367);
        assert!(matches!(lengths[..], [200..=326]), "{name}: {lengths:?}");
    }
    assert_eq!(held("Alice's farm", u64::MAX).len(), 1);
}

#[test]
fn the_fullest_farm_keeps_to_the_budget_in_every_season() {
    for season in Season::ALL {
        for theme in [Theme::Day, Theme::Night] {
            let state = FarmState {
                name: "\"".repeat(40),
                coins: u64::MAX,
                ..lush(season)
            };
            let length = picture(&state, theme).len();
            assert!(length <= BYTES_MAX, "{season:?} {theme:?}: {length} bytes");
        }
    }
}

#[test]
fn a_growing_farm_shows_more() {
    let sizes: Vec<_> = [FarmState::new("Farm"), middling(), lush(Season::Spring)]
        .iter()
        .map(|state| compose(state).things.len())
        .collect();
    assert!(sizes.is_sorted_by(|a, b| a + 5 < *b), "{sizes:?}");
}

#[test]
fn two_farms_share_no_id() {
    let ids = |picture: &str| -> Vec<String> {
        picture
            .split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split_once('"').map(|(id, _)| id.to_owned()))
            .collect()
    };
    let (one, other) = (
        picture(&middling(), Theme::Day),
        picture(&lush(Season::Spring), Theme::Day),
    );
    let (one, other) = (ids(&one), ids(&other));
    assert!(!one.is_empty());
    assert!(one.iter().all(|id| !other.contains(id)));
}

#[test]
fn the_width_is_written_only_when_asked_for() {
    let scene = compose(&middling());
    let sized = draw(
        &scene,
        &Options {
            width_px: Some(600),
            ..Options::default()
        },
    );
    assert!(sized.contains(" width=\"600\" height=\"420\" role=\"img\""));
    assert!(!draw(&scene, &Options::default()).contains("width=\"600\""));
}

#[test]
fn an_editable_farm_says_what_stands_where_and_what_it_is_called() {
    let state = lush(Season::Autumn);
    let json = r#"{"version":1,"places":{"barn.1":[9,0]},"names":{"barn.1":"\"><script>&"}}"#;
    let arrangement = Arrangement::from_json(json.as_bytes(), &state.upgrades, 23).unwrap();
    let scene = compose_arranged(&state, &arrangement);
    let options = Options {
        editable: true,
        grid: true,
        ..Options::default()
    };
    let document = draw(&scene, &options);
    assert_eq!(well_formed(&document), Ok(()));
    let barn = "<g data-instance=\"barn.1\" data-x=\"9\" data-y=\"0\" data-width=\"4\" data-depth=\"4\" \
                role=\"button\" tabindex=\"0\" aria-label=\"&quot;&gt;&lt;script&gt;&amp; (Barn, level 3)\" \
                transform=\"translate(";
    assert!(document.contains(barn));
    assert!(
        document
            .contains("<g class=\"grid\" aria-hidden=\"true\" data-side=\"22\" data-cell=\"22\"")
    );
    let groups = document.matches(" data-instance=").count();
    assert_eq!(groups, scene.pieces.len());
    assert!(groups > 50);
    // The same picture for those who only look says none of it.
    let plain = draw(&scene, &Options::default());
    assert!(!plain.contains("data-") && !plain.contains("class=\"grid\""));
}

#[test]
fn everything_that_stands_can_be_drawn() {
    let mut drawn: Vec<String> = Season::ALL
        .into_iter()
        .flat_map(|season| compose(&lush(season)).pieces)
        .map(|piece| piece.instance.item)
        .collect();
    drawn.sort();
    drawn.dedup();
    let mut stands: Vec<String> = Catalogue::builtin()
        .items()
        .iter()
        .filter(|item| item.stands.is_some())
        .map(|item| item.slug.clone())
        .collect();
    stands.sort();
    assert_eq!(drawn, stands);
}

#[test]
fn each_level_of_each_item_changes_the_picture_or_the_coins() {
    for item in Catalogue::builtin().items() {
        let mut seen = std::collections::BTreeSet::new();
        for level in 0..=item.level_max() {
            let state = FarmState {
                upgrades: vec![Owned {
                    slug: item.slug.clone(),
                    level,
                }],
                season: item.season().unwrap_or_default(),
                level: 20,
                ..FarmState::new("Farm")
            };
            let scene = compose(&state);
            let drawn = draw(&scene, &Options::default());
            // Ids and words differ for any level: only shapes count here.
            let shapes = drawn.replace(&id_prefix(&scene, Theme::Day), "");
            seen.insert(
                shapes
                    .split_once("</desc>")
                    .map(|(_, shapes)| shapes.to_owned()),
            );
        }
        let levels = 1 + usize::try_from(item.level_max()).unwrap();
        assert!(
            seen.len() == levels || !item.boosts_bp.is_empty(),
            "{}",
            item.slug
        );
        assert!(seen.len() > 1, "{} is not seen", item.slug);
    }
}

/// The elements a picture may have.
const NAMES: [&str; 9] = [
    "svg", "title", "desc", "g", "path", "circle", "ellipse", "text", "use",
];

/// A small strict reader: tags nest, attributes are quoted once, text has no bare `<` or `&`, every
/// character is allowed, and every reference leads to an id before it.
fn well_formed(document: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut ids: Vec<&str> = Vec::new();
    let mut rest = document;
    while let Some(start) = rest.find('<') {
        text(&rest[..start])?;
        if open.is_empty() && rest.len() != document.len() {
            return Err("more than one root".to_owned());
        }
        let end = rest.find('>').ok_or("a tag without an end")?;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("</{name}> closes nothing"));
            }
            continue;
        }
        let (inner, closed) = tag.strip_suffix('/').map_or((tag, false), |t| (t, true));
        let (name, attributes) = inner.split_once(' ').unwrap_or((inner, ""));
        if !NAMES.contains(&name) {
            return Err(format!("unexpected element {name}"));
        }
        attributes_of(attributes, &mut ids)?;
        if !closed {
            open.push(name);
        }
    }
    if open.is_empty() && rest.is_empty() {
        Ok(())
    } else {
        Err(format!("left open: {open:?}"))
    }
}

fn text(text: &str) -> Result<(), String> {
    let allowed = |c: char| c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}');
    if !text.chars().all(allowed) {
        return Err("a character XML does not allow".to_owned());
    }
    for after in text.split('&').skip(1) {
        if !["amp;", "lt;", "gt;", "quot;", "#39;"]
            .iter()
            .any(|e| after.starts_with(e))
        {
            return Err(format!("bare & before {after:?}"));
        }
    }
    Ok(())
}

fn attributes_of<'a>(mut rest: &'a str, ids: &mut Vec<&'a str>) -> Result<(), String> {
    let mut seen = Vec::new();
    while !rest.is_empty() {
        let (name, after) = rest
            .split_once("=\"")
            .ok_or_else(|| format!("attribute {rest:?}"))?;
        let (value, after) = after.split_once('"').ok_or("an attribute without an end")?;
        text(value)?;
        let fine = !name.starts_with("on") && !name.contains(' ') && !seen.contains(&name);
        if !fine || !(after.is_empty() || after.starts_with(' ')) {
            return Err(format!("attribute {name}"));
        }
        match name {
            "id" => ids.push(value),
            "href" if !ids.iter().any(|id| value.strip_prefix('#') == Some(id)) => {
                return Err(format!("{value} leads nowhere"));
            }
            "d" if value.contains('.') => return Err("a fraction in a path".to_owned()),
            _ => {}
        }
        seen.push(name);
        rest = after.trim_start();
    }
    Ok(())
}

fn any_upgrade() -> impl Strategy<Value = Owned> {
    let slugs: Vec<String> = Catalogue::builtin()
        .items()
        .iter()
        .map(|item| item.slug.clone())
        .collect();
    let slug = prop_oneof![4 => prop::sample::select(slugs), 1 => any::<String>()];
    let level = prop_oneof![4 => 0..5_u64, 1 => any::<u64>()];
    (slug, level).prop_map(|(slug, level)| Owned { slug, level })
}

fn any_number() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 0..100_u64, 2 => 0..50_000_u64, 1 => any::<u64>()]
}

prop_compose! {
    fn any_farm()(
        name in any::<String>(),
        level in any_number(),
        streak_days in any_number(),
        coins in any_number(),
        parts in vec((prop::sample::select(Category::ALL), any_number()), 0..9),
        upgrades in vec(any_upgrade(), 0..60),
        achievements in vec(any::<String>(), 0..256),
        season in prop::sample::select(&Season::ALL[..]),
    ) -> FarmState {
        let categories = parts
            .into_iter()
            .map(|(category, coins)| CategoryTotal { category, proofs: coins, coins })
            .collect();
        FarmState { name, level, streak_days, coins, categories, upgrades, achievements, season }
    }
}

proptest! {
    #[test]
    fn every_farm_gives_one_small_well_formed_picture(state in any_farm(), night in any::<bool>()) {
        let theme = if night { Theme::Night } else { Theme::Day };
        let document = picture(&state, theme);
        prop_assert_eq!(well_formed(&document), Ok(()));
        prop_assert!(document.len() <= BYTES_MAX, "{} bytes", document.len());
        prop_assert_eq!(&document, &picture(&state.clone(), theme));
    }
}
