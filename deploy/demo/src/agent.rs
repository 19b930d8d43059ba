//! A farmer's agent: how it is started, where it takes webhooks, and what it says of itself.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use crate::cast::Farmer;
use crate::process::Line;
use crate::web::Web;
use crate::world::World;

/// The program.
pub const PROGRAM: &str = "farmops-agent";

/// Where Alertmanager tells `farmer`'s agent of alerts.
///
/// # Errors
/// Never with the demo's addresses.
pub fn alerts_url(farmer: &Farmer) -> Result<Url> {
    Ok(farmer.webhooks.join("hooks/alerts")?)
}

/// Where GitHub tells `farmer`'s agent of reviews.
///
/// # Errors
/// Never with the demo's addresses.
pub fn github_url(farmer: &Farmer) -> Result<Url> {
    Ok(farmer.webhooks.join("hooks/reviews")?)
}

/// Writes the agent's configuration and answers how to start it.
///
/// # Errors
/// When the configuration cannot be written.
pub fn line(world: &World, farmer: &Farmer) -> Result<Line> {
    let folder = &farmer.agent_folder;
    let plan = &world.folder.plan;
    let authority = |url: &Url| {
        let port = url.port().unwrap_or_default();
        format!("{}:{port}", url.host_str().unwrap_or("127.0.0.1"))
    };
    // Alice is on call, Bob reviews: the same alert must not be the work of two.
    let on_call = farmer.handle == world.cast.alice.handle;
    let hook = if on_call {
        json!({ "name": "alerts", "provider": "alertmanager", "secret": plan.alert_token })
    } else {
        json!({ "name": "reviews", "provider": "github", "secret": plan.webhook_secret })
    };
    let poll = json!({
        "name": "alertmanager",
        "url": world.cast.alertmanager,
        "interval_seconds": 2,
    });
    // JSON is YAML.
    let config = json!({
        "cluster_alias": format!("{}-demo", farmer.handle),
        "tracker_url": farmer.tracker.as_str().trim_end_matches('/'),
        "data_dir": folder.join("data"),
        "listen": authority(&farmer.agent),
        "farmer": {
            "name": farmer.handle,
            "on_call": on_call,
            "identities": { "github": ["monalisa"] },
        },
        "sources": {
            "webhook": { "listen": authority(&farmer.webhooks), "hooks": [hook] },
            "http_poll": if on_call { vec![poll] } else { vec![] },
        },
        "plugins": "farmops-plugins.yaml",
    });
    let plugin = |name: &str, sources: &[&str]| {
        let program = format!("farmops-plugin-{name}");
        let grants: Vec<_> = sources
            .iter()
            .map(|source| json!({ "source": source }))
            .collect();
        json!({
            "id": format!("farmops/{name}"),
            "source": { "binary": world.program(&program) },
            "grants": grants,
        })
    };
    let plugin = if on_call {
        plugin("prometheus-alert-resolve", &["alerts", "alertmanager"])
    } else {
        plugin("git-pr-review", &["reviews"])
    };
    let plugins = json!({ "plugins": [plugin] });
    let file = folder.join("agent.yaml");
    std::fs::write(&file, serde_json::to_vec_pretty(&config)?)
        .with_context(|| file.display().to_string())?;
    std::fs::write(
        folder.join("farmops-plugins.yaml"),
        serde_json::to_vec_pretty(&plugins)?,
    )?;
    Ok(Line::new(&farmer.agent_name(), world.program(PROGRAM))
        .flag("--config", file)
        .flag(
            "--tracker-url",
            farmer.tracker.as_str().trim_end_matches('/'),
        ))
}

/// What an agent says of itself.
#[derive(Debug, Clone, Deserialize)]
pub struct Status {
    /// Its id.
    pub agent_id: Uuid,
    /// Its key's fingerprint, as its owner compares it.
    pub fingerprint: String,
}

/// An agent with whoever owns it.
#[derive(Debug, Clone, Copy)]
pub struct Agent<'a> {
    /// Whose it is.
    pub farmer: &'a Farmer,
    /// How it is asked.
    pub web: &'a Web,
}

impl Agent<'_> {
    /// What it says of itself.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn status(&self) -> Result<Status> {
        let url = self.farmer.agent.join("api/v1/status")?;
        Ok(serde_json::from_value(self.web.json(&url).await?)?)
    }

    /// How many proofs its tracker does not have yet.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn pending(&self) -> Result<u64> {
        let url = self.farmer.agent.join("api/v1/proofs/pending")?;
        let pending = self.web.json(&url).await?;
        pending["total"].as_u64().context("no total")
    }
}
