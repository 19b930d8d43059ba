//! A village: where farms are shown side by side, and the neighbour of other villages.
//!
//! In scope: the roster of members, followed farmers of elsewhere, leaderboards over signed
//! snapshots, federation with other villages, and the pages that show all of it.
//!
//! Out of scope: proofs and scoring (a village never sees a proof), and the mechanics of
//! `ActivityPub` (`farmops-federation`).
//!
//! A snapshot's way through this crate: the engine verifies it and calls [`village`]'s `host` →
//! `village/receive.rs` finds its farmer → `store/snapshots.rs` asks [`policy`], checks key and
//! order, keeps it, and remakes the farmer's board rows (`store/projection.rs`) in one
//! transaction, together with the announcement to the peers → `pages/` and `http/` read the rows.
//!
//! To change who may be shown where, open [`policy`]; who may join, [`roster`]; the order of a
//! board, `store/boards.rs`.

pub mod board;
pub mod cli;
pub mod config;
pub mod farmer;
mod html;
pub mod http;
pub mod leagues;
pub mod limits;
pub mod names;
mod pages;
pub mod policy;
pub mod roster;
pub mod serve;
pub mod store;
pub mod village;

/// Where the source of this program is offered, as its licence asks.
pub const SOURCE: &str = "https://github.com/farmops/farmops";
