//! The snapshot: what a farm shows to the world (`protocol-spec/docs/snapshot.md`).
//!
//! On the wire it is an `ActivityPub` object of two types, `Note` and `farm:FarmSnapshot`: any server
//! can show it as a post, and a village reads its `farm:` members. It carries an integrity proof by
//! the farm's key, so a village may relay it and nobody can forge it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    canonical,
    digest::Digest,
    field::{self, FieldError},
    int::SafeUint,
    integrity,
    key::{PublicKey, SecretKey},
    limits::{CHECKPOINT_BYTES_MAX, SNAPSHOT_BYTES_MAX, SNAPSHOT_LIST_MAX},
    proof::{Category, is_slug},
    time::Timestamp,
};

/// The namespace of the `farm:` terms.
pub const FARM_NAMESPACE: &str = "https://w3id.org/farmops#";

/// The one context of every object and activity we publish. Contexts are never fetched.
pub fn context() -> Value {
    json!([
        "https://www.w3.org/ns/activitystreams",
        "https://w3id.org/security/v1",
        "https://w3id.org/security/data-integrity/v2",
        {
            "farm": FARM_NAMESPACE,
            "sensitive": "as:sensitive",
            "Hashtag": "as:Hashtag"
        }
    ])
}

/// The state of a farm that its owner publishes: totals, never proofs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The key that signs this farm's snapshots.
    #[serde(rename = "farm:farmerKey")]
    pub farmer_key: PublicKey,
    /// The season it counts towards, like `2026-Q4`.
    #[serde(rename = "farm:season")]
    pub season: String,
    /// Grows by one with every snapshot of this farm; the higher one is the newer one.
    #[serde(rename = "farm:sequence")]
    pub sequence: SafeUint,
    /// Coins earned in all.
    #[serde(rename = "farm:totalCoins")]
    pub total_coins: SafeUint,
    /// Coins not yet spent.
    #[serde(rename = "farm:currentCoins")]
    pub current_coins: SafeUint,
    /// Working days in a row with finished work.
    #[serde(rename = "farm:streakDays")]
    pub streak_days: SafeUint,
    /// The farm's level, from 1.
    #[serde(rename = "farm:level")]
    pub level: SafeUint,
    /// Upgrades owned, by slug.
    #[serde(rename = "farm:upgrades")]
    pub upgrades: Vec<UpgradeLevel>,
    /// Totals by category; categories without proofs may be left out.
    #[serde(rename = "farm:categoryTotals")]
    pub category_totals: Vec<CategoryTotal>,
    /// What the leagues that the farm is in have brought in the season, by their own rules.
    #[serde(
        rename = "farm:leagueTotals",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub league_totals: Vec<LeagueTotal>,
    /// Slugs of the achievements earned.
    #[serde(rename = "farm:achievements")]
    pub achievements: Vec<String>,
    /// The ledger's checkpoint at this state: a C2SP signed note by the farm's key.
    #[serde(rename = "farm:checkpoint")]
    pub checkpoint: String,
}

/// An upgrade and its level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradeLevel {
    /// The catalogue's slug.
    #[serde(rename = "farm:slug")]
    pub slug: String,
    /// From 1.
    #[serde(rename = "farm:upgradeLevel")]
    pub level: SafeUint,
}

/// What one category has brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryTotal {
    /// The category.
    #[serde(rename = "farm:category")]
    pub category: Category,
    /// Proofs scored.
    #[serde(rename = "farm:proofs")]
    pub proofs: SafeUint,
    /// Coins earned.
    #[serde(rename = "farm:coins")]
    pub coins: SafeUint,
}

/// What one league has brought in the season.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeagueTotal {
    /// The league's slug.
    #[serde(rename = "farm:league")]
    pub league: String,
    /// The digest of the rules it is scored by now.
    #[serde(rename = "farm:rules")]
    pub rules: Digest,
    /// Coins by those rules, no part of the farm's own.
    #[serde(rename = "farm:coins")]
    pub coins: SafeUint,
}

/// The part of the object that any `ActivityPub` server shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Post {
    /// The object's own IRI.
    pub id: String,
    /// The farmer's actor IRI.
    pub attributed_to: String,
    /// When it was published.
    pub published: Timestamp,
    /// Primary audience.
    pub to: Vec<String>,
    /// Further audience.
    pub cc: Vec<String>,
    /// The farm's page.
    pub url: String,
    /// Text as safe HTML.
    pub content: String,
    /// The farm's picture, with its alternative text in `name`.
    pub attachment: Vec<Picture>,
}

/// A picture of the farm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Picture {
    /// `Image` or `Document`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `image/svg+xml` or `image/png`.
    pub media_type: String,
    /// Where it is.
    pub url: String,
    /// Alternative text.
    pub name: String,
}

/// A snapshot document of the right form, whose proof nobody has checked yet.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotDocument {
    value: Value,
    post: Post,
    snapshot: Snapshot,
}

/// A snapshot document whose proof the farm's key made. It comes from [`SnapshotDocument::verify`] or
/// [`sign`] and from nowhere else.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedSnapshot(SnapshotDocument);

/// The signed document of `snapshot` and `post`; `verification_method` is the IRI of the farm's key.
///
/// # Errors
/// A [`FieldError`] when a member breaks a rule: what we would not accept, we do not sign.
pub fn sign(
    post: &Post,
    snapshot: &Snapshot,
    key: &SecretKey,
    verification_method: &str,
) -> Result<VerifiedSnapshot, FieldError> {
    let refuse = |e: serde_json::Error| FieldError::document(e.to_string());
    let mut object = json!({ "@context": context(), "type": ["Note", "farm:FarmSnapshot"] });
    let parts = [
        serde_json::to_value(post).map_err(refuse)?,
        serde_json::to_value(snapshot).map_err(refuse)?,
    ];
    if let Some(members) = object.as_object_mut() {
        for part in parts {
            members.extend(part.as_object().cloned().unwrap_or_default());
        }
    }
    let signed = integrity::sign(&object, key, verification_method, post.published)?;
    let document = SnapshotDocument::from_value(signed)?;
    document.verify(&key.public())
}

impl SnapshotDocument {
    /// Reads the bytes of a snapshot document; they need not be canonical.
    ///
    /// # Errors
    /// A [`FieldError`] naming the member that breaks a rule.
    pub fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        if bytes.len() > SNAPSHOT_BYTES_MAX {
            return Err(too_long());
        }
        Self::from_value(canonical::parse_value(bytes, crate::limits::DEPTH_MAX)?)
    }

    /// Reads a snapshot document that has been parsed already, as it stands inside an activity.
    ///
    /// # Errors
    /// A [`FieldError`] naming the member that breaks a rule.
    pub fn from_value(value: Value) -> Result<Self, FieldError> {
        if !is_snapshot(&value) {
            return Err(FieldError::new(
                "type",
                "expected [\"Note\", \"farm:FarmSnapshot\"]",
            ));
        }
        // Inside an activity the sender chose the spelling; what counts is the canonical length.
        if canonical::to_vec(&value)?.len() > SNAPSHOT_BYTES_MAX {
            return Err(too_long());
        }
        let post: Post = field::from_value(&value)?;
        let snapshot: Snapshot = field::from_value(&value)?;
        snapshot.check()?;
        Ok(Self {
            value,
            post,
            snapshot,
        })
    }

    /// What the post part says.
    pub fn post(&self) -> &Post {
        &self.post
    }

    /// What the farm part says.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Checks the proof under `key`, which must be the key the snapshot names (`SNP-KEY-001`), used by a
    /// verification method of the very actor it is attributed to (`SNP-KEY-002`).
    ///
    /// # Errors
    /// A [`FieldError`] naming what does not fit.
    pub fn verify(self, key: &PublicKey) -> Result<VerifiedSnapshot, FieldError> {
        if self.snapshot.farmer_key != *key {
            return Err(FieldError::new(
                "farm:farmerKey",
                "is not the key known for this farmer",
            ));
        }
        let proof = integrity::verify(&self.value, key)?;
        let owner = proof
            .verification_method
            .split_once('#')
            .map(|(owner, _)| owner);
        if owner != Some(self.post.attributed_to.as_str()) {
            return Err(FieldError::new(
                "proof.verificationMethod",
                "is no key of attributedTo",
            ));
        }
        Ok(VerifiedSnapshot(self))
    }
}

impl VerifiedSnapshot {
    /// What the post part says.
    pub fn post(&self) -> &Post {
        &self.0.post
    }

    /// What the farm part says.
    pub fn snapshot(&self) -> &Snapshot {
        &self.0.snapshot
    }

    /// The whole signed object, to be embedded as it is.
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// The canonical bytes of the whole signed object: what is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        // The value was read by `parse_value` or made by `sign`, so it holds safe integers only.
        canonical::to_vec(&self.0.value).unwrap_or_default()
    }
}

impl Snapshot {
    fn check(&self) -> Result<(), FieldError> {
        let refuse = |field: &str, reason: &str| Err(FieldError::new(field, reason));
        if !is_season(&self.season) {
            return refuse("farm:season", "expected a year and quarter like 2026-Q4");
        }
        if self.current_coins > self.total_coins {
            return refuse("farm:currentCoins", "is above farm:totalCoins");
        }
        if self.level == SafeUint::ZERO {
            return refuse("farm:level", "levels start at 1");
        }
        if self.upgrades.iter().any(|u| u.level == SafeUint::ZERO) {
            return refuse("farm:upgrades", "levels start at 1");
        }
        let upgrades = self.upgrades.iter().map(|u| u.slug.as_str()).collect();
        if !are_distinct_slugs(upgrades) {
            return refuse("farm:upgrades", SLUGS_RULE);
        }
        if !are_distinct_slugs(self.achievements.iter().map(String::as_str).collect()) {
            return refuse("farm:achievements", SLUGS_RULE);
        }
        if has_repeats(self.category_totals.iter().map(|t| t.category).collect()) {
            return refuse("farm:categoryTotals", "names a category twice");
        }
        let leagues = self.league_totals.iter().map(|t| t.league.as_str());
        if self.league_totals.len() > LEAGUES_MAX || !are_distinct_slugs(leagues.collect()) {
            return refuse("farm:leagueTotals", "expected at most 8 different leagues");
        }
        if self.checkpoint.len() > CHECKPOINT_BYTES_MAX {
            return refuse("farm:checkpoint", "is longer than 4096 bytes");
        }
        Ok(())
    }
}

/// Leagues that a farm may be in at once.
const LEAGUES_MAX: usize = 8;

const SLUGS_RULE: &str = "expected at most 256 different slugs of a-z, 0-9 and -";

fn are_distinct_slugs(slugs: Vec<&str>) -> bool {
    slugs.len() <= SNAPSHOT_LIST_MAX && slugs.iter().all(|s| is_slug(s)) && !has_repeats(slugs)
}

fn has_repeats<T: Ord>(mut items: Vec<T>) -> bool {
    items.sort_unstable();
    items.windows(2).any(|pair| pair[0] == pair[1])
}

fn too_long() -> FieldError {
    FieldError::document(format!("a snapshot has at most {SNAPSHOT_BYTES_MAX} bytes"))
}

/// Whether `object` says that it is a farm snapshot.
pub fn is_snapshot(object: &Value) -> bool {
    object
        .get("type")
        .and_then(Value::as_array)
        .is_some_and(|types| {
            types.len() <= 8
                && ["Note", "farm:FarmSnapshot"]
                    .iter()
                    .all(|t| types.iter().any(|x| x == t))
        })
}

/// The season that `moment` falls in: the calendar quarter in UTC, like `2026-Q4`.
pub fn season_of(moment: Timestamp) -> String {
    let (year, month) = moment.year_and_month();
    format!("{year:04}-Q{}", (month + 2) / 3)
}

fn is_season(text: &str) -> bool {
    matches!(text.as_bytes(), [y @ .., b'-', b'Q', b'1'..=b'4'] if y.len() == 4 && y.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests;
