//! `rules`: by what proofs are scored.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::Value;

use super::{
    client::Client,
    output::{Output, text},
};

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Print the rules that count now, or those of a digest.
    Show {
        /// The digest of rules that counted once.
        digest: Option<String>,
    },
    /// Score by a rules file from now on; earlier proofs keep their scores.
    Set {
        /// The file, in the form that `rules show` prints.
        file: PathBuf,
    },
}

impl RulesCommand {
    pub(super) async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::Show { digest } => {
                let path = digest.map_or_else(|| "rules".to_owned(), |d| format!("rules/{d}"));
                let answer: Value = client.get(&path).await?;
                Ok(output.show(&answer, |answer| format!("{:#}", answer["rules"])))
            }
            Self::Set { file } => {
                let answer = client.put("rules", &read(&file)?).await?;
                Ok(output.show(&answer, |answer| {
                    let digest = text(&answer["digest"]);
                    format!("From now on proofs are scored by the rules {digest}.")
                }))
            }
        }
    }
}

pub(super) fn read(file: &PathBuf) -> anyhow::Result<Value> {
    let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is no JSON", file.display()))
}
