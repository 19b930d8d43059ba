//! Enrolment requests: whatever the bytes, an answer.

#![no_main]

use farmops_protocol::{enrolment::EnrolmentRequest, time::Timestamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // 2026-02-21T09:30:00Z, the moment at which the vectors play.
    let now = Timestamp::from_second(1_771_666_200).expect("a time of this century");
    let _ = EnrolmentRequest::verify(bytes, now);
});
