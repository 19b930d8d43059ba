//! A farmer's tracker: how it is started, and what anybody or its owner may ask it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use farmops_protocol::key::PublicKey;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::books::Entry;
use crate::cast::Farmer;
use crate::process::Line;
use crate::web::Web;

/// The program.
pub const PROGRAM: &str = "farmops-tracker";

/// Writes the tracker's configuration and answers how to start it.
///
/// # Errors
/// When the configuration cannot be written.
pub fn line(program: PathBuf, farmer: &Farmer) -> Result<Line> {
    let config = farmer.tracker_folder.join("tracker.yaml");
    // A person would not mind half a minute; somebody who watches a demo does.
    std::fs::write(&config, "publish:\n  snapshot_delay_seconds: 1\n")?;
    let database = farmer.tracker_folder.join("farm.db");
    Ok(Line::new(&farmer.tracker_name(), program)
        .flag("--config", config)
        .flag("--db", format!("sqlite://{}", database.display()))
        .flag("--listen", "127.0.0.1")
        .flag("--port", farmer.tracker.port().unwrap_or(8443).to_string())
        .flag(
            "--public-url",
            farmer.tracker.as_str().trim_end_matches('/'),
        )
        .flag("--handle", farmer.handle)
        .flag("--name", farmer.title)
        .arg("--allow-loopback"))
}

/// An agent as its owner sees it.
#[derive(Debug, Clone, Deserialize)]
pub struct Agent {
    /// Its id.
    pub agent_id: Uuid,
    /// `pending`, `active` or `revoked`.
    pub status: String,
    /// Its key.
    pub public_key: PublicKey,
    /// Its key's fingerprint.
    pub fingerprint: String,
    /// Second branches it has signed.
    pub forks: u64,
}

/// A tracker with whoever owns it.
#[derive(Debug, Clone, Copy)]
pub struct Tracker<'a> {
    /// Whose it is.
    pub farmer: &'a Farmer,
    /// How it is asked.
    pub web: &'a Web,
}

impl Tracker<'_> {
    /// Where the owner's token was written at the first start.
    #[must_use]
    pub fn token_file(&self) -> PathBuf {
        self.farmer.tracker_folder.join("owner.token")
    }

    async fn owner(&self, path: &str) -> Result<Value> {
        let file = self.token_file();
        let token = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let url = self.farmer.tracker.join(path)?;
        self.web.json_as(&url, Some(token.trim())).await
    }

    /// Whether it takes requests.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self) -> Result<()> {
        self.web.page(&self.farmer.tracker.join("readyz")?).await?;
        Ok(())
    }

    /// The agents that have enrolled.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn agents(&self) -> Result<Vec<Agent>> {
        let mut document = self.owner("api/v1/agents").await?;
        Ok(serde_json::from_value(document["agents"].take())?)
    }

    /// Every agent's key.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn keys(&self) -> Result<BTreeMap<Uuid, PublicKey>> {
        let agents = self.agents().await?.into_iter();
        Ok(agents
            .map(|agent| (agent.agent_id, agent.public_key))
            .collect())
    }

    /// Every proof, with its bytes as they were received.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn proofs(&self) -> Result<Vec<Entry>> {
        #[derive(Deserialize)]
        struct Page {
            proofs: Vec<Entry>,
            next: Option<String>,
        }
        let token = std::fs::read_to_string(self.token_file())?;
        let mut entries = Vec::new();
        let mut path = "api/v1/proofs?limit=200".to_owned();
        loop {
            let url = self.farmer.tracker.join(&path)?;
            // Not through `Value`: the proofs' bytes count.
            let bytes = self.web.bytes_as(&url, Some(token.trim())).await?;
            let page: Page = serde_json::from_slice(&bytes)?;
            entries.extend(page.proofs);
            match page.next {
                Some(cursor) => path = format!("api/v1/proofs?limit=200&cursor={cursor}"),
                None => return Ok(entries),
            }
        }
    }

    /// The farm's coins as its owner sees them.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn coins(&self) -> Result<u64> {
        let farm = self.owner("api/v1/farm").await?;
        farm["total_coins"].as_u64().context("no total_coins")
    }

    /// The newest snapshot, as everybody can see it.
    ///
    /// # Errors
    /// When there is none.
    pub async fn snapshot(&self) -> Result<Standing> {
        let url = self.farmer.tracker.join("api/v1/public/snapshot")?;
        Standing::of_snapshot(&self.web.json(&url).await?)
    }
}

/// How a farm stands: what neighbours must come to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    /// The number of the snapshot.
    pub sequence: u64,
    /// All coins ever earned.
    pub coins: u64,
}

impl Standing {
    /// Reads it from a snapshot's document.
    ///
    /// # Errors
    /// When the members are missing.
    pub fn of_snapshot(document: &Value) -> Result<Self> {
        let number = |member: &str| {
            let value = document[member].as_u64();
            value.with_context(|| format!("a snapshot without {member}"))
        };
        Ok(Self {
            sequence: number("farm:sequence")?,
            coins: number("farm:totalCoins")?,
        })
    }
}
