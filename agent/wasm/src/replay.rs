//! A recorded judgement, and the same again: same component, same settings, same bytes, same fuel.

use farmops_plugin::recorded::{RecordedObservation, hex, verdict_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::component::{Component, ConfigureError, VerifyError};

/// One judgement as a JSON file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// The granted sources, each as name and type.
    #[serde(default)]
    pub granted: Vec<(String, String)>,
    /// The operator's settings.
    #[serde(default = "empty")]
    pub settings: Value,
    /// The observation.
    pub observation: RecordedObservation,
    /// What came out; absent until it was judged once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// What came out of a judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// SHA-256 of the component.
    pub component: String,
    /// The verdict, to read.
    pub verdict: Value,
    /// The verdict's canonical bytes in hex: the encoding of `VerifyResponse` with sorted maps.
    pub bytes: String,
    /// Instructions executed.
    pub fuel: u64,
}

/// Why a recording can not be judged again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The observation is not written as it should be.
    #[error("observation: {0}")]
    Observation(#[from] farmops_plugin::recorded::BadRecording),
    /// The settings.
    #[error(transparent)]
    Configure(#[from] ConfigureError),
    /// The judgement.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

fn empty() -> Value {
    Value::Object(serde_json::Map::new())
}

impl Recording {
    /// Has the observation judged by `component`.
    ///
    /// # Errors
    /// When it gets no verdict.
    pub fn judge(&self, component: &Component) -> Result<Outcome, ReplayError> {
        let observation = self.observation.to_observation()?;
        component.configure(&self.granted, self.settings.to_string().as_bytes())?;
        let judged = component.verify(&observation)?;
        Ok(Outcome {
            component: component.digest().as_str().to_owned(),
            verdict: verdict_json(&judged.verdict),
            bytes: hex(&judged.verdict.to_bytes()),
            fuel: judged.fuel,
        })
    }
}

impl Outcome {
    /// What differs from `other`, in words; empty when nothing does.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        if self.component != other.component {
            let (a, b) = (&self.component, &other.component);
            differences.push(format!("component {a} is not {b}"));
        }
        if self.bytes != other.bytes {
            let (a, b) = (&self.verdict, &other.verdict);
            differences.push(format!("verdict {a} is not {b}"));
        }
        if self.fuel != other.fuel {
            let (a, b) = (self.fuel, other.fuel);
            differences.push(format!("fuel {a} is not {b}"));
        }
        differences
    }
}
