//! Follow and its answers.

pub mod accept;
pub mod follow;
pub mod reject;
pub mod undo;
