//! The closed word lists of a proof.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that its list does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not one of {expected}")]
pub struct UnknownWord {
    word: String,
    expected: String,
}

/// Declares a word list: an enum with its wire words, `ALL`, `as_str` and `FromStr`.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every word of the list, in the order of the specification.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|w| w.as_str() == word).ok_or_else(|| UnknownWord {
                    word: word.chars().take(64).collect(),
                    expected: Self::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

words! {
    /// Who acted.
    ActorType {
        /// A person.
        Human = "human",
        /// A program acting for a person.
        Bot = "bot",
        /// The system itself.
        System = "system",
    }
}

words! {
    /// What kind of act it was.
    ActionType {
        /// Looked, and found it well.
        Verify = "verify",
        /// Made it right.
        Fix = "fix",
        /// Moved it to a newer version.
        Upgrade = "upgrade",
        /// Brought it into service.
        Deploy = "deploy",
        /// Ended an incident or alert.
        Resolve = "resolve",
        /// Read and judged a change.
        Review = "review",
        /// Changed how it is set up.
        Configure = "configure",
        /// Saw it happen.
        Observe = "observe",
    }
}

words! {
    /// Which kind of work it was; each has its own base rate.
    Category {
        /// Routine care.
        Maintenance = "maintenance",
        /// Repetitive work, ideally on its way out.
        Toil = "toil",
        /// Work that makes the system hold.
        Reliability = "reliability",
        /// Work that makes the system safe.
        Security = "security",
        /// Work under pressure.
        Incident = "incident",
        /// Work that removes age.
        Upgrade = "upgrade",
    }
}

words! {
    /// How an action ended.
    OutcomeStatus {
        /// It did what it should.
        Success = "success",
        /// It did not.
        Failure = "failure",
        /// It did in part.
        Partial = "partial",
    }
}

words! {
    /// How hard the work was, in the plugin's view.
    Complexity {
        /// Routine.
        Low = "low",
        /// Needs thought.
        Medium = "medium",
        /// Needs an expert.
        High = "high",
    }
}
