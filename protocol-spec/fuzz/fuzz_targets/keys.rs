//! Key rotations and chain reset requests: whatever the bytes, an answer.

#![no_main]

use farmops_protocol::{
    chain_reset::ParsedChainReset, key::SecretKey, rotation::ParsedKeyRotation,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // The key of the agent in the vectors.
    let key = SecretKey::from_bytes([7; 32]).public();
    if let Ok(parsed) = ParsedKeyRotation::parse(bytes) {
        let agent_id = parsed.rotation().agent_id;
        assert_eq!(parsed.bytes(), bytes);
        let _ = parsed.verify(agent_id, &key);
    }
    if let Ok(parsed) = ParsedChainReset::parse(bytes) {
        let agent_id = parsed.request().agent_id;
        let _ = parsed.verify(agent_id, &key);
    }
});
