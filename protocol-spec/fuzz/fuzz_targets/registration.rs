//! Requests to join and to leave a village: whatever the bytes, an answer.

#![no_main]

use farmops_protocol::{
    departure::DepartureRequest, registration::RegistrationRequest, time::Timestamp,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // 2026-02-21T09:30:00Z, the moment at which the vectors play.
    let now = Timestamp::from_second(1_771_666_200).expect("a time of this century");
    let village = "https://orchard.example";
    let joins = RegistrationRequest::verify(bytes, village, now).is_ok();
    let leaves = DepartureRequest::verify(bytes, village, now).is_ok();
    assert!(!(joins && leaves), "one request for both");
});
