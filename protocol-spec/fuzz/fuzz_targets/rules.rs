//! Rule sets: whatever the bytes, an answer.

#![no_main]

use farmops_protocol::scoring::RuleSet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(rules) = RuleSet::parse(bytes) {
        let _ = rules.digest();
    }
});
