//! Events of the ledger: what is read is written again byte for byte, and can be told.
//!
//! An input is the event's word, a line break, and its body.

#![no_main]

use farmops_ledger::Event;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let (Some(kind), Some(body)) = (parts.next(), parts.next()) else {
        return;
    };
    let Ok(kind) = std::str::from_utf8(kind) else {
        return;
    };
    if let Ok(event) = Event::read(kind, body) {
        assert_eq!(event.kind(), kind);
        assert!(&*event.body() == body, "the same again");
        assert!(!event.told().is_empty());
    }
});
