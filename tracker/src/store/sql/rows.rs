//! Between columns and types.

use std::str::FromStr;

use farmops_protocol::{digest::Digest, time::Timestamp};
use sqlx::Row;

use super::dialect::DbRow;
use crate::store::StoreError;

/// A number on its way in. Positions, counts and coins stay far below 2^63.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
pub(super) fn unreadable(column: &'static str, reason: impl ToString) -> StoreError {
    StoreError::Unreadable {
        column,
        reason: reason.to_string(),
    }
}

pub(super) fn count(row: &DbRow, column: &'static str) -> Result<u64, StoreError> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|e| unreadable(column, e))
}

pub(super) fn count_u32(row: &DbRow, column: &'static str) -> Result<u32, StoreError> {
    let value: i64 = row.try_get(column)?;
    u32::try_from(value).map_err(|e| unreadable(column, e))
}

pub(super) fn time(row: &DbRow, column: &'static str) -> Result<Timestamp, StoreError> {
    moment(row.try_get(column)?, column)
}

pub(super) fn time_if_any(
    row: &DbRow,
    column: &'static str,
) -> Result<Option<Timestamp>, StoreError> {
    let second: Option<i64> = row.try_get(column)?;
    second.map(|second| moment(second, column)).transpose()
}

fn moment(second: i64, column: &'static str) -> Result<Timestamp, StoreError> {
    Timestamp::from_second(second).ok_or_else(|| unreadable(column, "outside the years 0 to 9999"))
}

pub(super) fn digest(row: &DbRow, column: &'static str) -> Result<Digest, StoreError> {
    let bytes: &[u8] = row.try_get(column)?;
    let bytes = <[u8; 32]>::try_from(bytes).map_err(|e| unreadable(column, e))?;
    Ok(Digest::from_bytes(bytes))
}

/// Text that has a typed form.
pub(super) fn word<T>(row: &DbRow, column: &'static str) -> Result<T, StoreError>
where
    T: FromStr<Err: std::fmt::Display>,
{
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|e| unreadable(column, e))
}

/// Text that has a typed form, if there is any.
pub(super) fn word_if_any<T>(row: &DbRow, column: &'static str) -> Result<Option<T>, StoreError>
where
    T: FromStr<Err: std::fmt::Display>,
{
    let text: Option<&str> = row.try_get(column)?;
    text.map(|text| text.parse().map_err(|e| unreadable(column, e)))
        .transpose()
}

/// A flag, kept as 0 or 1.
pub(super) fn flag(row: &DbRow, column: &'static str) -> Result<bool, StoreError> {
    Ok(count(row, column)? != 0)
}

/// JSON that has a typed form, if there is any.
pub(super) fn json_if_any<T: serde::de::DeserializeOwned>(
    row: &DbRow,
    column: &'static str,
) -> Result<Option<T>, StoreError> {
    let text: Option<&str> = row.try_get(column)?;
    text.map(|text| json(text, column)).transpose()
}

/// JSON that has a typed form.
pub(super) fn json<T: serde::de::DeserializeOwned>(
    text: &str,
    column: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| unreadable(column, e))
}

/// JSON on its way in. Our rows hold text, flags and numbers, which always serialise.
pub(super) fn text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A word of an enum that serialises as one JSON string.
pub(super) fn tag<T: serde::Serialize>(value: &T) -> String {
    text(value).trim_matches('"').to_owned()
}

/// The enum of such a word.
pub(super) fn tagged<T: serde::de::DeserializeOwned>(
    row: &DbRow,
    column: &'static str,
) -> Result<T, StoreError> {
    let word: &str = row.try_get(column)?;
    serde_json::from_value(serde_json::Value::from(word)).map_err(|e| unreadable(column, e))
}
