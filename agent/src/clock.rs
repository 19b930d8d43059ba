//! The one place that reads the wall clock.

use farmops_protocol::time::Timestamp;

/// Now, in whole seconds.
#[expect(
    clippy::expect_used,
    reason = "the calendar library's range lies within that of a timestamp's wire form"
)]
pub fn now() -> Timestamp {
    Timestamp::from_second(jiff::Timestamp::now().as_second()).expect("a year of four digits")
}
