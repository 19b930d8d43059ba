//! Proofs: what is taken is kept as it came.

#![no_main]

use farmops_protocol::{key::SecretKey, proof::ParsedProof};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = ParsedProof::parse(bytes) {
        assert_eq!(proof.bytes(), bytes);
        let _ = proof.verify(&SecretKey::from_bytes([7; 32]).public());
    }
});
