//! `/api/v1/farm/balance/history`: the coins, day by day.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use farmops_service::problem::{Problem, Query};
use http::HeaderMap;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    etag::tagged_json,
    farm::{Seen, Wanted},
};
use crate::app::App;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CoinHistory)]
struct History {
    days: Vec<DailyCoins>,
}

/// A day of the farmer on which coins came or went.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct DailyCoins {
    pub(super) day: Date,
    /// What the work of the day brought, less what was taken back since.
    pub(super) earned: u64,
    pub(super) spent: u64,
    /// What was left when the day was over.
    pub(super) balance: u64,
}

/// Shows what each day brought and cost and what was left, the earliest day first.
#[utoipa::path(
    get,
    path = "/api/v1/farm/balance/history",
    tag = "farm",
    params(Wanted, ("If-None-Match" = Option<String>, Header, description = "A tag that was answered before")),
    responses((status = 200, description = "Each day, the earliest first", body = History), (status = 304, description = "It is what `If-None-Match` names"), (status = 410, description = "That moment needs what is archived")),
)]
pub(super) async fn history(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let days = daily(&Seen::with_days(&app, &wanted).await?)?;
    tagged_json(&headers, &History { days })
}

/// What each day brought and cost and what was left, the earliest day first.
pub(super) fn daily(seen: &Seen) -> Result<Vec<DailyCoins>, Problem> {
    let mut coins = BTreeMap::<Date, (u64, u64)>::new();
    for (day, totals) in &seen.days {
        let day = day
            .parse()
            .map_err(|e: jiff::Error| Problem::internal(&e))?;
        coins.entry(day).or_default().0 += totals.coins;
    }
    // Older days are not shown, and neither is what was bought then.
    let first = coins.keys().next().copied().filter(|_| seen.cut);
    for purchase in &seen.purchases {
        let day = seen.farm.profile.schedule.day(purchase.purchased_at);
        if first.is_none_or(|first| day >= first) {
            coins.entry(day).or_default().1 += purchase.price;
        }
    }
    let (earned, spent) = (seen.farm.coins.earned, seen.farm.coins.spent);
    Ok(balances(coins, earned, spent))
}

/// The balance at the end of each day, from the totals at the end of the last one backwards.
fn balances(coins: BTreeMap<Date, (u64, u64)>, earned: u64, spent: u64) -> Vec<DailyCoins> {
    let (mut earned_so_far, mut spent_so_far) = (earned, spent);
    let mut days: Vec<_> = coins
        .into_iter()
        .rev()
        .map(|(day, (earned, spent))| {
            let balance = earned_so_far.saturating_sub(spent_so_far);
            earned_so_far = earned_so_far.saturating_sub(earned);
            spent_so_far = spent_so_far.saturating_sub(spent);
            DailyCoins {
                day,
                earned,
                spent,
                balance,
            }
        })
        .collect();
    days.reverse();
    days
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn balances_end_with_what_is_left_and_a_debt_is_nothing() {
        let day = |n| Date::new(2026, 2, n).unwrap();
        let coins = BTreeMap::from([(day(2), (50, 0)), (day(3), (0, 70)), (day(5), (30, 10))]);
        // 20 more were earned before the days that are shown.
        let shown: Vec<_> = balances(coins, 100, 80)
            .iter()
            .map(|day| (day.day.day(), day.balance))
            .collect();
        assert_eq!(shown, [(2, 70), (3, 0), (5, 20)]);
        let owing = BTreeMap::from([(day(2), (5, 0)), (day(3), (0, 70))]);
        assert_eq!(balances(owing, 5, 70)[1].balance, 0);
    }
}
