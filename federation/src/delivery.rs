//! The way out: a durable log, a lane per host, only 2xx is success.

pub mod lane;
