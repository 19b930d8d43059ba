//! What a plugin makes of an observation.

use std::collections::BTreeMap;

use crate::wire::v1::{ActionType, ActorType, Category, Complexity, OutcomeStatus};

/// The answer to one observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Finished work.
    Verified(Box<Finding>),
    /// Not finished work, or not work; the reason stays on this machine.
    Rejected(String),
    /// The observation does not tell; the reason stays on this machine.
    Inconclusive(String),
}

/// Finished work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of act it was.
    pub action_type: ActionType,
    /// Which kind of work.
    pub category: Category,
    /// One of the declared subcategories.
    pub subcategory: Option<String>,
    /// One of the declared templates.
    pub template: String,
    /// Values of its numbers.
    pub numbers: BTreeMap<String, u64>,
    /// Values of its choices.
    pub words: BTreeMap<String, String>,
    /// How big it was.
    pub hints: Hints,
    /// How it ended.
    pub outcome: OutcomeStatus,
    /// What the verdict rests on; the agent keeps it and sends only a salted hash.
    pub evidence: Vec<u8>,
    /// Who did it.
    pub actor: Actor,
    /// Names the piece of work: two observations of the same work carry the same key.
    pub dedupe_key: Vec<u8>,
    /// When it was finished, in seconds since 1970-01-01T00:00:00Z.
    pub finished_at: i64,
}

/// The size of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hints {
    /// How hard it was.
    pub complexity: Complexity,
    /// 1 is one artifact, 10 is everything.
    pub impact_radius: u32,
    /// How many things were touched.
    pub artifacts_touched: u64,
    /// Seconds spent, where known.
    pub time_spent_seconds: Option<u64>,
}

/// Who did the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// By name, or by being on call.
    pub who: Who,
    /// A person, a program acting for one, or the system.
    pub kind: ActorType,
}

/// How the source tells who it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The name in the source, as it stands there.
    Identifier(String),
    /// The source does not say; it was whoever was on call.
    OnCall,
}

impl Verdict {
    /// A rejection with its reason.
    pub fn rejected(reason: impl Into<String>) -> Self {
        Self::Rejected(reason.into())
    }

    /// The canonical bytes: the encoding of the contract's `VerifyResponse`, its maps sorted by key. Equal
    /// verdicts have equal bytes, whichever form of the plugin gave them.
    pub fn to_bytes(&self) -> Vec<u8> {
        use prost::Message as _;
        crate::wire::v1::VerifyResponse::from(self.clone()).encode_to_vec()
    }

    /// The finding, if there is one.
    pub fn finding(&self) -> Option<&Finding> {
        match self {
            Self::Verified(finding) => Some(finding),
            Self::Rejected(_) | Self::Inconclusive(_) => None,
        }
    }
}
