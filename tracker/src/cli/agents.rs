//! `agents`: who may send proofs.

use std::{fmt::Write as _, process::ExitCode};

use clap::Subcommand;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    client::Client,
    output::{Output, text},
};

#[derive(Debug, Subcommand)]
pub(super) enum AgentsCommand {
    /// List every agent with its fingerprint.
    List,
    /// Trust an agent; its buffered proofs are scored.
    Approve {
        /// The agent's id.
        id: Uuid,
        /// The fingerprint as the agent itself shows it.
        #[arg(long)]
        fingerprint: String,
    },
    /// Trust an agent no longer.
    Revoke {
        /// The agent's id.
        id: Uuid,
    },
}

impl AgentsCommand {
    pub(super) async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::List => list(client, output).await,
            Self::Approve { id, fingerprint } => {
                let body = json!({ "fingerprint": fingerprint });
                let answer = client.post(&format!("agents/{id}/approve"), &body).await?;
                Ok(output.say(&answer, &format!("Agent {id} is approved.")))
            }
            Self::Revoke { id } => {
                let path = format!("agents/{id}/revoke");
                let answer = client.post(&path, &json!({})).await?;
                Ok(output.say(&answer, &format!("Agent {id} is revoked.")))
            }
        }
    }
}

async fn list(client: &Client, output: Output) -> anyhow::Result<ExitCode> {
    let answer: Value = client.get("agents").await?;
    Ok(output.show(&answer, |answer| {
        let agents = answer["agents"].as_array().map_or(&[][..], Vec::as_slice);
        if agents.is_empty() {
            return "No agent has enrolled yet.".to_owned();
        }
        agents.iter().map(paragraph).collect()
    }))
}

/// An agent in two or more lines.
fn paragraph(agent: &Value) -> String {
    let mut lines = format!(
        "{}  {:8} {}\n    fingerprint {}\n",
        text(&agent["agent_id"]),
        text(&agent["status"]),
        text(&agent["cluster_alias"]),
        text(&agent["fingerprint"]),
    );
    for (member, what) in [
        ("buffered", "proofs wait for your approval"),
        ("forks", "forks it signed were refused"),
    ] {
        if let Some(count) = agent[member].as_u64().filter(|count| *count > 0) {
            let _ = writeln!(lines, "    {count} {what}");
        }
    }
    lines
}
