//! Published arrangements: what is read is written and read again alike, and its picture is drawn.

#![no_main]

use std::sync::LazyLock;

use farmops_farm::{
    arrangement::Arrangement,
    catalogue::{Catalogue, Owned},
};
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

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = Arrangement::from_json(bytes, &OWNED, LEVEL) {
        let again = Arrangement::from_json(&read.to_json(), &OWNED, LEVEL);
        assert!(again == Ok(read), "the same again");
    }
});
