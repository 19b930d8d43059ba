//! Chance that is the same everywhere: a hash of the farm's name and of a place.

/// The number that stands for a name (FNV-1a, 64 bits).
pub(crate) fn seed(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A number from 0 to `bound - 1` for the place `index` of a farm (`SplitMix64`).
pub(crate) fn roll(seed: u64, index: u64, bound: i32) -> i32 {
    let mut z = seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    let bound = u64::try_from(bound.max(1)).unwrap_or(1);
    // The remainder is below an i32's bound.
    i32::try_from(z % bound).unwrap_or(0)
}
