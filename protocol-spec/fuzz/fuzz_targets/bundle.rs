//! Entry bundles: the first two bytes say how many entries there should be.

#![no_main]

use farmops_protocol::log::{Layer, Tile, bundle};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((width, contents)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    let Ok(tile) = Tile::new(Layer::Entries, 0, u16::from_be_bytes(*width)) else {
        return;
    };
    if let Ok(entries) = bundle::parse(&tile, contents) {
        assert_eq!(bundle::write(&entries), contents);
        assert_eq!(bundle::leaves(&entries).len(), entries.len());
    }
});
