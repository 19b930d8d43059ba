//! Draws a farm: `cargo run -p farmops-farm --example draw -- NAME COINS STREAK SEASON [night] [grid] [FILE] > farm.svg`.
//!
//! Coins are spread over the six categories, and everything that the level and the coins allow is
//! bought, cheapest first. FILE is an arrangement in JSON; `{"version":1}` is the usual one.

use std::{env, fs, process::ExitCode};

use farmops_farm::{
    arrangement::Arrangement,
    catalogue::{Catalogue, Kind, Owned},
    level, scene,
    season::Season,
    state::{CategoryTotal, FarmState},
    svg::{self, Options, Theme},
};
use farmops_protocol::proof::Category;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [name, coins, streak, season, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: draw NAME COINS STREAK winter|spring|summer|autumn [night]");
        return ExitCode::FAILURE;
    };
    let season = Season::ALL.into_iter().find(|s| s.as_str() == season);
    let (Ok(coins), Ok(streak_days), Some(season)) = (coins.parse(), streak.parse(), season) else {
        eprintln!("COINS and STREAK are whole numbers; SEASON is winter, spring, summer or autumn");
        return ExitCode::FAILURE;
    };
    let state = grown(name, coins, streak_days, season);
    let mut options = Options::default();
    let mut arrangement = Arrangement::usual(&state.upgrades, state.level);
    for word in rest {
        match word.as_str() {
            "night" => options.theme = Theme::Night,
            "grid" => (options.editable, options.grid) = (true, true),
            file => match arranged(file, &state) {
                Ok(read) => arrangement = read,
                Err(error) => {
                    eprintln!("{file}: {error}");
                    return ExitCode::FAILURE;
                }
            },
        }
    }
    let scene = scene::compose_arranged(&state, &arrangement);
    print!("{}", svg::draw(&scene, &options));
    ExitCode::SUCCESS
}

fn arranged(file: &str, state: &FarmState) -> Result<Arrangement, String> {
    let bytes = fs::read(file).map_err(|error| error.to_string())?;
    Arrangement::from_json(&bytes, &state.upgrades, state.level).map_err(|error| error.to_string())
}

fn grown(name: &str, coins: u64, streak_days: u64, season: Season) -> FarmState {
    let mut state = FarmState::new(name);
    state.coins = coins;
    state.level = level::level(coins);
    state.streak_days = streak_days;
    state.season = season;
    let shares = [30, 22, 18, 14, 10, 6];
    state.categories = Category::ALL
        .iter()
        .zip(shares)
        .map(|(category, share)| CategoryTotal {
            category: *category,
            proofs: coins * share / 2_000,
            coins: coins * share / 100,
        })
        .collect();
    buy(&mut state);
    state
}

fn buy(state: &mut FarmState) {
    let mut purse = state.coins;
    let mut offers: Vec<(u64, &str)> = Catalogue::builtin()
        .items()
        .iter()
        .filter(|item| item.farm_level <= state.level)
        .filter(|item| item.kind != Kind::Seasonal || item.season() == Some(state.season))
        .flat_map(|item| item.prices.iter().map(|price| (*price, item.slug.as_str())))
        .collect();
    offers.sort_unstable();
    for (price, slug) in offers {
        let Some(rest) = purse.checked_sub(price) else {
            break;
        };
        purse = rest;
        match state.upgrades.iter_mut().find(|owned| owned.slug == slug) {
            Some(owned) => owned.level += 1,
            None => state.upgrades.push(Owned {
                slug: slug.to_owned(),
                level: 1,
            }),
        }
    }
}
