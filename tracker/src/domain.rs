//! The rules of one farm, as pure functions: what is accepted, and what it changes.
//!
//! `decide_*` looks at the [`State`] and answers with events or a [`Refusal`]; [`State::apply`] folds an
//! event in and [`Changes`] collects the rows that have to be rewritten. Nothing here reads a clock, a
//! store or a network, so a replay of the ledger gives the same farm.

mod activity;
mod agents;
mod apply;
mod changes;
mod composites;
mod founding;
mod owner;
mod purchase;
mod refusal;
mod rhythm;
mod schedule;
mod state;
mod submit;
mod view;
mod waiting;

pub use self::{
    activity::{HourlyActivity, LikeCount},
    agents::{
        Approval, Cut, approved, decide_approve, decide_ask_reset, decide_dismiss, decide_enrol,
        decide_reset, decide_revoke, decide_rotate, end_of_chain, gone,
    },
    apply::Applied,
    changes::{Changes, CompositeRow, ForkRow, OutageRow, ProofRow, follows},
    composites::decide_composites,
    founding::{Founding, decide_found},
    owner::{
        LeagueOffer, decide_calendar, decide_join_league, decide_leave_league, decide_rename,
        decide_rest, decide_rules, decide_take_league,
    },
    purchase::{customer, decide_purchase},
    refusal::{Refusal, Sort},
    rhythm::{Known, KnownDays, Watch},
    schedule::{Schedule, Term},
    state::{
        Agent, CategoryTotals, Coins, DayTotals, Farm, FormerKey, League, Profile, Purchase, Rules,
        State,
    },
    submit::{Fit, History, Stray, Submission, decide_stray, decide_submit},
    view::FarmView,
    waiting::{BufferBounds, Waiting, WaitingRoom},
};
