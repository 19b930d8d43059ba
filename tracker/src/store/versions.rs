//! Which versions of the tables a database has, and which this program knows.

use std::collections::BTreeSet;

use sqlx::migrate::Migrator;

use super::StoreError;

/// Copies kept of what was there before a migration.
pub(super) const SNAPSHOTS_KEPT: u8 = 3;
/// Where the tracker's own tables keep their list of migrations.
pub(super) const OURS: &str = "_sqlx_migrations";

/// The newest version that a program with these migrations knows.
pub(super) fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|m| m.version).max().unwrap_or(0)
}

/// Whether tables that hold something are to be changed, if these migrations were applied.
///
/// # Errors
/// [`StoreError::Newer`] when a later program has been at work on them.
pub(super) fn outdated(applied: &BTreeSet<i64>, migrator: &Migrator) -> Result<bool, StoreError> {
    let ours: BTreeSet<i64> = migrator.iter().map(|m| m.version).collect();
    if let Some(unknown) = applied.difference(&ours).max() {
        return Err(StoreError::Newer {
            found: *unknown,
            known: newest(migrator),
        });
    }
    Ok(!applied.is_empty() && !ours.is_subset(applied))
}
