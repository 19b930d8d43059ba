//! `agents list|approve|revoke`.

use std::process::ExitCode;

use serde_json::{Value, json};
use uuid::Uuid;

use super::client::Client;

pub(super) async fn list(client: &Client, json: bool) -> anyhow::Result<ExitCode> {
    let answer: Value = client.get("agents").await?;
    if json {
        println!("{answer}");
        return Ok(ExitCode::SUCCESS);
    }
    let agents = answer["agents"].as_array().cloned().unwrap_or_default();
    if agents.is_empty() {
        println!("No agent has enrolled yet.");
    }
    for agent in agents {
        let text = |name: &str| agent[name].as_str().unwrap_or_default().to_owned();
        println!(
            "{}  {:8} {}",
            text("agent_id"),
            text("status"),
            text("cluster_alias")
        );
        println!("    fingerprint {}", text("fingerprint"));
        if let Some(buffered) = agent["buffered"].as_u64().filter(|n| *n > 0) {
            println!("    {buffered} proofs wait for your approval");
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn approve(
    client: &Client,
    id: Uuid,
    fingerprint: &str,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let body = json!({ "fingerprint": fingerprint });
    let answer: Value = client.post(&format!("agents/{id}/approve"), &body).await?;
    say(&answer, json, &format!("Agent {id} is approved."));
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn revoke(client: &Client, id: Uuid, json: bool) -> anyhow::Result<ExitCode> {
    let answer: Value = client
        .post(&format!("agents/{id}/revoke"), &json!({}))
        .await?;
    say(&answer, json, &format!("Agent {id} is revoked."));
    Ok(ExitCode::SUCCESS)
}

/// Prints the answer for a program or a sentence for a person.
pub(super) fn say(answer: &Value, json: bool, sentence: &str) {
    if json {
        println!("{answer}");
    } else {
        println!("{sentence}");
    }
}
