//! `farm` and `shop`: what the work has brought, and what can be had for it.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{
    client::Client,
    output::{Output, text},
};

#[derive(Debug, Subcommand)]
pub(super) enum FarmCommand {
    /// Show the farm's figures.
    Show(Moment),
    /// Show the coins earned, spent and left.
    Balance(Moment),
    /// Show what each category and each day brought.
    Stats(Moment),
    /// List what stands on the farm.
    Upgrades(Moment),
}

#[derive(Debug, Subcommand)]
pub(super) enum ShopCommand {
    /// List what can be had for coins.
    List,
}

/// Which moment is asked about.
#[derive(Debug, Args)]
pub(super) struct Moment {
    /// A ledger position, or a time like 2026-02-21T09:30:00Z; now without it.
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,
}

impl Moment {
    async fn of(&self, client: &Client, path: &str) -> anyhow::Result<Value> {
        let Some(at) = &self.at else {
            return client.get(path).await;
        };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("at", at);
        client.get(&format!("{path}?{}", query.finish())).await
    }
}

impl FarmCommand {
    pub(super) async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::Show(moment) => {
                let answer = moment.of(client, "farm").await?;
                Ok(output.show(&answer, figures))
            }
            Self::Balance(moment) => {
                let answer = moment.of(client, "farm/balance").await?;
                Ok(output.show(&answer, |balance| {
                    format!(
                        "{} coins earned, {} spent, {} left",
                        text(&balance["total_coins"]),
                        text(&balance["spent_coins"]),
                        text(&balance["current_coins"]),
                    )
                }))
            }
            Self::Stats(moment) => {
                let answer = moment.of(client, "farm/stats").await?;
                Ok(output.list(&answer, "by_category", "", |category| {
                    [
                        text(&category["category"]),
                        format!("{} proofs", text(&category["total_proofs"])),
                        format!("{} coins", text(&category["total_coins"])),
                        text(&category["last_proof_at"]),
                    ]
                }))
            }
            Self::Upgrades(moment) => {
                let answer = moment.of(client, "farm/upgrades").await?;
                let empty = "Nothing has been bought yet.";
                Ok(output.list(&answer, "upgrades", empty, |upgrade| {
                    [
                        text(&upgrade["slug"]),
                        format!("level {}", text(&upgrade["level"])),
                    ]
                }))
            }
        }
    }
}

fn figures(farm: &Value) -> String {
    let member = |name: &str| text(&farm[name]);
    let badges = farm["achievements"].as_array().map_or(0, Vec::len);
    format!(
        "{}\nlevel {}, the next one at {} coins\n{} coins to spend, {} earned in all\n\
         streak {} days, the longest {}\n{badges} badges\nledger {} entries, the last one {}\n",
        member("name"),
        member("level"),
        member("next_level_at"),
        member("current_coins"),
        member("total_coins"),
        member("streak_days"),
        member("streak_longest"),
        member("ledger_size"),
        member("updated_at"),
    )
}

impl ShopCommand {
    pub(super) async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::List => {
                let answer: Value = client.get("shop/items").await?;
                Ok(output.list(&answer, "items", "The shop is empty.", |item| {
                    [
                        text(&item["slug"]),
                        text(&item["name"]),
                        format!("level {}", text(&item["owned_level"])),
                        text(&item["next_price"]),
                    ]
                }))
            }
        }
    }
}
