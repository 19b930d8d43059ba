//! The coins over time: drawn, and as a table.

use std::collections::BTreeMap;

use askama::Template;
use axum::{extract::State, response::Response};
use farmops_service::problem::{Problem, Query};
use jiff::{ToSpan as _, civil::Date};
use serde::Deserialize;

use super::{
    chart::{Chart, HEIGHT, WIDTH, chart},
    filters,
    frame::{Frame, Owner},
    framed,
    when::day,
};
use crate::{
    app::App,
    http::{
        coins::{DailyCoins, daily},
        farm::{Seen, Wanted},
    },
};

/// The spans that can be looked at, in days.
const SPANS: [(u16, &str); 3] = [(30, "30 days"), (90, "90 days"), (366, "A year")];

#[derive(Deserialize)]
pub(in crate::http) struct Span {
    days: Option<u16>,
}

#[derive(Template)]
#[template(path = "coins.html")]
struct CoinsPage {
    frame: Frame,
    earned: u64,
    spent: u64,
    balance: u64,
    debt: u64,
    span: u16,
    chart: Option<Chart>,
    /// The first and the last day that are drawn.
    ends: (String, String),
    /// The days on which coins came or went, the latest first.
    rows: Vec<Row>,
}

struct Row {
    iso: Date,
    day: String,
    earned: u64,
    spent: u64,
    balance: u64,
}

/// Shows the coins.
pub(in crate::http) async fn show(
    State(app): State<App>,
    owner: Owner,
    Query(span): Query<Span>,
) -> Result<Response, Response> {
    gather(&app, owner, &span)
        .await
        .map_err(axum::response::IntoResponse::into_response)
}

async fn gather(app: &App, owner: Owner, span: &Span) -> Result<Response, Problem> {
    let seen = Seen::with_days(app, &Wanted::default()).await?;
    let wanted = SPANS.iter().map(|(days, _)| *days);
    let span = wanted
        .rev()
        .find(|days| span.days == Some(*days))
        .unwrap_or(90);
    let today = seen.farm.profile.schedule.day(app.now());
    let first = today.saturating_sub(i64::from(span - 1).days());
    let days = daily(&seen)?;
    let founded = seen.farm.profile.schedule.day(seen.farm.created_at);
    let earliest = days.first().map_or(founded, |day| day.day.min(founded));
    let first = first.max(earliest);
    let line = balances(&days, first, today);
    let rows = days
        .iter()
        .rev()
        .filter(|coins| coins.day >= first)
        .map(|coins| Row {
            iso: coins.day,
            day: day(coins.day),
            earned: coins.earned,
            spent: coins.spent,
            balance: coins.balance,
        });
    let page = CoinsPage {
        earned: seen.farm.coins.earned,
        spent: seen.farm.coins.spent,
        balance: seen.farm.coins.current(),
        debt: seen.farm.coins.owed(),
        span,
        chart: chart(&line).filter(|_| !days.is_empty()),
        ends: (day(first), day(today)),
        rows: rows.collect(),
        frame: owner.frame(&seen.farm, "/coins", None),
    };
    framed(app, &page.frame, &page)
}

/// What was left at the end of each day from `first` to `last`.
fn balances(days: &[DailyCoins], first: Date, last: Date) -> Vec<u64> {
    let ends: BTreeMap<Date, u64> = days.iter().map(|day| (day.day, day.balance)).collect();
    let mut left = ends.range(..first).next_back().map_or(0, |(_, left)| *left);
    let every = first.series(1.day()).take_while(|day| *day <= last);
    every
        .map(|day| {
            left = ends.get(&day).copied().unwrap_or(left);
            left
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_without_coins_keeps_what_was_left() {
        let day = |n| jiff::civil::date(2026, 2, n);
        let coins = |n, balance| DailyCoins {
            day: day(n),
            earned: 0,
            spent: 0,
            balance,
        };
        let days = [coins(1, 10), coins(3, 30), coins(5, 20)];
        assert_eq!(balances(&days, day(2), day(6)), [10, 30, 30, 20, 20]);
    }
}
