//! A settled change of an object of Kubernetes, as the agent tells it (PLUGIN-KUBE-004).

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::description::KUBERNETES;
use crate::observation::Observation;
use crate::verdict::Verdict;

/// The event of an observation that holds a [`Change`].
pub const CHANGED: &str = "changed";

/// The kept fields of one object, before and after. Times are seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// As the plugin declared it, for example `deployments.apps`.
    pub resource: String,
    /// Of the object as it was read, for example `apps/v1`.
    pub api_version: String,
    /// `None` for an object without one.
    pub namespace: Option<String>,
    /// The object's name.
    pub name: String,
    /// The object's uid.
    pub uid: String,
    /// When the object was created.
    #[serde(deserialize_with = "seconds")]
    pub created: i64,
    /// What was there.
    pub before: Seen,
    /// What has taken its place, and stayed.
    pub after: Seen,
}

/// Values of the kept fields.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Seen {
    /// When the agent first saw them.
    #[serde(deserialize_with = "seconds")]
    pub since: i64,
    /// The fields, as far as the object has them.
    pub fields: Value,
}

/// An element of `status.conditions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition<'a> {
    /// `True`, `False` or `Unknown`.
    pub status: &'a str,
    /// One word for why.
    pub reason: Option<&'a str>,
    /// When the status last became another, where that field is kept.
    pub changed_at: Option<i64>,
}

impl Change {
    /// Reads the change that an observation tells of.
    ///
    /// # Errors
    /// The verdict for what is none: rejected when it is of another source or event, inconclusive when
    /// it cannot be read or tells of times that run backwards.
    pub fn read(observation: &Observation) -> Result<Self, Verdict> {
        if observation.source_type != KUBERNETES || observation.event != CHANGED {
            return Err(Verdict::rejected("not a change of an object of Kubernetes"));
        }
        let change: Self = serde_json::from_slice(&observation.raw_data)
            .map_err(|e| Verdict::Inconclusive(format!("not a change of an object: {e}")))?;
        if change.after.since < change.before.since || change.before.since < change.created {
            let reason = "the change ends before it begins";
            return Err(Verdict::Inconclusive(reason.to_owned()));
        }
        Ok(change)
    }

    /// How long the values of before had stood, in seconds.
    pub fn before_seconds(&self) -> i64 {
        self.after.since.saturating_sub(self.before.since)
    }

    /// How old the object was when the change came, in seconds.
    pub fn age_seconds(&self) -> i64 {
        self.after.since.saturating_sub(self.created)
    }
}

impl Seen {
    /// The value at a JSON pointer such as `/spec/replicas`.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.fields.pointer(pointer)
    }

    /// The text at a JSON pointer.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.at(pointer)?.as_str()
    }

    /// The whole number at a JSON pointer.
    pub fn integer(&self, pointer: &str) -> Option<i64> {
        self.at(pointer)?.as_i64()
    }

    /// The time at a JSON pointer.
    pub fn time(&self, pointer: &str) -> Option<i64> {
        time(self.at(pointer)?)
    }

    /// The elements of the list at a JSON pointer; none where there is no list.
    pub fn elements(&self, pointer: &str) -> &[Value] {
        let list = self.at(pointer).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    /// The condition of this type in `status.conditions`.
    pub fn condition(&self, kind: &str) -> Option<Condition<'_>> {
        let conditions = self.elements("/status/conditions").iter();
        let mut of_kind = conditions.filter(|condition| condition["type"] == kind);
        let found = of_kind.next()?;
        Some(Condition {
            status: found.get("status")?.as_str()?,
            reason: found.get("reason").and_then(Value::as_str),
            changed_at: found.get("lastTransitionTime").and_then(time),
        })
    }
}

fn time(value: &Value) -> Option<i64> {
    let time: jiff::Timestamp = value.as_str()?.parse().ok()?;
    Some(time.as_second())
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(jiff::Timestamp::deserialize(deserializer)?.as_second())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The example of PLUGIN-KUBE-004.
    const CHANGE: &str = r#"{"resource":"deployments.apps","apiVersion":"apps/v1","namespace":"shop","name":"web",
        "uid":"0b0c3a0e-2a34-4f6e-9b0e-6f4f3b5f8a11","created":"2026-02-01T08:00:00Z",
        "before":{"since":"2026-02-21T08:55:00Z","fields":{"status":{"conditions":[{"type":"Available","status":"False"}]}}},
        "after":{"since":"2026-02-21T09:30:00Z","fields":{"status":{"conditions":[{"type":"Available","status":"True",
            "lastTransitionTime":"2026-02-21T09:29:58Z"}]}}}}"#;

    fn read(event: &str, raw: &str) -> Result<Change, Verdict> {
        Change::read(&Observation {
            id: "018f".to_owned(),
            source_type: KUBERNETES.to_owned(),
            event: event.to_owned(),
            raw_data: raw.as_bytes().to_vec(),
            detected_at: 1_771_666_260,
        })
    }

    #[test]
    fn a_change_is_read_with_its_times_and_conditions() {
        let change = read(CHANGED, CHANGE).unwrap();
        assert_eq!(change.before_seconds(), 35 * 60);
        assert_eq!(
            change.before.condition("Available").unwrap().status,
            "False"
        );
        let after = change.after.condition("Available").unwrap();
        assert_eq!(
            (after.status, after.changed_at),
            ("True", Some(1_771_666_198))
        );
        assert_eq!(change.after.condition("Progressing"), None);
        assert_eq!(change.after.integer("/spec/replicas"), None);
    }

    #[test]
    fn what_is_no_change_gets_its_verdict() {
        assert!(matches!(read("deleted", CHANGE), Err(Verdict::Rejected(_))));
        let backwards = CHANGE.replace("09:30:00Z", "08:30:00Z");
        let unborn = CHANGE.replace("2026-02-01T08", "2026-02-21T09");
        for raw in ["", "[]", "{}", &backwards, &unborn] {
            assert!(matches!(read(CHANGED, raw), Err(Verdict::Inconclusive(_))));
        }
    }
}
