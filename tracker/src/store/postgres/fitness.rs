//! What a server has to be for a ledger to be kept in it.

use sqlx::{PgConnection, Row as _};

use crate::store::StoreError;

/// The oldest major version that still gets fixes as this is written.
/// Source: <https://www.postgresql.org/support/versioning/>.
const MAJOR_MIN: i32 = 14;

/// # Errors
/// [`StoreError::Unfit`] with what to change.
pub(super) async fn check(conn: &mut PgConnection) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT current_setting('server_version_num')::int4 / 10000 AS major, \
         current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync, \
         pg_is_in_recovery() AS standby",
    )
    .fetch_one(conn)
    .await?;
    let (major, encoding): (i32, String) = (row.try_get("major")?, row.try_get("encoding")?);
    if major < MAJOR_MIN {
        return Err(StoreError::Unfit(format!(
            "it is PostgreSQL {major}; use {MAJOR_MIN} or later"
        )));
    }
    if encoding != "UTF8" {
        return Err(StoreError::Unfit(format!(
            "its encoding is {encoding}; make one with `createdb --encoding=UTF8 --template=template0`"
        )));
    }
    if row.try_get("standby")? {
        return Err(StoreError::Unfit(
            "the server is a standby; name the primary".to_owned(),
        ));
    }
    if row.try_get::<&str, _>("fsync")? != "on" {
        tracing::warn!("the server runs with fsync = off: a power cut may lose accepted proofs");
    }
    Ok(())
}
