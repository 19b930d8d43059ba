//! Posts: made, changed, passed on, deleted.

pub(crate) mod announce;
pub(crate) mod create;
pub(crate) mod delete;
mod object;
pub(crate) mod update;

pub(crate) use self::object::check_own_snapshot;
