//! `rules` and `leagues`: by what proofs are scored.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use url::Url;

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

#[derive(Debug, Subcommand)]
pub(super) enum LeaguesCommand {
    /// List the leagues with what each season brought.
    List,
    /// Join a league, or take over its changed rules.
    Join(LeagueArgs),
    /// Leave a league; what was earned in it stays.
    Leave {
        /// The league's slug.
        league: String,
    },
}

/// Which league, and by what it scores.
#[derive(Debug, Args)]
pub(super) struct LeagueArgs {
    /// The league's slug.
    league: String,
    /// Its name for people.
    #[arg(long)]
    name: String,
    /// Its rules file.
    #[arg(long, value_name = "FILE")]
    rules: PathBuf,
    /// The village that runs it.
    #[arg(long)]
    village: Option<Url>,
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

impl LeaguesCommand {
    pub(super) async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        let answer: Value = match self {
            Self::List => client.get("leagues").await?,
            Self::Join(args) => {
                let body = json!({
                    "name": args.name,
                    "rules": read(&args.rules)?,
                    "village": args.village,
                });
                client
                    .put(&format!("leagues/{}", args.league), &body)
                    .await?
            }
            Self::Leave { league } => client.delete(&format!("leagues/{league}")).await?,
        };
        Ok(
            output.list(&answer, "leagues", "The farm is in no league.", |league| {
                let seasons = league["seasons"].as_object();
                let seasons = seasons.into_iter().flatten();
                let coins: Vec<_> = seasons.map(|(s, coins)| format!("{s}: {coins}")).collect();
                let since = match text(&league["left_at"]) {
                    never if never.is_empty() => format!("since {}", text(&league["joined_at"])),
                    left => format!("left {left}"),
                };
                [
                    text(&league["league"]),
                    text(&league["name"]),
                    since,
                    coins.join(", "),
                ]
            }),
        )
    }
}

fn read(file: &PathBuf) -> anyhow::Result<Value> {
    let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is no JSON", file.display()))
}
