//! `farm`: what the work has brought, and the days that count.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use farmops_ledger::counted;
use serde_json::{Value, json};

use super::{
    client::Client,
    output::{Output, text},
};
use crate::config::Weekday::{self, Fri, Mon, Sat, Sun, Thu, Tue, Wed};

/// The days of the week, as the tracker counts them.
const WEEK: [Weekday; 7] = [Mon, Tue, Wed, Thu, Fri, Sat, Sun];

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
    /// Show the coins, day by day.
    Coins(Moment),
    /// Give the farm another name.
    Rename {
        /// The name.
        name: String,
    },
    /// Show the calendars, or live by another one from tomorrow on.
    Calendar(CalendarArgs),
    /// The days off.
    #[command(subcommand)]
    RestDays(RestDaysCommand),
}

/// By which days the farmer lives.
#[derive(Debug, Args)]
pub(super) struct CalendarArgs {
    /// An IANA time zone, like Europe/Berlin.
    #[arg(long, requires = "working_days")]
    time_zone: Option<String>,
    /// The days of the week that count, like mon,tue,wed.
    #[arg(long, value_delimiter = ',', requires = "time_zone")]
    working_days: Vec<Weekday>,
}

#[derive(Debug, Subcommand)]
pub(super) enum RestDaysCommand {
    /// List them, the earliest first.
    List,
    /// Take a day off: a streak passes over it.
    Add {
        /// The day, like 2026-12-24.
        day: String,
    },
    /// Work on that day after all.
    Remove {
        /// The day, like 2026-12-24.
        day: String,
    },
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
            Self::Coins(moment) => {
                let answer = moment.of(client, "farm/balance/history").await?;
                Ok(output.list(&answer, "days", "No coins yet.", |day| {
                    [
                        text(&day["day"]),
                        format!("{} earned", text(&day["earned"])),
                        format!("{} spent", text(&day["spent"])),
                        format!("{} left", text(&day["balance"])),
                    ]
                }))
            }
            Self::Rename { name } => {
                let answer = client.put("farm/name", &json!({ "name": name })).await?;
                Ok(output.say(&answer, &format!("The farm is called {name}.")))
            }
            Self::Calendar(args) => args.run(client, output).await,
            Self::RestDays(command) => command.run(client, output).await,
        }
    }
}

impl CalendarArgs {
    async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        let answer: Value = match &self.time_zone {
            None => client.get("farm/calendar").await?,
            Some(zone) => {
                let days = WEEK.map(|day| self.working_days.contains(&day));
                let body = json!({ "time_zone": zone, "working_days": days });
                client.put("farm/calendar", &body).await?
            }
        };
        Ok(output.list(&answer, "calendars", "", |calendar| {
            let days = calendar["working_days"].as_array();
            let days = days.map_or(&[][..], Vec::as_slice).iter().zip(WEEK);
            let works = days.filter(|(works, _)| **works == true);
            let names: Vec<_> = works
                .map(|(_, day)| format!("{day:?}").to_lowercase())
                .collect();
            let from = match text(&calendar["from"]) {
                first if first.is_empty() => "at first".to_owned(),
                day => format!("from {day}"),
            };
            [from, text(&calendar["time_zone"]), names.join(",")]
        }))
    }
}

impl RestDaysCommand {
    async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        let answer: Value = match self {
            Self::List => client.get("farm/rest-days").await?,
            Self::Add { day } => {
                client
                    .put(&format!("farm/rest-days/{day}"), &json!({}))
                    .await?
            }
            Self::Remove { day } => client.delete(&format!("farm/rest-days/{day}")).await?,
        };
        Ok(output.list(&answer, "rest_days", "No days off.", |day| [text(day)]))
    }
}

fn figures(farm: &Value) -> String {
    let member = |name: &str| text(&farm[name]);
    let badges = farm["achievements"].as_array().map_or(0, Vec::len);
    let number = |name: &str| farm[name].as_u64().unwrap_or_default();
    format!(
        "{}\nlevel {}, the next one at {} coins\n{} coins to spend, {} earned in all\n\
         streak {}, the longest {}\n{}\nledger {} entries, the last one {}\n",
        member("name"),
        member("level"),
        member("next_level_at"),
        member("current_coins"),
        member("total_coins"),
        counted(number("streak_days"), "day"),
        member("streak_longest"),
        counted(badges as u64, "badge"),
        member("ledger_size"),
        member("updated_at"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_counted_as_one() {
        let farm = |badges: &[&str], streak: u64| {
            let farm = json!({ "achievements": badges, "streak_days": streak });
            figures(&farm)
        };
        let one = farm(&["first-proof"], 1);
        assert!(
            one.contains("streak 1 day,") && one.contains("\n1 badge\n"),
            "{one}"
        );
        let none = farm(&[], 0);
        assert!(
            none.contains("streak 0 days,") && none.contains("\n0 badges\n"),
            "{none}"
        );
    }
}
