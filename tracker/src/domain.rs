//! The rules of one farm, as pure functions: what is accepted, and what it changes.
//!
//! `decide_*` looks at the [`State`] and answers with events or a [`Refusal`]; [`State::apply`] folds an
//! event in and [`Changes`] collects the rows that have to be rewritten. Nothing here reads a clock, a
//! store or a network, so a replay of the ledger gives the same farm.

mod activity;
mod agents;
mod apply;
mod changes;
mod founding;
mod refusal;
mod state;
mod submit;
mod view;
mod waiting;

pub use self::{
    activity::{HourlyActivity, LikeCount},
    agents::{Approval, decide_approve, decide_enrol, decide_revoke},
    apply::Applied,
    changes::{Changes, ForkRow, ProofRow},
    founding::{Founding, decide_found},
    refusal::Refusal,
    state::{Agent, CategoryTotals, Coins, DayTotals, Farm, Rules, State},
    submit::{Fit, History, Stray, Submission, decide_stray, decide_submit},
    view::FarmView,
    waiting::{BufferBounds, Waiting, WaitingRoom},
};
