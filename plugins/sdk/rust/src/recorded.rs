//! Observations and verdicts as JSON that people write and read: for tests, vectors and replays.
//!
//! ```json
//! {"source_type": "github", "event": "pull_request", "detected_at": 1771666260, "payload": {"action": "closed"}}
//! ```

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Finding, Observation, Verdict, Who};

/// An observation as JSON. Its content is exactly one of `payload`, `text` and `hex`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedObservation {
    /// A version 7 UUID; one that nobody has when left out.
    #[serde(default = "nobodys_id")]
    pub id: String,
    /// As in [`Observation`].
    pub source_type: String,
    /// As in [`Observation`].
    pub event: String,
    /// As in [`Observation`]: seconds since 1970-01-01T00:00:00Z.
    pub detected_at: i64,
    /// Content that is JSON, taken without spaces and in this order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
    /// Content that is other text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Content that is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
}

/// A recording that can not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecording {
    /// None of the three ways to write the content, or several.
    #[error("give exactly one of `payload`, `text` and `hex`")]
    Content,
    /// Not pairs of digits.
    #[error("`hex` is not pairs of 0-9 and a-f")]
    Hex,
}

fn nobodys_id() -> String {
    "018f0000-0000-7000-8000-000000000000".to_owned()
}

impl RecordedObservation {
    /// The observation as the agent would hand it over.
    ///
    /// # Errors
    /// [`BadRecording`].
    pub fn to_observation(&self) -> Result<Observation, BadRecording> {
        let raw_data = match (&self.payload, &self.text, &self.hex) {
            (Some(payload), None, None) => payload.to_string().into_bytes(),
            (None, Some(text), None) => text.clone().into_bytes(),
            (None, None, Some(hex)) => unhex(hex).ok_or(BadRecording::Hex)?,
            _ => return Err(BadRecording::Content),
        };
        Ok(Observation {
            id: self.id.clone(),
            source_type: self.source_type.clone(),
            event: self.event.clone(),
            raw_data,
            detected_at: self.detected_at,
        })
    }
}

/// A verdict as JSON that loses nothing.
pub fn verdict_json(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Verified(finding) => json!({"verified": finding_json(finding)}),
        Verdict::Rejected(reason) => json!({"rejected": reason}),
        Verdict::Inconclusive(reason) => json!({"inconclusive": reason}),
    }
}

fn finding_json(finding: &Finding) -> Value {
    let hints = finding.hints;
    json!({
        "action_type": word(finding.action_type.as_str_name(), "ACTION_TYPE_"),
        "category": word(finding.category.as_str_name(), "CATEGORY_"),
        "subcategory": finding.subcategory,
        "template": finding.template,
        "numbers": finding.numbers,
        "words": finding.words,
        "complexity": word(hints.complexity.as_str_name(), "COMPLEXITY_"),
        "impact_radius": hints.impact_radius,
        "artifacts_touched": hints.artifacts_touched,
        "time_spent_seconds": hints.time_spent_seconds,
        "outcome": word(finding.outcome.as_str_name(), "OUTCOME_STATUS_"),
        "evidence": bytes_json(&finding.evidence),
        "actor": match &finding.actor.who {
            Who::Identifier(name) => json!({"identifier": name}),
            Who::OnCall => json!("on-call"),
        },
        "actor_type": word(finding.actor.kind.as_str_name(), "ACTOR_TYPE_"),
        "dedupe_key": bytes_json(&finding.dedupe_key),
        "finished_at": finding.finished_at,
    })
}

/// Text as a string, other bytes as `{"hex": …}`.
fn bytes_json(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({"hex": hex(bytes)}),
    }
}

/// `resolve` of `ACTION_TYPE_RESOLVE`.
fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix)
        .unwrap_or(name)
        .to_ascii_lowercase()
}

/// Bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(json: &str) -> Result<Vec<u8>, BadRecording> {
        let recorded: RecordedObservation = serde_json::from_str(json).unwrap();
        recorded.to_observation().map(|o| o.raw_data)
    }

    #[test]
    fn content_is_written_in_one_of_three_ways() {
        let head = r#""source_type": "file", "event": "e", "detected_at": 1"#;
        let with = |rest: &str| read(&format!("{{{head}{rest}}}"));
        let payload = with(r#", "payload": {"b": 1, "a": [2]}"#);
        assert_eq!(payload.unwrap(), br#"{"b":1,"a":[2]}"#);
        assert_eq!(with(r#", "text": "a b""#).unwrap(), b"a b");
        assert_eq!(with(r#", "hex": "00fF""#).unwrap(), [0, 255]);
        assert_eq!(with(r#", "hex": "0""#), Err(BadRecording::Hex));
        assert_eq!(with(""), Err(BadRecording::Content));
        assert_eq!(
            with(r#", "hex": "", "text": """#),
            Err(BadRecording::Content)
        );
    }
}
