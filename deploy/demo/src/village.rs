//! A village: how it is started, and what anybody may ask it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use farmops_protocol::league::League;
use farmops_protocol::scoring::{BaseCoins, RuleSet};
use serde_json::Value;

use crate::cast;
use crate::process::Line;
use crate::tracker::Standing;
use crate::web::Web;

/// The program.
pub const PROGRAM: &str = "farmops-village";

/// The league of each village.
pub const LEAGUE: &str = "harvest";

/// Writes the village's league and answers how to start it.
///
/// # Errors
/// When the league cannot be written.
pub fn line(program: PathBuf, village: &cast::Village) -> Result<Line> {
    let league = village.folder.join("league.json");
    std::fs::write(&league, serde_json::to_vec_pretty(&league_of(village))?)?;
    let database = village.folder.join("village.db");
    Ok(Line::new(village.name, program)
        .flag("--league", league)
        .flag("--db", format!("sqlite://{}", database.display()))
        .flag("--listen", "127.0.0.1")
        .flag("--port", village.url.port().unwrap_or(8080).to_string())
        .flag("--public-url", village.url.as_str().trim_end_matches('/'))
        .flag("--name", village.title)
        .flag("--registration", "open")
        .arg("--allow-loopback"))
}

/// Here every kind of work is worth the same.
fn league_of(village: &cast::Village) -> League {
    let base_coins = BaseCoins {
        maintenance: 20,
        toil: 20,
        reliability: 20,
        security: 20,
        incident: 20,
        upgrade: 20,
    };
    League {
        league: LEAGUE.to_owned(),
        name: format!("{} harvest", village.title),
        rules: RuleSet {
            base_coins,
            ..RuleSet::default()
        },
    }
}

/// A village as its visitors know it.
#[derive(Debug, Clone, Copy)]
pub struct Village<'a> {
    /// Which one.
    pub village: &'a cast::Village,
    /// How it is asked.
    pub web: &'a Web,
}

/// A line of a leaderboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rank {
    /// 1 is the first.
    pub rank: u64,
    /// Whose farm.
    pub handle: String,
    /// How it stands.
    pub standing: Standing,
}

impl Village<'_> {
    /// Where the admin's token was written at the first start.
    #[must_use]
    pub fn token_file(&self) -> PathBuf {
        self.village.folder.join("admin.token")
    }

    async fn ask(&self, path: &str) -> Result<Value> {
        self.web.json(&self.village.url.join(path)?).await
    }

    /// Whether it takes requests.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self) -> Result<()> {
        self.web.page(&self.village.url.join("readyz")?).await?;
        Ok(())
    }

    /// The leaderboard of its own farmers, or of everybody it knows.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn board(&self, federated: bool) -> Result<Vec<Rank>> {
        let scope = if federated { "federated" } else { "local" };
        let board = self
            .ask(&format!("api/v1/leaderboard?scope={scope}"))
            .await?;
        let items = board["items"].as_array().context("a board without items")?;
        items.iter().map(Rank::of).collect()
    }

    /// How the farm of `handle` stands here.
    ///
    /// # Errors
    /// When it is not shown here.
    pub async fn standing(&self, handle: &str) -> Result<Standing> {
        let farmer = self.ask(&format!("api/v1/farmers/{handle}")).await?;
        Standing::of_snapshot(&farmer["snapshot"])
    }

    /// The numbers of the snapshots of `handle` that were received here, the newest first.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn history(&self, handle: &str) -> Result<Vec<u64>> {
        let history = self
            .ask(&format!("api/v1/farmers/{handle}/history"))
            .await?;
        let items = history["items"]
            .as_array()
            .context("a history without items")?;
        let sequences = items.iter().map(|item| item["sequence"].as_u64());
        sequences
            .collect::<Option<_>>()
            .context("a point without a sequence")
    }

    /// Its neighbours as (url, status).
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn peers(&self) -> Result<Vec<(String, String)>> {
        let peers = self.ask("api/v1/federation/peers").await?;
        let items = peers["items"].as_array().context("peers without items")?;
        let text =
            |item: &Value, member: &str| item[member].as_str().unwrap_or_default().to_owned();
        Ok(items
            .iter()
            .map(|item| (text(item, "url"), text(item, "status")))
            .collect())
    }

    /// The page of a farmer.
    ///
    /// # Errors
    /// When there is none.
    pub async fn farmer_page(&self, handle: &str) -> Result<String> {
        self.web
            .page(&self.village.url.join(&format!("farmers/{handle}"))?)
            .await
    }

    /// The picture of a farm.
    ///
    /// # Errors
    /// When there is none.
    pub async fn farm_picture(&self, handle: &str) -> Result<String> {
        let path = format!("api/v1/farmers/{handle}/farm.svg");
        self.web.page(&self.village.url.join(&path)?).await
    }
}

impl Rank {
    fn of(item: &Value) -> Result<Self> {
        let number = |member: &str| {
            let value = item[member].as_u64();
            value.with_context(|| format!("a rank without {member}"))
        };
        let handle = item["farmer"]["handle"].as_str();
        Ok(Self {
            rank: number("rank")?,
            handle: handle.context("a rank without a handle")?.to_owned(),
            standing: Standing {
                sequence: number("sequence")?,
                coins: number("total_coins")?,
            },
        })
    }
}
