//! Checkpoints: a signed note that is read is written back byte for byte.

#![no_main]

use farmops_protocol::{
    checkpoint::Checkpoint,
    key::SecretKey,
    log::{Head, cosignature, note::SignedNote},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let key = SecretKey::from_bytes([9; 32]).public();
    let verified = Checkpoint::verify(text, &key);
    let Ok(note) = SignedNote::parse(text) else {
        assert!(verified.is_err());
        return;
    };
    assert_eq!(note.to_string(), text);
    if let Some(line) = note.signatures().first() {
        let _ = cosignature::verify(&note, line.name(), &key);
    }
    match Head::parse(note.text()) {
        Ok(head) => assert_eq!(head.text(), note.text()),
        Err(_) => assert!(verified.is_err()),
    }
});
