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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sqlx::{
        AssertSqlSafe, SqlSafeStr as _,
        migrate::{Migration, MigrationType},
    };

    use super::*;
    use crate::store::{Database, Place, Secrets, postgres, sqlite, tests::fresh};

    /// Opens the database as a program would whose newest version is `version`.
    async fn open_as(url: &str, version: i64) -> Result<Database, StoreError> {
        let place = Place::of(url)?;
        let ours = match &place {
            Place::File(_) => &sqlite::TABLES,
            Place::Server(_) => &postgres::TABLES,
        };
        let mut migrations: Vec<Migration> = ours.iter().cloned().collect();
        let last = newest(ours);
        for later in last + 1..=last + version {
            migrations.push(Migration::new(
                later,
                "later".into(),
                MigrationType::Simple,
                AssertSqlSafe(format!("ALTER TABLE secret ADD COLUMN later_{later} TEXT"))
                    .into_sql_str(),
                false,
            ));
        }
        let migrator = Migrator::with_migrations(migrations);
        Ok(match place {
            Place::File(path) => {
                Database::Sqlite(sqlite::SqliteDatabase::open_as(&path, &migrator).await?)
            }
            Place::Server(_) => {
                Database::Postgres(postgres::PostgresDatabase::open_as(url, &migrator).await?)
            }
        })
    }

    #[tokio::test]
    async fn what_was_there_is_copied_before_it_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(folder.path());
        let database = open_as(&url, 0).await.unwrap();
        let made = Secrets::generate(&mut rand::rng());
        let mut journal = database.journal().await.unwrap();
        journal.secrets(&made).await.unwrap();
        assert_eq!(
            database.snapshots().await,
            Vec::<String>::new(),
            "nothing was there"
        );
        drop((journal, database));
        for version in 0..=5 {
            let database = open_as(&url, version).await.unwrap();
            let kept = usize::try_from(version).unwrap().min(SNAPSHOTS_KEPT.into());
            assert_eq!(database.snapshots().await.len(), kept, "{version}");
        }
        // Each copy is of what was there before, and nothing is lost.
        let database = open_as(&url, 5).await.unwrap();
        let kept = database.reads().secrets().await.unwrap().unwrap();
        assert_eq!(kept.public_key(), made.public_key());
        for copy in database.snapshots().await {
            assert_eq!(database.keys_in(&copy).await, 2, "{copy}");
        }
    }

    #[tokio::test]
    async fn a_later_programs_database_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(folder.path());
        drop(open_as(&url, 2).await.unwrap());
        let refused = open_as(&url, 0).await.unwrap_err();
        let (found, known) = match &refused {
            StoreError::Newer { found, known } => (*found, *known),
            other => panic!("{other}"),
        };
        assert_eq!(found, known + 2);
        assert!(refused.to_string().contains("newer farmops-tracker"));
        open_as(&url, 2).await.unwrap();
    }
}
