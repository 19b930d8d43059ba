//! `agents`: who may send proofs.

use std::{fmt::Write as _, process::ExitCode};

use clap::Subcommand;
use farmops_ledger::Event;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    client::Client,
    output::{Output, text},
};
use crate::http::ledger::Page;

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
                let (answer, change) = decide(client, id, "approve", &body).await?;
                Ok(output.say(&answer, &change.sentence(id, "is approved", "was approved")))
            }
            Self::Dismiss { id } => {
                let (answer, change) = decide(client, id, "dismiss", &json!({})).await?;
                Ok(output.say(
                    &answer,
                    &change.sentence(id, "is sent away", "was sent away"),
                ))
            }
            Self::Revoke { id, last_good, all } => {
                let body = named("last_good_proof", last_good, all);
                let (answer, change) = decide(client, id, "revoke", &body).await?;
                Ok(output.say(&answer, &change.sentence(id, "is revoked", "was revoked")))
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

/// What a decision about an agent came to.
enum Change {
    /// What it brings, by the ledger.
    Made(String),
    /// It was so before.
    Already,
    /// The token does not open the ledger.
    Unseen,
}

impl Change {
    fn sentence(&self, id: Uuid, now: &str, before: &str) -> String {
        match self {
            Self::Made(brings) => format!("Agent {id} {now}. {brings}").trim_end().to_owned(),
            Self::Already => format!("Agent {id} {before} already; nothing has changed."),
            Self::Unseen => format!("Agent {id} {now}."),
        }
    }
}

/// Sends the owner's decision, and looks up in the ledger what it brought.
async fn decide(
    client: &Client,
    id: Uuid,
    decision: &str,
    body: &Value,
) -> anyhow::Result<(Value, Change)> {
    let farm: Option<Value> = client.get("farm").await.ok();
    let path = format!("agents/{id}/{decision}");
    let answer = client.post(&path, body).await?;
    let Some(before) = farm.and_then(|farm| farm["ledger_size"].as_u64()) else {
        return Ok((answer, Change::Unseen));
    };
    let page: anyhow::Result<Page> = client.get(&format!("ledger?after={before}")).await;
    let Ok(page) = page else {
        return Ok((answer, Change::Unseen));
    };
    let mut entries = page.entries.iter();
    let brings = entries.find_map(|line| {
        let body = line.body.as_ref()?.get().as_bytes();
        Event::read(&line.kind, body).ok()?.decided(id)
    });
    Ok((answer, brings.map_or(Change::Already, Change::Made)))
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

/// Its status; one that was never approved was not revoked, but sent away.
fn standing(agent: &Value) -> String {
    match text(&agent["status"]) {
        revoked if revoked == "revoked" && agent["approved_at"].is_null() => "sent away".to_owned(),
        status => status,
    }
}

/// An agent in two or more lines.
fn paragraph(agent: &Value) -> String {
    let (id, status) = (text(&agent["agent_id"]), text(&agent["status"]));
    let mut lines = format!(
        "{id}  {:9} {}\n    fingerprint {}\n",
        standing(agent),
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
    for (member, one, more) in [
        (
            "buffered",
            "proof waits for your approval",
            "proofs wait for your approval",
        ),
        (
            "forks",
            "fork it signed was refused",
            "forks it signed were refused",
        ),
    ] {
        if let Some(count) = agent[member].as_u64().filter(|count| *count > 0) {
            let what = if count == 1 { one } else { more };
            let _ = writeln!(lines, "    {count} {what}");
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_listed_with_what_waits_and_one_is_counted_as_one() {
        let listed = |count: u64, status: &str, approved_at: Option<&str>| {
            paragraph(&json!({
                "agent_id": "a", "cluster_alias": "barn", "fingerprint": "f", "status": status,
                "approved_at": approved_at, "buffered": count, "forks": count,
            }))
        };
        let one = listed(1, "pending", None);
        assert!(one.contains("a  pending   barn\n"), "{one}");
        assert!(one.contains("    1 proof waits for your approval\n"));
        assert!(one.contains("    1 fork it signed was refused\n"));
        let two = listed(2, "revoked", None);
        assert!(two.contains("a  sent away barn\n"), "{two}");
        assert!(two.contains("    2 proofs wait for your approval\n"));
        assert!(two.contains("    2 forks it signed were refused\n"));
        let revoked = listed(0, "revoked", Some("2026-02-21T09:00:00Z"));
        assert!(revoked.contains("a  revoked   barn\n") && !revoked.contains("0 "));
    }
}
