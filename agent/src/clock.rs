//! The one place that reads the wall clock.

use farmops_protocol::time::Timestamp;

/// Now, as precisely as the system tells.
pub fn precise() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Now, in whole seconds.
pub fn now() -> Timestamp {
    let second = jiff::Timestamp::now().as_second();
    Timestamp::from_second(second).unwrap_or_else(|| {
        // The calendar library ends with the year 9999, as the wire form does.
        unreachable!("the clock shows a year beyond 9999")
    })
}
