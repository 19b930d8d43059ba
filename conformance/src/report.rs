//! What a run found, for people and for programs.

use std::fmt;

use serde::Serialize;
use url::Url;

use crate::{
    check::{Check, Miss, Verdict},
    target::{DiscoveryError, Kind},
};

/// What a run against one server found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The server.
    pub target: Url,
    /// `tracker`, `village` or `server`.
    pub kind: &'static str,
    /// One line for each check.
    pub lines: Vec<Line>,
}

/// What one check found.
#[derive(Debug, Serialize)]
pub struct Line {
    /// The check's name.
    pub check: &'static str,
    /// The clauses it looks at.
    pub clauses: &'static [&'static str],
    /// What must be so.
    pub title: &'static str,
    /// `pass`, `fail` or `skip`.
    pub result: &'static str,
    /// Why it did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Report {
    /// What there is to say of a server that cannot be found out about.
    pub fn undiscovered(target: &Url, kind: Option<Kind>, error: &DiscoveryError) -> Self {
        let line = Line {
            check: "discovery",
            clauses: &["FED-NAME-001", "FED-ACTOR-002"],
            title: "the server's URL leads to an actor",
            result: "fail",
            reason: Some(error.to_string()),
        };
        Self {
            target: target.clone(),
            kind: kind.unwrap_or(Kind::Server).as_str(),
            lines: vec![line],
        }
    }
}

impl Line {
    /// The line of `check` with this verdict.
    pub fn new(check: &Check, verdict: Verdict) -> Self {
        let (result, reason) = match verdict {
            Ok(()) => ("pass", None),
            Err(Miss::Failed(reason)) => ("fail", Some(reason)),
            Err(Miss::Skipped(reason)) => ("skip", Some(reason)),
        };
        Self {
            check: check.name,
            clauses: check.clauses,
            title: check.title,
            result,
            reason,
        }
    }
}

impl Report {
    /// How many checks had this result.
    pub fn count(&self, result: &str) -> usize {
        self.lines
            .iter()
            .filter(|line| line.result == result)
            .count()
    }

    /// Whether no check failed.
    pub fn passed(&self) -> bool {
        self.count("fail") == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({})", self.target, self.kind)?;
        let width = self
            .lines
            .iter()
            .map(|line| line.check.len())
            .max()
            .unwrap_or_default();
        for line in &self.lines {
            write!(
                f,
                "  {:<4}  {:<width$}  {}",
                line.result,
                line.check,
                line.clauses.join(" ")
            )?;
            match &line.reason {
                Some(reason) => writeln!(f, "\n        {}\n        → {reason}", line.title)?,
                None => writeln!(f)?,
            }
        }
        let [passed, failed, skipped] = ["pass", "fail", "skip"].map(|result| self.count(result));
        writeln!(f, "  {passed} passed, {failed} failed, {skipped} skipped")
    }
}
