//! What an audit says.

use serde::Serialize;

use crate::store::ArchivedSeason;

/// Findings kept at most; a broken ledger has one for every line.
const FINDINGS_MAX: usize = 100;

/// What was found.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Entries read.
    pub entries: u64,
    /// Proofs whose signature, link and score were checked.
    pub proofs: u64,
    /// Signed heads compared with the log.
    pub heads: u64,
    /// Rows compared with a fresh fold.
    pub rows: u64,
    /// Coins by the ledger.
    pub coins: u64,
    /// Proofs that were passed over because what they say is archived, by season.
    pub archived: Vec<ArchivedSeason>,
    /// What is wrong, first things first; empty for a sound ledger.
    pub findings: Vec<Finding>,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The ledger position; 0 for the farm as a whole.
    pub position: u64,
    /// The table.
    pub table: &'static str,
    /// What is wrong.
    pub reason: String,
    /// What helps.
    pub remedy: Remedy,
}

/// What helps against a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// The table says nothing that the ledger does not: make it anew.
    Rebuild,
    /// What is damaged is nowhere else in this database.
    Restore,
    /// The database is not damaged; the archive is.
    Archive,
}

impl Remedy {
    /// As advice.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Rebuild => "run `farmops-tracker rebuild`",
            Self::Restore => "restore a backup from before the damage",
            Self::Archive => "look for another copy of the archive",
        }
    }
}

impl Report {
    /// Adds a finding, unless there are plenty.
    pub fn find(&mut self, position: u64, table: &'static str, reason: String, remedy: Remedy) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding {
                position,
                table,
                reason,
                remedy,
            });
        }
    }

    /// The first position at which something is wrong.
    pub fn first_position(&self) -> Option<u64> {
        self.findings
            .iter()
            .map(|f| f.position)
            .filter(|p| *p > 0)
            .min()
    }

    /// What was passed over, in a sentence for each season.
    pub fn unopened(&self) -> impl Iterator<Item = String> {
        self.archived.iter().map(|season| {
            format!(
                "{}: {} of the entries {} to {} are archived and were not opened; --archive FILE opens them",
                season.season,
                match season.entries {
                    1 => "1 proof".to_owned(),
                    proofs => format!("{proofs} proofs"),
                },
                season.first,
                season.last
            )
        })
    }

    /// The findings by position; what concerns the farm as a whole comes last.
    pub(super) fn in_order(mut self) -> Self {
        self.findings
            .sort_by_key(|finding| finding.position.wrapping_sub(1));
        self
    }
}
