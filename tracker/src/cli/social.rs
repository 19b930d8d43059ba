//! `join` and `follow`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{agents::say, client::Client};

pub(super) async fn join(
    client: &Client,
    village: &str,
    invite: Option<&str>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let body = json!({ "url": village, "invite": invite });
    let answer: Value = client.post("villages", &body).await?;
    let account = answer["account"].as_str().unwrap_or_default();
    let sentence = if answer["status"] == "active" {
        format!("The farm is a member of {village} as @{account}.")
    } else {
        format!("{village} has the request; its people decide.")
    };
    say(&answer, json, &sentence);
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn follow(client: &Client, handle: &str, json: bool) -> anyhow::Result<ExitCode> {
    let answer: Value = client
        .post("following", &json!({ "handle": handle }))
        .await?;
    say(&answer, json, &format!("Asked to follow {handle}."));
    Ok(ExitCode::SUCCESS)
}
