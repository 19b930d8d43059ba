//! Paths of tiles: one spelling each, and no tile that a log could not have.

#![no_main]

use farmops_protocol::log::Tile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|path: &str| {
    if let Ok(tile) = path.parse::<Tile>() {
        assert_eq!(tile.to_string(), path);
        assert_eq!(tile.nodes().count(), usize::from(tile.width()));
        assert!(
            tile.nodes()
                .all(|node| tile.entries().contains(&node.first()))
        );
    }
});
