//! The settings of limits: how much one client may ask in a minute.

use std::num::NonZeroU32;
use std::sync::Arc;

use serde::Deserialize;

use super::{ClientAddresses, Policy, RateLimit};

/// Requests in a minute. The numbers are far above what people and programs at work need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct PerMinute(NonZeroU32);

impl PerMinute {
    /// A quota; nothing is taken for one.
    pub const fn new(requests: u32) -> Self {
        match NonZeroU32::new(requests) {
            Some(requests) => Self(requests),
            None => Self(NonZeroU32::MIN),
        }
    }

    /// The limit of that name.
    pub fn limit(self, name: &'static str, addresses: &Arc<ClientAddresses>) -> RateLimit {
        const MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);
        RateLimit::new(Policy::new(name, self.0, MINUTE), Arc::clone(addresses))
    }
}
