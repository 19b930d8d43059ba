//! Posts: made, changed, passed on, deleted.

pub mod announce;
pub mod create;
pub mod delete;
pub mod update;
