//! The way out: a durable log, a lane per host, and only 2xx is success.

pub mod lane;
mod send;
pub(crate) mod worker;
