//! Snapshots: what verifies once verifies in the form in which it is kept.

#![no_main]

use farmops_protocol::snapshot::SnapshotDocument;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = SnapshotDocument::parse(bytes) else {
        return;
    };
    // Its own key is the one that a verifier would expect of this farm.
    let key = document.snapshot().farmer_key;
    if let Ok(verified) = document.verify(&key) {
        let kept = verified.to_bytes();
        let again = SnapshotDocument::parse(&kept).expect("it was taken before");
        assert_eq!(again.snapshot(), verified.snapshot());
    }
});
