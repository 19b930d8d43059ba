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
    /// Send an agent away that waits for approval; what it has sent is dropped.
    Dismiss {
        /// The agent's id.
        id: Uuid,
    },
    /// Trust an agent no longer. What it has brought counts, unless you say otherwise.
    Revoke {
        /// The agent's id.
        id: Uuid,
        /// The last proof that counts; what came after it is taken back.
        #[arg(long, value_name = "PROOF", conflicts_with = "all")]
        last_good: Option<Uuid>,
        /// Take back everything it has brought.
        #[arg(long)]
        all: bool,
    },
    /// Let an agent's chain resume earlier, after it lost proofs; the lost ones still count.
    ResetChain {
        /// The agent's id.
        id: Uuid,
        /// The proof to resume after, instead of where the agent asked.
        #[arg(long, value_name = "PROOF", conflicts_with = "anew")]
        after: Option<Uuid>,
        /// Begin with a first proof.
        #[arg(long)]
        anew: bool,
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
            Self::Dismiss { id } => {
                let path = format!("agents/{id}/dismiss");
                let answer = client.post(&path, &json!({})).await?;
                Ok(output.say(&answer, &format!("Agent {id} is sent away.")))
            }
            Self::Revoke { id, last_good, all } => {
                let path = format!("agents/{id}/revoke");
                let body = named("last_good_proof", last_good, all);
                let answer = client.post(&path, &body).await?;
                Ok(output.say(&answer, &format!("Agent {id} is revoked.")))
            }
            Self::ResetChain { id, after, anew } => {
                let path = format!("agents/{id}/reset-chain");
                let body = named("resumes_after", after, anew);
                let answer = client.post(&path, &body).await?;
                Ok(output.show(&answer, |answer| {
                    let place = match text(&answer["head"]["proof_id"]) {
                        none if none.is_empty() => "with a first proof".to_owned(),
                        proof => format!("after proof {proof}"),
                    };
                    format!("The chain of agent {id} resumes {place}.")
                }))
            }
        }
    }
}

/// A body that names a proof, or none of them; empty where neither is said.
fn named(member: &str, proof: Option<Uuid>, none: bool) -> Value {
    match proof {
        Some(proof) => json!({ member: proof }),
        None if none => json!({ member: null }),
        None => json!({}),
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
    let (id, status) = (text(&agent["agent_id"]), text(&agent["status"]));
    let mut lines = format!(
        "{id}  {status:8} {}\n    fingerprint {}\n",
        text(&agent["cluster_alias"]),
        text(&agent["fingerprint"]),
    );
    if status == "pending" {
        let _ = writeln!(
            lines,
            "    compare it with `farmops-agent keys show`, then: agents approve {id} --fingerprint \"…\""
        );
    }
    if let Some(asked) = agent["reset_asked"].as_object() {
        let place = match asked.get("resumes_after").map(text).unwrap_or_default() {
            none if none.is_empty() => "with a first proof".to_owned(),
            proof => format!("after proof {proof}"),
        };
        // Where its chain ends here already: what followed was sent, and is with this tracker no longer.
        let asks = if agent["head"]["proof_id"] == asked["resumes_after"] {
            "    sent proofs that this tracker has lost, and asks to go on "
        } else {
            "    lost proofs, and asks to resume "
        };
        lines.extend([asks, &place, ": `agents reset-chain`\n"]);
    }
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
