//! `proofs open|check`: showing an entry of the ledger to someone, and believing what was shown.

use std::{path::Path, process::ExitCode};

use anyhow::{Context as _, bail};
use farmops_protocol::{
    key::PublicKey,
    limits::LOG_PROOF_BYTES_MAX,
    log::{
        Head, LogProof, Opening, Part,
        commitment::{LoggedEvent, LoggedScore},
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{client::Client, output::Output};

/// Prints an opening of the entry of a proof, or of the one at a position.
pub(super) async fn open(
    client: &Client,
    entry: &str,
    parts: &str,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let position = match entry.parse::<Uuid>() {
        Ok(id) => {
            let proof: Value = client.get(&format!("proofs/{id}")).await?;
            proof["position"]
                .as_u64()
                .context("the tracker's answer has no position")?
        }
        Err(_) => entry
            .parse()
            .with_context(|| format!("`{entry}` is no proof's id and no position"))?,
    };
    let text = client
        .get_text(&format!("ledger/{position}/opening?parts={parts}"))
        .await?;
    let answer = json!({ "position": position, "opening": text });
    Ok(output.show(&answer, |_| text))
}

/// Checks an opening with the farm's key, offline, and says what it shows.
pub(super) fn check(file: &Path, key: &PublicKey, json: bool) -> anyhow::Result<ExitCode> {
    let text = read(file)?;
    let proof = LogProof::parse(&text).context("this is no opening")?;
    let (opening, head) = proof
        .open(key)
        .context("the opening does not convince; believe nothing of it")?;
    let shown = shown(&proof, &opening, &head)?;
    if json {
        println!("{shown}");
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "Entry {} of the {} in {}, which the key signed.",
        shown["position"], shown["log_size"], head.checkpoint.origin
    );
    match &shown["event"] {
        Value::Null => println!("What happened is not shown."),
        event => println!(
            "{} at {}:\n{}",
            event["kind"].as_str().unwrap_or_default(),
            event["recorded_at"].as_str().unwrap_or_default(),
            event["body"].as_str().unwrap_or_default(),
        ),
    }
    match (&opening.score, &shown["score"]) {
        (Part::Closed { .. }, _) => println!("What it was worth is not shown."),
        (Part::Open { .. }, Value::Null) => println!("It has no score."),
        (Part::Open { .. }, score) => println!(
            "It earned {} coins by the rules {}.",
            score["coins"],
            score["rules"].as_str().unwrap_or_default()
        ),
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> anyhow::Result<String> {
    let named = || format!("reading {}", file.display());
    let length = std::fs::metadata(file).with_context(named)?.len();
    if length > LOG_PROOF_BYTES_MAX as u64 {
        bail!("{} is too long for an opening", file.display());
    }
    std::fs::read_to_string(file).with_context(named)
}

fn shown(proof: &LogProof, opening: &Opening, head: &Head) -> anyhow::Result<Value> {
    let event = match &opening.event {
        Part::Closed { .. } => None,
        Part::Open { bytes, .. } => {
            let event = LoggedEvent::parse(bytes)?;
            Some(json!({
                "kind": event.kind,
                "recorded_at": event.recorded_at,
                "body": String::from_utf8_lossy(event.body),
            }))
        }
    };
    let score = match &opening.score {
        Part::Open { bytes, .. } => LoggedScore::parse(bytes)?,
        Part::Closed { .. } => None,
    };
    Ok(json!({
        "position": proof.index + 1,
        "origin": head.checkpoint.origin,
        "log_size": head.checkpoint.size,
        "event": event,
        "score": score,
        "score_shown": matches!(opening.score, Part::Open { .. }),
    }))
}
