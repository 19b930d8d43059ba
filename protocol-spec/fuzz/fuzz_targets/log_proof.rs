//! Log proofs and what they open: read and written back byte for byte.

#![no_main]

use farmops_protocol::{
    key::SecretKey,
    log::{
        LogProof, Opening,
        commitment::{LoggedEvent, LoggedScore},
    },
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(event) = LoggedEvent::parse(bytes) {
        assert_eq!(event.to_bytes(), bytes);
    }
    if let Ok(Some(score)) = LoggedScore::parse(bytes) {
        assert_eq!(score.to_bytes(), bytes);
    }
    if let Ok(opening) = Opening::parse(bytes) {
        assert_eq!(opening.to_bytes().expect("it has a canonical form"), bytes);
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(proof) = LogProof::parse(text) {
        assert_eq!(proof.to_string(), text);
        let _ = proof.open(&SecretKey::from_bytes([9; 32]).public());
    }
});
