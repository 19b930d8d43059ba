//! Tests of the shop: each reason not to sell, and what holds for every customer.

#![allow(clippy::unwrap_used)]

use proptest::{collection::vec, prelude::*};

use super::*;

fn owned(slug: &str, level: u64) -> Owned {
    Owned {
        slug: slug.to_owned(),
        level,
    }
}

fn ask(slug: &str, customer: &Customer<'_>) -> Result<Purchase, (&'static str, String)> {
    decide(Catalogue::builtin(), customer, slug).map_err(|no| (no.code(), no.to_string()))
}

#[test]
fn each_reason_has_a_code_and_a_sentence() {
    let barn = [owned("barn", 3)];
    let rich = Customer {
        owned: &barn,
        farm_level: 20,
        balance: 100_000,
        season: Season::Summer,
    };
    let no = |customer: &Customer<'_>, slug: &str| ask(slug, customer).unwrap_err();
    assert_eq!(
        no(&rich, "space-lift"),
        (
            "unknown-item",
            "The shop does not sell \"space-lift\".".to_owned()
        )
    );
    assert_eq!(
        no(&rich, "barn"),
        (
            "highest-level",
            "Barn has reached its highest level, 3.".to_owned()
        )
    );
    let young = Customer {
        farm_level: 1,
        ..rich
    };
    assert_eq!(
        no(&young, "silo"),
        (
            "farm-level",
            "Silo is sold from farm level 4; this farm is at level 1.".to_owned()
        )
    );
    assert_eq!(
        no(&rich, "windmill"),
        (
            "prerequisites",
            "Windmill needs these first: Well.".to_owned()
        )
    );
    assert_eq!(
        no(&rich, "maypole"),
        (
            "out-of-season",
            "Maypole is sold in spring; it is summer now.".to_owned()
        )
    );
    let price = Catalogue::builtin()
        .item("silo")
        .unwrap()
        .price_after(0)
        .unwrap();
    let poor = Customer {
        balance: price - 1,
        ..rich
    };
    assert_eq!(
        no(&poor, "silo"),
        (
            "too-few-coins",
            format!("Silo costs {price} coins: 1 more is needed.")
        )
    );
}

#[test]
fn the_last_coin_buys() {
    let price = Catalogue::builtin().item("fence").unwrap().prices[1];
    let fence = [owned("fence", 1)];
    let customer = Customer {
        owned: &fence,
        farm_level: 1,
        balance: price,
        season: Season::Winter,
    };
    assert_eq!(
        ask("fence", &customer),
        Ok(Purchase {
            item: "fence".to_owned(),
            level: 2,
            price
        })
    );
}

fn any_owned() -> impl Strategy<Value = Vec<Owned>> {
    let slugs: Vec<String> = Catalogue::builtin()
        .items()
        .iter()
        .map(|i| i.slug.clone())
        .collect();
    vec(
        (
            prop::sample::select(slugs),
            prop_oneof![0..5_u64, any::<u64>()],
        )
            .prop_map(|(slug, level)| Owned { slug, level }),
        0..30,
    )
}

proptest! {
    #[test]
    fn offers_agree_with_decisions_and_nobody_overdraws(
        have in any_owned(),
        farm_level in 0..25_u64,
        balance in 0..5_000_u64,
        season in prop::sample::select(&Season::ALL[..]),
    ) {
        let catalogue = Catalogue::builtin();
        let customer = Customer { owned: &have, farm_level, balance, season };
        let offers = offers(catalogue, &customer);
        prop_assert_eq!(offers.len(), catalogue.items().len());
        for offer in offers {
            prop_assert_eq!(&offer.decision, &decide(catalogue, &customer, &offer.item.slug));
            if let Ok(purchase) = offer.decision {
                prop_assert!(purchase.price <= balance);
                prop_assert_eq!(Some(purchase.price), offer.price);
                prop_assert_eq!(purchase.level, offer.owned_level + 1);
                prop_assert!(purchase.level <= offer.item.level_max());
                prop_assert!(farm_level >= offer.item.farm_level);
            }
        }
    }
}
