//! Layouts of other devices: whatever they send, what comes out is an arrangement of this farm, and a
//! refusal leaves no trace.
//!
//! The first byte of an input is the kind of one chunk and the rest is its body, which gets the header and the
//! checksum that a fuzzer would not find; any kind that there is none of stands for bytes as they are.

#![no_main]

use std::sync::LazyLock;

use farmops_farm::{
    catalogue::{Catalogue, Owned},
    layout::{Layout, LayoutError},
};
use farmops_protocol::digest::sha256;
use libfuzzer_sys::fuzz_target;

const LEVEL: u64 = 9;

static OWNED: LazyLock<Vec<Owned>> = LazyLock::new(|| {
    let items = Catalogue::builtin().items().iter();
    items
        .map(|item| Owned {
            slug: item.slug.clone(),
            level: 1,
        })
        .collect()
});

fuzz_target!(
    // The layout catches what panics inside of Automerge; only what gets out is a fault.
    init: std::panic::set_hook(Box::new(|_| ())),
    |input: &[u8]| {
        let Some((kind, body)) = input.split_first() else {
            return;
        };
        let sent = if *kind < 3 {
            chunk(*kind, body)
        } else {
            body.to_vec()
        };
        let mut layout = Layout::new([1; 16]);
        let before = layout.save();
        match layout.merge(&sent) {
            Err(LayoutError::TooLarge | LayoutError::Malformed | LayoutError::MissingChanges) => {
                assert!(layout.save() == before, "a refusal leaves no trace");
            }
            Ok(_) => {
                let view = layout.view(&OWNED, LEVEL);
                assert!(view.placed().iter().all(|placed| {
                    placed.cell.x < view.side() && placed.cell.y < view.side()
                }));
                let saved = layout.save();
                let again = Layout::load(&saved, [2; 16]);
                let again = again.expect("what was taken in is read again");
                assert!(again.view(&OWNED, LEVEL) == view, "and is the same");
            }
        }
    }
);

/// A chunk of Automerge's format around `body`.
fn chunk(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut hashed = vec![kind];
    let mut length = body.len();
    loop {
        let low = u8::try_from(length & 0x7f).expect("seven bits");
        length >>= 7;
        if length == 0 {
            hashed.push(low);
            break;
        }
        hashed.push(low | 0x80);
    }
    hashed.extend(body);
    let checksum = sha256(&hashed);
    [
        &[0x85, 0x6f, 0x4a, 0x83],
        &checksum.as_bytes()[..4],
        &hashed,
    ]
    .concat()
}
