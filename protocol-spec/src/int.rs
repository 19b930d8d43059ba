//! Integers that survive every JSON reader.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::INTEGER_MAX;

/// An integer from 0 to 2^53 − 1 (`CAN-INT-001`), refused outside that range on reading and on making.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SafeUint(u64);

/// A number above 2^53 − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is above 9007199254740991 (2^53 − 1)")]
pub struct TooLarge(pub u64);

impl SafeUint {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// The number itself.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// `self + other`, held at 2^53 − 1.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        let sum = self.0 + other.0; // both are below 2^53, so u64 holds the sum
        Self(if sum > INTEGER_MAX { INTEGER_MAX } else { sum })
    }
}

impl TryFrom<u64> for SafeUint {
    type Error = TooLarge;

    fn try_from(value: u64) -> Result<Self, TooLarge> {
        if value > INTEGER_MAX {
            Err(TooLarge(value))
        } else {
            Ok(Self(value))
        }
    }
}

impl From<u32> for SafeUint {
    fn from(value: u32) -> Self {
        Self(u64::from(value))
    }
}

impl std::fmt::Display for SafeUint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for SafeUint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for SafeUint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(u64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
