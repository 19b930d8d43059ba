//! The farm's level: how much has been earned over its whole life, whether spent or not.

/// Coins earned in all at which each of the first levels starts: level 1 at 0, level 2 at 100, …
///
/// The steps grow from a day's work to about two weeks' work, so that a new farm changes soon and a
/// grown one keeps a goal in sight.
const STARTS_AT: [u64; 20] = [
    0, 100, 250, 500, 900, 1_500, 2_400, 3_700, 5_500, 8_000, 11_500, 16_000, 22_000, 30_000,
    40_000, 52_000, 67_000, 85_000, 106_000, 130_000,
];

/// Coins per level after the last one of the table.
const LATER_STEP: u64 = 30_000;

/// The level of a farm that has earned `lifetime_coins`: 1 or more.
pub fn level(lifetime_coins: u64) -> u64 {
    let last = STARTS_AT[STARTS_AT.len() - 1];
    let listed = STARTS_AT.partition_point(|start| *start <= lifetime_coins) as u64;
    listed + lifetime_coins.saturating_sub(last) / LATER_STEP
}

/// The lifetime coins at which the level after `level` starts.
pub fn next_level_at(level: u64) -> u64 {
    let listed = usize::try_from(level)
        .ok()
        .and_then(|next| STARTS_AT.get(next).copied());
    listed.unwrap_or_else(|| {
        let beyond = level.saturating_sub(STARTS_AT.len() as u64 - 1);
        STARTS_AT[STARTS_AT.len() - 1].saturating_add(beyond.saturating_mul(LATER_STEP))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn levels_start_where_the_table_says() {
        let cases = [
            (0, 1),
            (99, 1),
            (100, 2),
            (8_000, 10),
            (129_999, 19),
            (130_000, 20),
            (159_999, 20),
            (160_000, 21),
        ];
        for (coins, expected) in cases {
            assert_eq!(level(coins), expected, "{coins} coins");
        }
        assert_eq!(next_level_at(1), 100);
        assert_eq!(next_level_at(19), 130_000);
        assert_eq!(next_level_at(20), 160_000);
        assert_eq!(next_level_at(u64::MAX), u64::MAX);
    }

    proptest! {
        #[test]
        fn the_next_level_starts_exactly_there(coins in 0_u64..10_000_000) {
            let now = level(coins);
            let next = next_level_at(now);
            prop_assert!(next > coins);
            prop_assert_eq!(level(next), now + 1);
            prop_assert_eq!(level(next - 1), now);
        }
    }
}
