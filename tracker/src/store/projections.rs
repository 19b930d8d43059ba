//! The tables that hold nothing but what the ledger says.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::stream::BoxStream;

use super::{Reads, Secrets, StoreError};

/// A table that is made from the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Projection {
    /// Its name.
    pub table: &'static str,
    /// The columns that tell its rows apart.
    pub key: &'static [&'static str],
    /// Whether they all hold numbers, so that every database sorts by them alike. Tables that grow with
    /// the ledger are like that; the others are small enough to be sorted in memory.
    pub numbered: bool,
}

const fn numbered(table: &'static str, key: &'static [&'static str]) -> Projection {
    Projection {
        table,
        key,
        numbered: true,
    }
}

const fn named(table: &'static str, key: &'static [&'static str]) -> Projection {
    Projection {
        table,
        key,
        numbered: false,
    }
}

/// Every projection. What is missing here is neither rebuilt nor checked.
pub const PROJECTIONS: [Projection; 20] = [
    numbered("agent_outage", &["position"]),
    named("agent_trust", &["agent_id"]),
    named("category_stats", &["category"]),
    numbered("composite", &["position"]),
    numbered("composite_part", &["position", "step"]),
    named("composing", &["slug"]),
    named("day_stats", &["day"]),
    numbered("farm", &["id"]),
    named("farm_upgrade", &["upgrade_slug"]),
    numbered("fork_evidence", &["position"]),
    named("hour_activity", &["hour", "plugin", "action_type"]),
    named("league", &["league"]),
    named("league_day", &["league", "day"]),
    named("league_season", &["league", "season"]),
    numbered("ledger_head", &["id"]),
    numbered("proof_chain", &["position"]),
    numbered("purchase", &["position"]),
    named("rest_day", &["day"]),
    named("rule_set", &["digest"]),
    numbered("tile", &["level", "idx"]),
];

/// A value in a row, whatever the database calls its type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A number; 0 and 1 of a flag.
    Number(i64),
    /// Text.
    Text(String),
    /// Bytes; 16 of a UUID.
    Bytes(Vec<u8>),
}

/// A row by its columns' names.
pub type RawRow = BTreeMap<String, Cell>;

/// Looking at a database as it is, without a belief in what it says.
#[async_trait]
pub trait Inspect: Reads {
    /// The rows of `table`, by the columns of `order`, which hold numbers; in any order if there are none.
    fn rows<'a>(
        &'a self,
        table: &'static str,
        order: &'static [&'static str],
    ) -> BoxStream<'a, Result<RawRow, StoreError>>;

    /// The farm's secrets; nothing if one is missing or is none.
    async fn secrets(&self) -> Result<Option<Secrets>, StoreError>;

    /// How many entries the ledger has, if it looks like what was logged: at both ends, and by the latest signed
    /// head; nothing before the farm is founded. It is not all that [`crate::audit::fsck`] finds, and takes
    /// milliseconds. Only of a database that nobody writes to, or that is frozen.
    ///
    /// # Errors
    /// [`StoreError::is_damage`] is true of what it finds.
    async fn glance(&self) -> Result<Option<u64>, StoreError>;
}
