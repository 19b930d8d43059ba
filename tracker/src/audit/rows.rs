//! Comparing a table with what a fresh fold writes into it.

use std::collections::BTreeMap;

use farmops_protocol::log::{Layer, Tile, bundle};
use futures::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};

use super::{Remedy, Report};
use crate::store::{Cell, Inspect, Projection, RawRow, StoreError};

type Rows<'a> = BoxStream<'a, Result<RawRow, StoreError>>;

/// Reports every row of `found` that `expected` does not have, and the other way round.
pub(super) async fn compare(
    projection: &Projection,
    expected: &dyn Inspect,
    found: &dyn Inspect,
    report: &mut Report,
) -> Result<(), StoreError> {
    let mut expected = in_order(projection, expected).await?;
    let mut found = in_order(projection, found).await?;
    let (mut left, mut right) = (expected.try_next().await?, found.try_next().await?);
    loop {
        let order = match (&left, &right) {
            (None, None) => return Ok(()),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(left), Some(right)) => key(projection, left).cmp(&key(projection, right)),
        };
        report.rows += 1;
        match order {
            std::cmp::Ordering::Less => {
                if let Some(row) = &left {
                    say(projection, row, "is missing", report);
                }
            }
            std::cmp::Ordering::Greater => {
                if let Some(row) = &right {
                    say(projection, row, "should not be there", report);
                }
            }
            std::cmp::Ordering::Equal => {
                if let (Some(left), Some(right)) = (&left, &right)
                    && left != right
                {
                    differs(projection, left, right, report);
                }
            }
        }
        if order.is_le() {
            left = expected.try_next().await?;
        }
        if order.is_ge() {
            right = found.try_next().await?;
        }
    }
}

async fn in_order<'a>(
    projection: &Projection,
    database: &'a dyn Inspect,
) -> Result<Rows<'a>, StoreError> {
    if projection.numbered {
        return Ok(database.rows(projection.table, projection.key));
    }
    let mut rows: Vec<RawRow> = database.rows(projection.table, &[]).try_collect().await?;
    rows.sort_by(|a, b| key(projection, a).cmp(&key(projection, b)));
    Ok(stream::iter(rows.into_iter().map(Ok)).boxed())
}

fn key<'a>(projection: &Projection, row: &'a RawRow) -> Vec<Option<&'a Cell>> {
    projection
        .key
        .iter()
        .map(|column| row.get(*column))
        .collect()
}

fn differs(projection: &Projection, expected: &RawRow, found: &RawRow, report: &mut Report) {
    let columns: BTreeMap<_, _> = expected
        .iter()
        .filter(|(column, cell)| found.get(*column) != Some(cell))
        .collect();
    let names: Vec<_> = columns.keys().map(|column| column.as_str()).collect();
    let reason = if names.is_empty() {
        "has a column too many".to_owned()
    } else {
        format!("differs in {}", names.join(", "))
    };
    let position = bundled(projection, expected, found).unwrap_or_else(|| position(expected));
    find(projection, expected, position, &reason, report);
}

fn say(projection: &Projection, row: &RawRow, reason: &str, report: &mut Report) {
    find(projection, row, position(row), reason, report);
}

fn find(projection: &Projection, row: &RawRow, position: u64, reason: &str, report: &mut Report) {
    let key: Vec<_> = projection
        .key
        .iter()
        .map(|column| {
            format!(
                "{column} {}",
                row.get(*column).map_or_else(String::new, shown)
            )
        })
        .collect();
    let reason = format!("the row with {} {reason}", key.join(", "));
    report.find(position, projection.table, reason, Remedy::Rebuild);
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Null => "null".to_owned(),
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Bytes(bytes) => hex::encode(bytes),
    }
}

/// The ledger position that a row is about; 0 if it is about no single one.
fn position(row: &RawRow) -> u64 {
    match row.get("position") {
        Some(Cell::Number(position)) => u64::try_from(*position).unwrap_or(0),
        _ => 0,
    }
}

/// The position of the first entry in which two full bundles differ.
fn bundled(projection: &Projection, expected: &RawRow, found: &RawRow) -> Option<u64> {
    let (Some(Cell::Number(-1)), Some(Cell::Number(index))) =
        (expected.get("level"), expected.get("idx"))
    else {
        return None;
    };
    let index = u64::try_from(*index)
        .ok()
        .filter(|_| projection.table == "tile")?;
    let tile = Tile::new(Layer::Entries, index, farmops_protocol::log::TILE_WIDTH).ok()?;
    let entries = |row: &RawRow| match row.get("body") {
        Some(Cell::Bytes(body)) => bundle::parse(&tile, body).ok(),
        _ => None,
    };
    let (expected, found) = (entries(expected)?, entries(found)?);
    let at = expected.iter().zip(&found).position(|(a, b)| a != b)?;
    Some(index * 256 + at as u64 + 1)
}
