//! One vector in the making, and the cast: Alice's agent, her farm, and a stranger.

use farmops_protocol::{key::SecretKey, time::Timestamp};
use serde_json::{Value, json};

/// The moment at which most vectors play.
pub(crate) const NOW: &str = "2026-02-21T09:30:00Z";
/// The seed of the key of Alice's agent.
pub(crate) const AGENT_SEED: [u8; 32] = [7; 32];

pub(crate) fn agent_key() -> SecretKey {
    SecretKey::from_bytes(AGENT_SEED)
}

pub(crate) fn farm_key() -> SecretKey {
    SecretKey::from_bytes([9; 32])
}

pub(crate) fn strangers_key() -> SecretKey {
    SecretKey::from_bytes([8; 32])
}

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A vector.
pub(crate) struct Case {
    verdict: &'static str,
    kind: &'static str,
    name: String,
    clause: &'static str,
    title: String,
    input: Value,
    expect: Value,
    structural: Option<bool>,
}

impl Case {
    pub(crate) fn valid(
        kind: &'static str,
        name: &str,
        clause: &'static str,
        title: &str,
        input: Value,
        expect: Value,
    ) -> Self {
        Self {
            verdict: "valid",
            kind,
            name: name.to_owned(),
            clause,
            title: title.to_owned(),
            input,
            expect,
            structural: None,
        }
    }

    pub(crate) fn invalid(
        kind: &'static str,
        name: &str,
        clause: &'static str,
        title: &str,
        input: Value,
        expect: Value,
    ) -> Self {
        Self {
            verdict: "invalid",
            ..Self::valid(kind, name, clause, title, input, expect)
        }
    }

    /// Says whether the JSON Schema alone refuses it.
    pub(crate) fn structural(self, structural: bool) -> Self {
        Self {
            structural: Some(structural),
            ..self
        }
    }

    pub(crate) fn path(&self) -> String {
        format!("{}/{}/{}.json", self.verdict, self.kind, self.name)
    }

    pub(crate) fn text(&self) -> String {
        let mut file = json!({ "clause": self.clause, "title": self.title });
        if let Some(structural) = self.structural {
            file["structural"] = json!(structural);
        }
        file["input"] = self.input.clone();
        file["expect"] = self.expect.clone();
        serde_json::to_string_pretty(&file).unwrap() + "\n"
    }
}

/// `text` with `from`, which stands in it once, replaced.
pub(crate) fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
    text.replace(from, to)
}

/// The same signature with the group's order added to its second half: a second spelling that only strict
/// verifiers refuse.
pub(crate) fn malleated(signature: [u8; 64]) -> [u8; 64] {
    // The order of the base point, little end first (RFC 8032 §5.1).
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut changed = signature;
    let mut carry = 0_u16;
    for (byte, order) in changed[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    changed
}
