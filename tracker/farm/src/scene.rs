//! The layout of the picture: which things stand where, as plain values without a drawing.
//!
//! The farm is a square of [`SIDE`] units; x runs to the lower right of the picture, y to the lower
//! left. Everything is an integer, and every choice of chance comes from the farm's name, so the same
//! state is the same scene on every machine.

use farmops_protocol::proof::Category;

use crate::{
    alt,
    arrangement::{Arrangement, Instance},
    grid::{Cell, Footprint},
    season::Season,
    state::FarmState,
};

mod homestead;
mod looks;
mod nature;
mod plots;
pub(crate) mod scatter;
#[cfg(test)]
mod tests;

pub use plots::Plot;
pub(crate) use plots::corners as field_corners;

/// The length of the farm's side.
pub const SIDE: i32 = 528;

/// A farm, laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scene {
    /// The farm's name, not yet fit for a picture.
    pub name: String,
    /// What the picture shows, in words.
    pub alt: String,
    /// The farm's level.
    pub level: u64,
    /// Coins earned in all.
    pub coins: u64,
    /// Working days in a row.
    pub streak_days: u64,
    /// How many badges the farm shows.
    pub badges: usize,
    /// The time of the year.
    pub season: Season,
    /// What gives this farm its own blades of grass.
    pub seed: u64,
    /// What the paths are made of.
    pub path: Path,
    /// Whether a balloon is in the sky.
    pub balloon: bool,
    /// What runs around the farm: 0 nothing, 1 posts and rope, 2 rails, 3 a wall; from 2 on also at the back.
    pub fence: u8,
    /// One field per category.
    pub plots: Vec<Plot>,
    /// Everything that stands on the ground, from back to front.
    pub things: Vec<Thing>,
    /// What the owner can move, in the order of the catalogue.
    pub pieces: Vec<Piece>,
    /// Cells along each side of the ground.
    pub side_cells: u8,
}

/// A thing that was bought and that its owner can move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Which one it is.
    pub instance: Instance,
    /// Its back corner on the grid.
    pub cell: Cell,
    /// What it takes from there.
    pub footprint: Footprint,
    /// What it is called: its own name, if it has one, and what it is. Not escaped.
    pub label: String,
    /// What it looks like.
    pub sprite: Sprite,
}

/// What the paths are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Trodden grass.
    Track,
    /// Gravel.
    Gravel,
    /// Cobbles.
    Cobbles,
}

/// One thing at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thing {
    /// Where its foot is.
    pub x: i32,
    /// Where its foot is.
    pub y: i32,
    /// What it is.
    pub sprite: Sprite,
    /// Which of the scene's pieces it is; none for what nobody can move.
    pub piece: Option<usize>,
}

impl Thing {
    /// What nobody can move.
    fn at(x: i32, y: i32, sprite: Sprite) -> Self {
        Self {
            x,
            y,
            sprite,
            piece: None,
        }
    }
}

/// What a thing is. Numbers are sizes or levels, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Sprite {
    House(u8),
    Barn(u8),
    Silo(u8),
    Greenhouse(u8),
    Windmill(u8),
    Watchtower(u8),
    Well(u8),
    HenHouse(u8),
    Dovecote(u8),
    RootCellar(u8),
    Beehive,
    Pond(u8),
    Scarecrow(u8),
    Tractor(u8),
    Lantern,
    /// One field of the category, with its soil; the number is how far it has come, 0 to 5.
    Field(Category, u8),
    Oak(u8),
    Conifer(u8),
    FruitTree(u8),
    Bush(u8),
    Rock(u8),
    Stump,
    Flowers(u8),
    Tuft(u8),
    Chicken(u8),
    Sheep(u8),
    Cow,
    Duck(u8),
    Flag(u8),
    Brazier(u8),
    Gnome,
    Picnic,
    SnowFarmer,
    Maypole,
    HarvestCart,
    Bakery(u8),
    Smithy(u8),
    Observatory(u8),
    Lighthouse(u8),
    Compost(u8),
    WeatherStation(u8),
    Pump(u8),
    SolarPanel,
    Bench,
    Sundial,
    Topiary,
    Fountain,
    Sledge,
    TulipBarrow,
    DeckChair,
    PumpkinLantern,
}

/// Lays out the farm in the usual arrangement, for farms whose owner's is not known.
pub fn compose(state: &FarmState) -> Scene {
    compose_arranged(state, &Arrangement::usual(&state.upgrades, state.level))
}

/// Lays out the farm with everything where `arrangement` has it.
pub fn compose_arranged(state: &FarmState, arrangement: &Arrangement) -> Scene {
    let seed = scatter::seed(&state.name);
    let plots = plots::of(state);
    let (mut things, pieces) = homestead::of(state, arrangement);
    things.extend(plots.iter().map(|plot| {
        let sprite = Sprite::Field(plot.category, plot.stage);
        Thing::at(plot.x + plot.width / 2, plot.y + plot.depth / 2, sprite)
    }));
    things.extend(nature::of(state, arrangement, seed));
    things.sort_by_key(|thing| (depth(thing), thing.x));
    Scene {
        name: state.name.clone(),
        alt: alt::alt_text(state),
        level: state.level,
        coins: state.coins,
        streak_days: state.streak_days,
        badges: state.achievements.len(),
        season: state.season,
        seed,
        path: if state.upgrade_level("cobbled-paths") > 0 {
            Path::Cobbles
        } else if state.level >= 4 {
            Path::Gravel
        } else {
            Path::Track
        },
        balloon: homestead::in_season(state, "balloon"),
        fence: homestead::fence(state),
        plots,
        things,
        pieces,
        side_cells: arrangement.side(),
    }
}

/// How near a thing is to the eye. Fields lie flat, so what stands beside one is drawn after it.
fn depth(thing: &Thing) -> i32 {
    match thing.sprite {
        Sprite::Field(..) => thing.x + thing.y - 60,
        Sprite::Pond(_) => thing.x + thing.y - 120,
        _ => thing.x + thing.y,
    }
}

/// A level as a small number, at most `max`.
fn at_most(level: u64, max: u8) -> u8 {
    u8::try_from(level).unwrap_or(u8::MAX).min(max)
}
