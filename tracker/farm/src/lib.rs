//! The farm itself: what can be built on it, what its owner has earned, and how it is drawn.
//!
//! In scope: the catalogue of things to buy and the shop that sells them, levels, achievements, the
//! layout document in which devices arrange the farm, the state that is drawn, and the one deterministic
//! function from that state to an isometric SVG. The README says how the economy and the layout work.
//!
//! Out of scope: where the coins come from (the tracker's ledger) and where the picture goes (pages,
//! posts, embeds). Nothing here reads a clock, a file or a network.
//!
//! ```
//! use farmops_farm::{scene, state::FarmState, svg};
//!
//! let state = FarmState::new("Alice's farm");
//! let picture = svg::draw(&scene::compose(&state), &svg::Options::default());
//! assert!(picture.starts_with("<svg "));
//! ```
//!
//! To add something to the catalogue: 1. an entry in `catalogue.json`, with a higher `version`; 2. if it
//! stands on the ground, a [`scene::Sprite`] in `scene/looks.rs`; 3. its drawing under `svg/`. Tests say
//! what is forgotten.

pub mod achievements;
pub mod arrangement;
pub mod catalogue;
pub mod grid;
pub mod layout;
pub mod level;
pub mod scene;
pub mod season;
pub mod shop;
pub mod state;
pub mod svg;

mod alt;

pub use alt::alt_text;
pub use svg::text::grouped;
