//! Canonical JSON: what is read can be written, and what was written is canonical.

#![no_main]

use farmops_protocol::{canonical, limits::DEPTH_MAX};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = canonical::parse_value(bytes, DEPTH_MAX) else {
        assert!(!canonical::is_canonical(bytes, DEPTH_MAX));
        return;
    };
    let written = canonical::to_vec(&value).expect("what was read can be written");
    let again =
        canonical::parse_canonical(&written, DEPTH_MAX).expect("what was written is canonical");
    assert_eq!(again, value);
    assert_eq!(canonical::is_canonical(bytes, DEPTH_MAX), written == bytes);
});
