//! The six fields: one per category, and how far each has come.

use farmops_protocol::proof::Category;

use crate::state::FarmState;

/// Coins of a category at which its field reaches stage 1, 2, 3, 4 and 5.
const STAGES_AT: [u64; 5] = [1, 60, 300, 1_000, 3_000];

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plot {
    /// The category whose work grows here.
    pub category: Category,
    /// 0 (not yet ploughed) to 5 (lush).
    pub stage: u8,
    /// Where its back corner is.
    pub x: i32,
    /// Where its back corner is.
    pub y: i32,
    /// Extent along x.
    pub width: i32,
    /// Extent along y.
    pub depth: i32,
}

impl Plot {
    /// Extent of every field along x.
    pub const WIDTH: i32 = 142;
    /// Extent of every field along y.
    pub const DEPTH: i32 = 94;
}

/// The back corners of the fields: two columns of three.
pub(crate) fn corners() -> impl Iterator<Item = (i32, i32)> {
    [197, 371]
        .into_iter()
        .flat_map(|x| [190, 301, 412].map(|y| (x, y)))
}

/// The fields of a farm.
pub(super) fn of(state: &FarmState) -> Vec<Plot> {
    Category::ALL
        .iter()
        .zip(corners())
        .map(|(category, (x, y))| Plot {
            category: *category,
            stage: stage(state.coins_in(*category)),
            x,
            y,
            width: Plot::WIDTH,
            depth: Plot::DEPTH,
        })
        .collect()
}

fn stage(coins: u64) -> u8 {
    super::at_most(STAGES_AT.partition_point(|at| *at <= coins) as u64, 5)
}
