//! Replaying webhooks of GitHub: recorded payloads, signed as GitHub signs them.

use anyhow::{Context, Result, bail};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;
use uuid::Uuid;

use crate::web::Web;

/// A recorded webhook: the event's name and the payload's bytes.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// What GitHub calls the event.
    pub event: &'static str,
    /// The payload.
    pub body: Vec<u8>,
}

macro_rules! recorded {
    ($event:literal, $file:literal) => {
        (
            $event,
            include_bytes!(concat!("../../../plugins/git-pr-review/fixtures/", $file)).as_slice(),
        )
    };
}

/// What happened in Bob's repository; the three marked ones are finished work.
const RECORDED: [(&str, &[u8]); 7] = [
    recorded!("pull_request", "recorded/pull_request.opened.json"),
    recorded!(
        "pull_request_review",
        "recorded/pull_request_review.submitted.json"
    ),
    recorded!(
        "pull_request_review",
        "recorded/pull_request_review.dismissed.json"
    ),
    // work
    recorded!(
        "pull_request_review",
        "adapted/pull_request_review.changes_requested.json"
    ),
    // work
    recorded!(
        "pull_request_review",
        "adapted/pull_request_review.approved.json"
    ),
    // work
    recorded!("pull_request", "adapted/pull_request.merged.json"),
    recorded!("pull_request", "recorded/pull_request.closed.json"),
];

/// How many of the recorded webhooks are finished work.
pub const WORK_RECORDED: u64 = 3;

/// The recorded webhooks in order.
#[must_use]
pub fn recorded() -> Vec<Webhook> {
    let webhook = |(event, body): (&'static str, &[u8])| Webhook {
        event,
        body: body.to_vec(),
    };
    RECORDED.into_iter().map(webhook).collect()
}

/// The recorded approval once more, as the review of another commit.
///
/// # Errors
/// When the recording is not what it was.
pub fn review_of(commit: &str, number: u64) -> Result<Webhook> {
    let (event, body) = RECORDED[4];
    let mut payload: Value = serde_json::from_slice(body)?;
    let review = payload["review"].as_object_mut().context("no review")?;
    review.insert("commit_id".to_owned(), json!(commit));
    review.insert("id".to_owned(), json!(number));
    Ok(Webhook {
        event,
        body: serde_json::to_vec(&payload)?,
    })
}

/// Sends the webhook as GitHub does; `Ok` means that it was acknowledged.
///
/// # Errors
/// When nobody answers, or not with 2xx.
pub async fn deliver(
    web: &Web,
    url: &Url,
    secret: &str,
    delivery: Uuid,
    webhook: &Webhook,
) -> Result<()> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(&webhook.body);
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let delivery = delivery.to_string();
    let headers = [
        ("content-type", "application/json"),
        ("x-github-event", webhook.event),
        ("x-github-delivery", &delivery),
        ("x-hub-signature-256", &signature),
    ];
    let answer = web
        .send(Method::POST, url, &headers, webhook.body.clone())
        .await?;
    if !answer.status.is_success() {
        bail!(
            "{url}: {} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
    }
    Ok(())
}
