//! What the engine is told at its start.

use std::sync::Arc;

use farmops_protocol::time::Timestamp;
use url::Url;

use crate::account::Reach;

/// Where the engine takes the time from; a test passes its own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The system's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let second = jiff::Timestamp::now().as_second();
        // `jiff` reaches from the year -9999 to 9999; before the year 0 the epoch is as good.
        Timestamp::from_second(second).unwrap_or_else(epoch)
    })
}

fn epoch() -> Timestamp {
    // Invariant: zero lies between the years 0000 and 9999.
    #[allow(clippy::unwrap_used)]
    Timestamp::from_second(0).unwrap()
}

/// What the engine is told at its start.
#[derive(Clone)]
pub struct Settings {
    /// Where this server is reached, without a path: `https://orchard.example`.
    pub public_url: Url,
    /// [`Reach::Loopback`] under the development flag.
    pub reach: Reach,
    /// What NodeInfo says about the program.
    pub software: Software,
    /// The clock.
    pub clock: Clock,
}

/// What NodeInfo says about the program.
#[derive(Clone, Debug)]
pub struct Software {
    /// `farmops-village`: lower-case letters, digits and hyphens.
    pub name: String,
    /// The version.
    pub version: String,
    /// Where the source of this very program is offered (the licence asks for it).
    pub repository: Url,
}
