//! How often one client may ask, and telling it before it is too often.
//!
//! A [`RateLimit`] is a tower layer with one [`Policy`]. Answers carry `RateLimit-Policy` and
//! `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11, structured fields); what is too much is
//! answered 429 with `Retry-After` and a problem that names the policy, and a gRPC call with
//! `RESOURCE_EXHAUSTED`. Layers add up: each adds its
//! item to both fields.
//!
//! Who a client is: the [`RateKey`] that authentication has put into the request's extensions, else
//! the address (see [`ClientAddresses`]), of which IPv6 counts by /64. An unverified token is never a
//! key, or everyone could have as many as they like; so put a limit outside of authentication, too.
//!
//! Memory is bounded: clients share [`PLACES`] places, to which they are assigned by a keyed hash
//! that changes with each start. Two clients meet by chance only, and then share a quota.

mod address;
mod layer;
mod policy;
mod settings;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use governor::clock::{Clock, DefaultClock, Reference};
use governor::middleware::{NoOpMiddleware, StateInformationMiddleware};
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

pub use address::{ClientAddresses, NotANetwork};
pub use layer::{RateLimitLayer, RateLimited};
pub use policy::Policy;
pub use settings::PerMinute;

use policy::{Decision, Verdict};

/// Places for clients in each limit; about 4 MiB when all are taken.
pub const PLACES: u32 = 65_536;

/// Who is asking, once authentication knows: a request extension. Any text that is one client's own,
/// for example the id of its token; not a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RateKey(pub String);

/// What `governor` makes before it is told to say how much is left.
type Limiter<C> =
    RateLimiter<u32, DefaultKeyedStateStore<u32>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// One policy, and how much of it each client has used. Clones share that.
#[derive(Clone)]
pub struct RateLimit {
    policy: Policy,
    addresses: Arc<ClientAddresses>,
    places: RandomState,
    decide: Arc<dyn Fn(u32) -> Decision + Send + Sync>,
}

impl RateLimit {
    /// A limit of its own: two of the same policy do not share what was used.
    pub fn new(policy: Policy, addresses: Arc<ClientAddresses>) -> Self {
        Self::with_clock(policy, addresses, DefaultClock::default())
    }

    fn with_clock<C>(policy: Policy, addresses: Arc<ClientAddresses>, clock: C) -> Self
    where
        C: Clock + Clone + Send + Sync + 'static,
        C::Instant: Reference + Send + Sync,
    {
        let quota: Quota = policy.governed();
        let limiter: Limiter<C> =
            RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone());
        let limiter = limiter.with_middleware::<StateInformationMiddleware>();
        let decide = move |place: u32| match limiter.check_key(&place) {
            Ok(state) => policy.decision(Verdict::Within(state.remaining_burst_capacity())),
            Err(until) => policy.decision(Verdict::Beyond(until.wait_time_from(clock.now()))),
        };
        Self {
            policy,
            addresses,
            places: RandomState::new(),
            decide: Arc::new(decide),
        }
    }

    /// The layer for `Router::layer` or `route_layer`.
    pub fn layer(&self) -> RateLimitLayer {
        RateLimitLayer(self.clone())
    }

    /// Counts a request of this client.
    fn count(&self, client: &impl std::hash::Hash) -> Decision {
        // The remainder is less than PLACES.
        #[expect(clippy::cast_possible_truncation, reason = "less than PLACES")]
        let place = (self.places.hash_one(client) % u64::from(PLACES)) as u32;
        (self.decide)(place)
    }
}

#[cfg(test)]
mod tests;
