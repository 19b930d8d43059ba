//! Who plays: two villages, two farmers with their trackers and agents, one Alertmanager.

use std::path::PathBuf;

use anyhow::Result;
use url::Url;

use crate::folder::Folder;

/// A village.
#[derive(Debug, Clone)]
pub struct Village {
    /// The name of its process, folder and log.
    pub name: &'static str,
    /// What it calls itself.
    pub title: &'static str,
    /// Its public address.
    pub url: Url,
    /// Where its programs keep its data.
    pub folder: PathBuf,
}

/// A farmer with a tracker and an agent.
#[derive(Debug, Clone)]
pub struct Farmer {
    /// The local part of the handle.
    pub handle: &'static str,
    /// What the farm is called.
    pub title: &'static str,
    /// The public address of the tracker.
    pub tracker: Url,
    /// Where the tracker keeps its data.
    pub tracker_folder: PathBuf,
    /// The agent's own API.
    pub agent: Url,
    /// Where the agent takes webhooks.
    pub webhooks: Url,
    /// Where the agent keeps its data.
    pub agent_folder: PathBuf,
}

impl Farmer {
    /// The name of the tracker's process, folder and log.
    #[must_use]
    pub fn tracker_name(&self) -> String {
        format!("{}-tracker", self.handle)
    }

    /// The name of the agent's process, folder and log.
    #[must_use]
    pub fn agent_name(&self) -> String {
        format!("{}-agent", self.handle)
    }
}

/// Everybody.
#[derive(Debug, Clone)]
pub struct Cast {
    /// Where Alice lives.
    pub orchard: Village,
    /// Where Bob lives.
    pub harbour: Village,
    /// She resolves alerts.
    pub alice: Farmer,
    /// He reviews pull requests.
    pub bob: Farmer,
    /// Debian's Alertmanager.
    pub alertmanager: Url,
}

impl Cast {
    /// Everybody at the addresses of the folder's plan.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub fn new(folder: &Folder) -> Result<Self> {
        let ports = &folder.plan.ports;
        let village = |name: &'static str, title, port| -> Result<Village> {
            Ok(Village {
                name,
                title,
                url: at(&format!("{name}.localhost"), port)?,
                folder: folder.of(name)?,
            })
        };
        let farmer = |handle: &'static str, title, tracker, agent, webhooks| -> Result<Farmer> {
            Ok(Farmer {
                handle,
                title,
                tracker: at(&format!("{handle}.localhost"), tracker)?,
                tracker_folder: folder.of(&format!("{handle}-tracker"))?,
                agent: at("127.0.0.1", agent)?,
                webhooks: at("127.0.0.1", webhooks)?,
                agent_folder: folder.of(&format!("{handle}-agent"))?,
            })
        };
        Ok(Self {
            orchard: village("orchard", "Orchard", ports.orchard)?,
            harbour: village("harbour", "Harbour", ports.harbour)?,
            alice: farmer(
                "alice",
                "Alice's farm",
                ports.alice_tracker,
                ports.alice_agent,
                ports.alice_webhooks,
            )?,
            bob: farmer(
                "bob",
                "Bob's farm",
                ports.bob_tracker,
                ports.bob_agent,
                ports.bob_webhooks,
            )?,
            alertmanager: at("127.0.0.1", ports.alertmanager)?,
        })
    }

    /// The village that gave `farmer` a handle.
    #[must_use]
    pub fn home_of(&self, farmer: &Farmer) -> &Village {
        if farmer.handle == self.alice.handle {
            &self.orchard
        } else {
            &self.harbour
        }
    }

    /// The handle of `farmer` at `village`, as people write it.
    #[must_use]
    pub fn handle_of(&self, farmer: &Farmer, village: &Village) -> String {
        let host = village.url.host_str().unwrap_or_default();
        let port = village.url.port().map(|port| format!(":{port}"));
        format!("@{}@{host}{}", farmer.handle, port.unwrap_or_default())
    }

    /// Both villages.
    #[must_use]
    pub fn villages(&self) -> [&Village; 2] {
        [&self.orchard, &self.harbour]
    }

    /// Both farmers, each with the village of residence.
    #[must_use]
    pub fn farmers(&self) -> [(&Farmer, &Village); 2] {
        [(&self.alice, &self.orchard), (&self.bob, &self.harbour)]
    }
}

fn at(host: &str, port: u16) -> Result<Url> {
    Ok(Url::parse(&format!("http://{host}:{port}/"))?)
}
