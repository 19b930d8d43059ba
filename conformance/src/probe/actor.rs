//! One actor of the probe: its document and what it says.

use farmops_protocol::{
    checkpoint::{Checkpoint, leaf_hash},
    snapshot,
    time::Timestamp,
};
use rsa::{RsaPrivateKey, RsaPublicKey, pkcs8::EncodePublicKey};
use serde_json::{Value, json};
use url::Url;

use super::Probe;
use crate::sign::authority;

/// An actor of the probe.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Its id.
    pub id: String,
    name: String,
    host: String,
    base: String,
}

impl Actor {
    pub(super) fn new(base: &Url, name: &str) -> Self {
        Self {
            id: format!("{base}actors/{name}"),
            name: name.to_owned(),
            host: authority(base),
            base: base.to_string(),
        }
    }

    /// The id of its RSA key.
    pub fn key_id(&self) -> String {
        format!("{}#main-key", self.id)
    }

    /// The id of its farm key.
    pub fn farm_key_id(&self) -> String {
        format!("{}#farm-key", self.id)
    }

    /// Its document.
    pub fn document(&self) -> Value {
        json!({
            "@context": [
                "https://www.w3.org/ns/activitystreams",
                "https://w3id.org/security/v1",
                "https://w3id.org/security/data-integrity/v2",
            ],
            "id": self.id,
            "type": "Person",
            "preferredUsername": self.name,
            "webfinger": format!("{}@{}", self.name, self.host),
            "name": "Conformance probe",
            "inbox": format!("{}/inbox", self.id),
            "outbox": format!("{}/outbox", self.id),
            "followers": format!("{}/followers", self.id),
            "publicKey": {
                "id": self.key_id(),
                "owner": self.id,
                "publicKeyPem": public_pem(&Probe::keys().own),
            },
            "assertionMethod": [{
                "id": self.farm_key_id(),
                "type": "Multikey",
                "controller": self.id,
                "publicKeyMultibase": Probe::keys().farm.public(),
            }],
        })
    }

    pub(super) fn jrd(&self) -> Value {
        json!({
            "subject": format!("acct:{}@{}", self.name, self.host),
            "links": [{ "rel": "self", "type": "application/activity+json", "href": self.id }],
        })
    }

    /// A fresh id on the actor's server.
    pub fn fresh_id(&self) -> String {
        format!("{}activities/{}", self.base, uuid::Uuid::new_v4())
    }

    /// An activity of this actor about `object`.
    pub fn activity(&self, kind: &str, object: &Value) -> Value {
        json!({
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": self.fresh_id(),
            "type": kind,
            "actor": self.id,
            "object": object,
        })
    }

    /// A snapshot of this actor's farm with `coins` in all, not yet signed.
    pub fn snapshot(&self, coins: u64, now: Timestamp) -> Value {
        let farm = &Probe::keys().farm;
        let log = Checkpoint {
            origin: format!("{}/ledger", self.host),
            size: 1,
            root: leaf_hash(b"probe"),
        };
        json!({
            "@context": snapshot::context(),
            "type": ["Note", "farm:FarmSnapshot"],
            "id": format!("{}snapshots/{}", self.base, uuid::Uuid::new_v4()),
            "attributedTo": self.id,
            "published": now,
            "to": ["https://www.w3.org/ns/activitystreams#Public"],
            "cc": [],
            "url": self.id,
            "content": "<p>A farm that the conformance suite made up</p>",
            "attachment": [],
            "farm:farmerKey": farm.public(),
            "farm:season": snapshot::season_of(now),
            "farm:sequence": 1,
            "farm:totalCoins": coins,
            "farm:currentCoins": coins,
            "farm:streakDays": 1,
            "farm:level": 1,
            "farm:upgrades": [],
            "farm:categoryTotals": [],
            "farm:achievements": [],
            "farm:checkpoint": log.sign(farm),
        })
    }
}

/// The public half in PEM.
pub fn public_pem(key: &RsaPrivateKey) -> String {
    // Writing a key that was just made cannot fail; an empty text would be refused by any reader.
    RsaPublicKey::from(key)
        .to_public_key_pem(rsa::pkcs8::LineEnding::LF)
        .unwrap_or_default()
}
