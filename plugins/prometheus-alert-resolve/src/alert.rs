//! The end of an alert, as the agent's sources write it down.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One alert that has ended. Webhook notifications and poll results are brought to this form by the
/// agent, so that both tell of the same life in the same words.
#[derive(Debug, Clone)]
pub(crate) struct EndedAlert {
    fingerprint: String,
    pub(crate) starts_at: i64,
    pub(crate) ends_at: i64,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) suppressed: bool,
    pub(crate) instances: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    fingerprint: String,
    starts_at: jiff::Timestamp,
    ends_at: jiff::Timestamp,
    labels: BTreeMap<String, String>,
    #[serde(default)]
    suppressed: bool,
    instances: u64,
}

impl EndedAlert {
    pub(crate) fn parse(raw: &[u8]) -> Result<Self, String> {
        let record: Record =
            serde_json::from_slice(raw).map_err(|e| format!("not an ended alert: {e}"))?;
        if record.fingerprint.is_empty() || record.ends_at < record.starts_at {
            return Err("an ended alert has a fingerprint and ends after it starts".to_owned());
        }
        Ok(Self {
            fingerprint: record.fingerprint,
            starts_at: record.starts_at.as_second(),
            ends_at: record.ends_at.as_second(),
            labels: record.labels,
            suppressed: record.suppressed,
            instances: record.instances,
        })
    }

    /// Names this life of the alert. Whole seconds: the API rounds to milliseconds, the webhook does not.
    pub(crate) fn life(&self) -> Vec<u8> {
        format!("alert {} {}", self.fingerprint, self.starts_at).into_bytes()
    }

    /// What the verdict rests on.
    pub(crate) fn evidence(&self) -> Vec<u8> {
        serde_json::json!({
            "endsAt": self.ends_at,
            "fingerprint": self.fingerprint,
            "instances": self.instances,
            "labels": self.labels,
            "startsAt": self.starts_at,
        })
        .to_string()
        .into_bytes()
    }
}

/// How bad the alert was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Critical,
    Warning,
    Minor,
}

impl Severity {
    pub(crate) const ALL: [Self; 3] = [Self::Critical, Self::Warning, Self::Minor];

    /// By the label's value; no label is minor, `none` is no incident at all.
    pub(crate) fn of(label: Option<&str>) -> Option<Self> {
        match label.unwrap_or_default().to_ascii_lowercase().as_str() {
            "none" => None,
            "critical" | "page" | "emergency" | "fatal" | "p1" | "sev1" => Some(Self::Critical),
            "warning" | "major" | "error" | "high" | "p2" | "sev2" => Some(Self::Warning),
            _ => Some(Self::Minor),
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Minor => "minor",
        }
    }
}
