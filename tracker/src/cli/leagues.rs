//! `leagues`: by what other rules proofs are scored as well.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::{
    client::Client,
    output::{Output, text},
    rules::read,
};

#[derive(Debug, Subcommand)]
pub(super) enum LeaguesCommand {
    /// List the leagues with what each season brought.
    List,
    /// Join a league by a rules file of yours, or take over its changed rules.
    Join(LeagueArgs),
    /// Ask a village that the farm is a member of for its leagues, and show how their rules differ.
    Offers {
        /// The village's address.
        village: String,
    },
    /// Take a village's league, or its changed rules, as `leagues offers` showed them.
    Take {
        /// The village's address.
        village: String,
        /// The league's slug.
        league: String,
        /// The digest of the rules that you looked at; if the village has others by now, nothing is taken.
        #[arg(long)]
        digest: String,
    },
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
            Self::Offers { village } => return offers(client, output, &village).await,
            Self::Take {
                village,
                league,
                digest,
            } => {
                let body = json!({ "url": village, "league": league, "rules_digest": digest });
                client.post("villages/leagues", &body).await?
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
                let changed = match (&league["changed_rules"], text(&league["village"])) {
                    (Value::Null, _) => String::new(),
                    (_, village) => format!("changed rules: leagues offers {village}"),
                };
                [
                    text(&league["league"]),
                    text(&league["name"]),
                    since,
                    coins.join(", "),
                    changed,
                ]
            }),
        )
    }
}

/// Shows what a village supplies. Nothing is taken.
async fn offers(client: &Client, output: Output, village: &str) -> anyhow::Result<ExitCode> {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("url", village)
        .finish();
    let answer: Value = client.get(&format!("villages/leagues?{query}")).await?;
    Ok(output.show(&answer, |answer| {
        let leagues = answer["leagues"].as_array().map_or(&[][..], Vec::as_slice);
        if leagues.is_empty() {
            return "The village has no leagues.".to_owned();
        }
        let village = text(&answer["village"]);
        let told = leagues.iter().map(|league| described(&village, league));
        told.collect::<Vec<_>>().join("\n\n")
    }))
}

fn described(village: &str, league: &Value) -> String {
    let (slug, digest) = (text(&league["league"]), text(&league["rules_digest"]));
    let standing = league["standing"].as_str().unwrap_or_default();
    let compared = match standing {
        "changed" => "as you took it",
        _ => "your farm's rules",
    };
    let mut told = vec![
        format!("{slug}  {}", text(&league["name"])),
        format!("  rules {digest}"),
    ];
    let differences = league["differences"].as_array().into_iter().flatten();
    told.extend(differences.map(|difference| {
        let [member, here, there] = ["member", "here", "there"].map(|name| text(&difference[name]));
        format!("  {member}: {there} ({compared}: {here})")
    }));
    let take = format!("farmops-tracker leagues take {village} {slug} --digest {digest}");
    told.push(match standing {
        "taken" => "  The farm is in it by these rules.".to_owned(),
        "other" => "  The farm is in another league of this name; leave that one first.".to_owned(),
        "changed" => format!("  The village has changed the rules. To take them: {take}"),
        _ => format!("  To join: {take}"),
    });
    told.join("\n")
}
