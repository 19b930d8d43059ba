//! A farmer as the village knows her.

use std::{fmt, str::FromStr};

use farmops_federation::{Account, PublicKey, RemoteActor, Timestamp};
use url::Url;
use uuid::Uuid;

use crate::names::shown_name;

/// The village's own id of a farmer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FarmerId(Uuid);

impl FarmerId {
    /// A fresh id; ids made later sort later.
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for FarmerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for FarmerId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::try_parse(text).map(Self)
    }
}

/// A word that its list does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown word `{0}`")]
pub struct UnknownWord(pub String);

/// Declares an enum that is stored and shown as a word.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant),+
        }

        impl $name {
            /// Every word, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::farmer::UnknownWord;

            fn from_str(word: &str) -> Result<Self, $crate::farmer::UnknownWord> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|known| known.as_str() == word)
                    .ok_or_else(|| $crate::farmer::UnknownWord(word.chars().take(32).collect()))
            }
        }
    };
}
pub(crate) use words;

words! {
    /// How far a farmer's membership has come.
    Membership {
        /// Asked; a person decides.
        Pending = "pending",
        /// A member.
        Active = "active",
        /// Was a member and went.
        Left = "left",
        /// Sent away by the village's people.
        Removed = "removed",
    }
}

words! {
    /// How far the village's wish to follow a farmer of elsewhere has come.
    Following {
        /// Asked, not answered.
        Pending = "pending",
        /// Her tracker agreed.
        Active = "active",
    }
}

/// A farmer: one row, however many ways she is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Farmer {
    /// The village's id of her.
    pub id: FarmerId,
    /// Her actor, on her tracker.
    pub actor: Url,
    /// Her handle, at her home village.
    pub account: Account,
    /// The name people read.
    pub display_name: String,
    /// Her tracker.
    pub tracker_url: String,
    /// The key that signs her snapshots.
    pub farmer_key: PublicKey,
    /// Her own page, on her tracker.
    pub page: Option<Url>,
    /// Whether she is a member here.
    pub membership: Option<Membership>,
    /// Whether the village follows her by handle.
    pub following: Option<Following>,
    /// When she was first known here.
    pub registered_at: Timestamp,
    /// The time of the newest signed request of hers that was heeded.
    pub asked_at: Option<Timestamp>,
    /// When a snapshot of hers last came.
    pub last_sync_at: Option<Timestamp>,
}

impl Farmer {
    /// The row that a farmer of elsewhere has when she is first heard of; `farmer_key` is the key
    /// that her actor shows.
    pub fn of_elsewhere(
        actor: &RemoteActor,
        account: Account,
        farmer_key: PublicKey,
        now: Timestamp,
    ) -> Self {
        Self {
            id: FarmerId::fresh(),
            actor: actor.id.clone(),
            account,
            display_name: shown_name(&actor.name, &actor.username),
            tracker_url: actor.id.origin().ascii_serialization(),
            farmer_key,
            page: actor.page.clone(),
            membership: None,
            following: None,
            registered_at: now,
            asked_at: None,
            last_sync_at: None,
        }
    }

    /// The path of her page here: `/farmers/@alice` for a farmer of this village (`home`),
    /// `/farmers/@alice@orchard.example` for one of elsewhere.
    pub fn path(&self, home: &str) -> String {
        path_of(&self.account, home)
    }
}

/// See [`Farmer::path`].
pub fn path_of(account: &Account, home: &str) -> String {
    if account.host() == home {
        format!("/farmers/@{}", account.name())
    } else {
        format!("/farmers/@{}@{}", account.name(), account.host())
    }
}
