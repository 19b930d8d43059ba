//! Buying: once, and never more than there is.

use farmops_farm::{
    catalogue::Catalogue,
    level::level,
    shop::{self, Customer},
};
use farmops_ledger::{Event, ItemPurchased};
use farmops_protocol::{digest::Digest, time::Timestamp};

use super::{refusal::Refusal, state::State};

/// Who stands at the counter of this farm's shop.
pub fn customer(state: &State, now: Timestamp) -> Customer<'_> {
    Customer {
        owned: &state.upgrades,
        farm_level: level(state.coins.earned),
        balance: state.coins.current(),
        season: shop::season_at(now),
    }
}

/// Decides to buy the next level of `item`. The same key with the same item has happened before and
/// changes nothing; with another one it is refused.
pub fn decide_purchase(
    state: &State,
    idempotency_key: Digest,
    item: &str,
    now: Timestamp,
) -> Result<Option<Event>, Refusal> {
    let before = state
        .purchases
        .iter()
        .find(|purchase| purchase.idempotency_key == idempotency_key);
    if let Some(before) = before {
        return if before.item == item {
            Ok(None)
        } else {
            Err(Refusal::KeyReused(before.item.clone()))
        };
    }
    let purchase = shop::decide(Catalogue::builtin(), &customer(state, now), item)?;
    let catalogued = Catalogue::builtin().item(&purchase.item);
    Ok(Some(Event::ItemPurchased(ItemPurchased {
        idempotency_key,
        boosts_bp: catalogued.map(|item| item.boosts_bp.clone()),
        item: purchase.item,
        level: purchase.level,
        price: purchase.price,
    })))
}
