//! How long a farm takes: three engineers who buy whatever they can afford, cheapest first. The table in
//! the README is what comes out.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::{catalogue::Kind, level::level};

/// Coins that a working day brings: a quiet one, a usual one, a lively one.
const COINS_A_DAY: [u64; 3] = [100, 250, 400];

/// Working days of a quarter.
const QUARTER_DAYS: u64 = 65;

/// Days after which a farm is judged never to get there.
const DAYS_MAX: u64 = 5_000;

type Reached = fn(&[Owned], u64) -> bool;

const MILESTONES: [(&str, Reached); 9] = [
    ("the first thing of all", |owned, _| !owned.is_empty()),
    ("five different things", |owned, _| owned.len() >= 5),
    ("the barn", |owned, _| level_of(owned, "barn") > 0),
    ("farm level 5", |_, earned| level(earned) >= 5),
    ("farm level 10", |_, earned| level(earned) >= 10),
    ("the watchtower", |owned, _| {
        level_of(owned, "watchtower") > 0
    }),
    ("the lighthouse", |owned, _| {
        level_of(owned, "lighthouse") > 0
    }),
    ("every building, at its highest", |owned, _| {
        complete(owned, |item| item.kind == Kind::Building)
    }),
    ("everything there is", |owned, _| complete(owned, |_| true)),
];

fn complete(owned: &[Owned], counts: impl Fn(&Item) -> bool) -> bool {
    let items = Catalogue::builtin().items().iter();
    items
        .filter(|item| counts(item))
        .all(|item| level_of(owned, &item.slug) == item.level_max())
}

/// The working day on which each milestone is reached.
fn days(coins_a_day: u64) -> Vec<u64> {
    let mut reached = vec![None; MILESTONES.len()];
    let (mut owned, mut earned, mut spent) = (Vec::new(), 0, 0);
    for day in 1..=DAYS_MAX {
        earned += coins_a_day;
        while let Some(purchase) = cheapest(&owned, earned, spent, day) {
            spent += purchase.price;
            own(&mut owned, &purchase);
        }
        for (day_reached, (_, is_reached)) in reached.iter_mut().zip(MILESTONES) {
            if day_reached.is_none() && is_reached(&owned, earned) {
                *day_reached = Some(day);
            }
        }
        if let Some(days) = reached.iter().copied().collect() {
            return days;
        }
    }
    panic!("not all reached: {reached:?}");
}

fn cheapest(owned: &[Owned], earned: u64, spent: u64, day: u64) -> Option<Purchase> {
    let season = Season::ALL[usize::try_from((day - 1) / QUARTER_DAYS % 4).unwrap()];
    let customer = Customer {
        owned,
        farm_level: level(earned),
        balance: earned - spent,
        season,
    };
    let offers = offers(Catalogue::builtin(), &customer).into_iter();
    offers
        .filter_map(|offer| offer.decision.ok())
        .min_by_key(|purchase| purchase.price)
}

fn own(owned: &mut Vec<Owned>, purchase: &Purchase) {
    match owned.iter_mut().find(|of| of.slug == purchase.item) {
        Some(of) => of.level = purchase.level,
        None => owned.push(Owned {
            slug: purchase.item.clone(),
            level: purchase.level,
        }),
    }
}

#[test]
fn the_readme_says_how_long_things_take() {
    let columns: Vec<Vec<u64>> = COINS_A_DAY.into_iter().map(days).collect();
    let readme = include_str!("../../README.md");
    let rows: Vec<String> = MILESTONES
        .iter()
        .enumerate()
        .map(|(row, (name, _))| {
            let [quiet, usual, lively] = [0, 1, 2].map(|column: usize| columns[column][row]);
            format!("| {name} | {quiet} | {usual} | {lively} |")
        })
        .collect();
    let table = rows.join("\n");
    assert!(readme.contains(&table), "the README lacks\n{table}");
}

#[test]
fn a_new_farm_buys_something_on_the_first_day_and_has_goals_for_most_of_a_year() {
    let usual = days(250);
    assert_eq!(usual.first(), Some(&1));
    assert!((130..=320).contains(usual.last().unwrap()), "{usual:?}");
    let quiet = days(100);
    assert!(quiet[1] <= 5, "{quiet:?}");
}

#[test]
fn an_items_boost_pays_for_it_within_a_long_career_but_never_within_a_month() {
    for item in Catalogue::builtin().items() {
        let price: u64 = item.prices.iter().sum();
        let bp: u64 = item.boosts_bp.values().map(|bp| u64::from(*bp)).sum();
        // 250 coins a day, a sixth of them in each category.
        let gained_a_day = 250 * bp * item.level_max() / 6;
        if let Some(days) = (price * 10_000).checked_div(gained_a_day) {
            assert!((22..=4_000).contains(&days), "{}: {days} days", item.slug);
        }
    }
}
