//! Laws of scoring: more of anything good is never worth less, and the product is exact.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn any_input() -> impl Strategy<Value = ScoreInput> {
    (
        prop::sample::select(Category::ALL),
        prop::sample::select(Complexity::ALL),
        any::<bool>(),
        1..=10_u8,
        0..20_u32,
        0..10_u32,
        0..=FACTOR_BP_MAX,
        0..5_000_u64,
    )
        .prop_map(
            |(
                category,
                complexity,
                earns,
                impact_radius,
                like_this_hour,
                streak_days,
                upgrade_bp,
                coins_today,
            )| {
                ScoreInput {
                    category,
                    complexity,
                    earns,
                    impact_radius,
                    like_this_hour,
                    streak_days,
                    upgrade_bp,
                    coins_today,
                }
            },
        )
}

proptest! {
    #[test]
    fn more_is_never_worth_less(input in any_input()) {
        let rules = RuleSet::default();
        let coins = |input: ScoreInput| rules.score(&input).coins;
        let now = coins(input);
        let better = [
            ScoreInput { complexity: Complexity::High, ..input },
            ScoreInput { streak_days: input.streak_days + 1, ..input },
            ScoreInput { upgrade_bp: input.upgrade_bp + 1, ..input },
            ScoreInput { impact_radius: (input.impact_radius + 1).min(10), ..input },
        ];
        for more in better {
            prop_assert!(coins(more) >= now, "{:?}", more);
        }
        let again = ScoreInput { like_this_hour: input.like_this_hour + 1, ..input };
        prop_assert!(coins(again) <= now);
        let failed = ScoreInput { earns: false, ..input };
        prop_assert_eq!(coins(failed), 0);
    }

    #[test]
    fn the_coins_are_the_rounded_product_of_the_stated_factors(input in any_input()) {
        let score = RuleSet::default().score(&input);
        let factors = [score.complexity_bp, score.impact_bp, score.streak_bp, score.upgrade_bp, score.repetition_bp];
        // Twice the remainder against the divisor, instead of adding half of it.
        let one = 10_000_u128.pow(5);
        let product = factors.iter().fold(u128::from(score.base_coins), |p, &f| p * u128::from(f));
        let up = u128::from(2 * (product % one) >= one);
        prop_assert_eq!(u128::from(score.coins), product / one + up);
    }

    #[test]
    fn the_short_way_and_the_long_one_give_the_same_product(
        base in 0..=1_000_000_u32,
        factors in prop::array::uniform5(prop_oneof![Just(ONE_BP), 0..=FACTOR_BP_MAX]),
    ) {
        let one = 10_000_u128.pow(5);
        let product = factors.iter().fold(u128::from(base), |p, &f| p * u128::from(f));
        let up = u128::from(2 * (product % one) >= one);
        prop_assert_eq!(u128::from(rounded_product(base, &factors)), product / one + up);
    }

    #[test]
    fn no_cap_is_ever_passed(
        input in any_input(),
        per_proof in prop::option::of(0..100_u32),
        per_day in prop::option::of(0..5_000_u32),
    ) {
        let free = RuleSet::default();
        let capped = RuleSet { caps: Caps { per_proof, per_day }, ..free.clone() };
        let score = capped.score(&input);
        prop_assert_eq!(score.coins + score.capped, free.score(&input).coins);
        prop_assert!(per_proof.is_none_or(|cap| score.coins <= u64::from(cap)));
        if let Some(cap) = per_day.map(u64::from) {
            prop_assert!(score.coins == 0 || score.coins + input.coins_today <= cap);
        }
        // A cap takes no more than it has to.
        let tight = per_proof.map(u64::from) == Some(score.coins)
            || per_day.is_some_and(|cap| u64::from(cap) <= score.coins + input.coins_today);
        prop_assert!(score.capped == 0 || tight);
    }

    #[test]
    fn a_rule_set_survives_the_wire(toil in 0..=1_000_000_u32, days in prop::collection::vec(0..=FACTOR_BP_MAX, 1..=366)) {
        let mut rules = RuleSet { streak_bp: days, ..RuleSet::default() };
        rules.base_coins.toil = toil;
        let bytes = canonical::to_vec(&rules).unwrap();
        let read = RuleSet::parse(&bytes).unwrap();
        prop_assert_eq!(read.digest(), sha256(&bytes));
        prop_assert_eq!(read, rules);
    }
}
