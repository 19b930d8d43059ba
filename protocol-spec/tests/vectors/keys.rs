//! What an implementation does with rotations, reset requests and chains over several keys.

use farmops_protocol::{
    chain::{self, ChainHead},
    chain_reset::ParsedChainReset,
    field::FieldError,
    proof::ParsedProof,
    rotation::{KeyHistory, ParsedKeyRotation, RotationError},
    time::Timestamp,
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::run::{field, key};

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Keys {
    Rotation {
        agent_id: Uuid,
        head: Option<ChainHead>,
        now: Timestamp,
        public_key: String,
        text: String,
    },
    ChainReset {
        agent_id: Uuid,
        now: Timestamp,
        public_key: String,
        text: String,
    },
    History {
        agent_id: Uuid,
        events: Vec<Event>,
        now: Timestamp,
        public_key: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Event {
    Proof(String),
    Rotation(String),
}

pub(crate) fn keys(input: Keys) -> Result<Value, Value> {
    match input {
        Keys::Rotation {
            agent_id,
            head,
            now,
            public_key,
            text,
        } => {
            let parsed = ParsedKeyRotation::parse(text.as_bytes()).map_err(field)?;
            parsed.check_fresh(now).map_err(field)?;
            let mut history = KeyHistory::new(agent_id, key(&public_key)?);
            let verified = history
                .rotate(parsed, head.as_ref(), 0)
                .map_err(refused_rotation)?;
            assert_eq!(verified.bytes(), text.as_bytes());
            Ok(json!({ "fingerprint": history.current().fingerprint() }))
        }
        Keys::ChainReset {
            agent_id,
            now,
            public_key,
            text,
        } => {
            let parsed = ParsedChainReset::parse(text.as_bytes()).map_err(field)?;
            parsed.check_fresh(now).map_err(field)?;
            let verified = parsed.verify(agent_id, &key(&public_key)?).map_err(field)?;
            assert_eq!(verified.bytes(), text.as_bytes());
            Ok(json!({ "resumes_after": verified.request().resumes_after }))
        }
        Keys::History {
            agent_id,
            events,
            now,
            public_key,
        } => {
            let mut history = KeyHistory::new(agent_id, key(&public_key)?);
            let (mut head, mut place) = (None, 0);
            for (at, event) in events.iter().enumerate() {
                let told = |mut refusal: Value| {
                    refusal["at"] = json!(at);
                    refusal
                };
                match event {
                    Event::Proof(text) => {
                        let parsed = ParsedProof::parse(text.as_bytes()).map_err(field)?;
                        let proof = history
                            .verify(parsed, place)
                            .map_err(|_| told(json!({ "field": "signature" })))?;
                        let next = chain::extend(head.as_ref(), &proof, now);
                        head = Some(next.unwrap());
                        place += 1;
                    }
                    Event::Rotation(text) => {
                        let parsed = ParsedKeyRotation::parse(text.as_bytes()).map_err(field)?;
                        history
                            .rotate(parsed, head.as_ref(), place)
                            .map_err(|e| told(refused_rotation(e)))?;
                    }
                }
            }
            let keys: Vec<Value> = history
                .keys()
                .map(|(from, key)| json!({ "from": from, "public_key": key }))
                .collect();
            Ok(json!({ "head": head, "keys": keys }))
        }
    }
}

fn refused_rotation(error: RotationError) -> Value {
    match error {
        RotationError::Invalid(FieldError { field, .. }) => json!({ "field": field }),
        RotationError::Head(error) => json!({ "code": error.code(), "field": error.field() }),
    }
}
