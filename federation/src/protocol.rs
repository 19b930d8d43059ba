//! Wire types: one small struct per thing, read tolerantly, written in one form.
//!
//! What a thing *does* stands in the file of the same name under [`crate::activities`].
//! To add an activity: 1. its struct here, 2. its behaviour there, 3. its line in
//! `activities.rs`, 4. its line in FEDERATION.md.

pub mod activity;
pub mod actor;
pub mod collection;
pub mod context;
pub mod following;
pub mod jrd;
pub mod nodeinfo;
pub mod publishing;
pub mod tolerant;
