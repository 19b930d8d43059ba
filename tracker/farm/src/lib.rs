//! The farm itself: what can be built on it, what its owner has earned, and how it is drawn.
//!
//! In scope: the catalogue of things to buy, levels, achievements, the state that is drawn, and the
//! one deterministic function from that state to an isometric SVG.
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
//! To add something to the catalogue: 1. an entry in `catalogue.json`; 2. if it is to be seen, a
//! [`scene::Sprite`] placed by `scene/homestead.rs`; 3. its drawing under `svg/`.

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
