//! Between columns and types.

use std::str::FromStr;

use farmops_federation::{Timestamp, store::StoreError};
use sqlx::Row;

use super::dialect::DbRow;

/// Failures on their way out of a trait's method.
pub(super) trait Out<T> {
    fn out(self) -> Result<T, StoreError>;
}

impl<T> Out<T> for sqlx::Result<T> {
    fn out(self) -> Result<T, StoreError> {
        self.map_err(StoreError::new)
    }
}

/// A column whose text has a typed form.
pub(super) fn parsed<T>(row: &DbRow, column: &str) -> sqlx::Result<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: String = row.try_get(column)?;
    text.parse().map_err(|e| decode(column, e))
}

/// As [`parsed`], for a column that may be empty.
pub(super) fn parsed_if_any<T>(row: &DbRow, column: &str) -> sqlx::Result<Option<T>>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: Option<String> = row.try_get(column)?;
    text.map(|text| text.parse().map_err(|e| decode(column, e)))
        .transpose()
}

pub(super) fn time(row: &DbRow, column: &str) -> sqlx::Result<Timestamp> {
    let second: i64 = row.try_get(column)?;
    Timestamp::from_second(second).ok_or_else(|| decode(column, OutOfRange))
}

pub(super) fn count(row: &DbRow, column: &str) -> sqlx::Result<u64> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|e| decode(column, e))
}

/// Positions are given by the database, from 1: they fit.
pub(super) fn position(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn decode(
    column: &str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: Box::new(source),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("outside the range")]
struct OutOfRange;
