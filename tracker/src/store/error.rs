//! Why the store fails.

use farmops_ledger::EventError;

use super::Place;

/// The database failed, or holds what this version cannot read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said no.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The tables could not be brought to this version.
    #[error("the tables could not be brought to this version")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A later program has been at work on the tables.
    #[error(
        "the database is of version {found}, which this program does not know (it knows up to {known}); \
         run a newer farmops-tracker, or restore a backup from before"
    )]
    Newer {
        /// The newest version it has seen.
        found: i64,
        /// The newest version that we know.
        known: i64,
    },
    /// Two databases that are of different versions.
    #[error(
        "the table `{0}` is not the same in both; start this version's tracker on the older one first"
    )]
    OtherTables(String),
    /// A database that was to be filled has something in it.
    #[error("the table `{0}` holds something already; nothing is overwritten")]
    Occupied(String),
    /// The server cannot keep a ledger.
    #[error("the database cannot be used: {0}")]
    Unfit(String),
    /// A row does not hold what it should.
    #[error("the column `{column}` holds something unreadable: {reason}")]
    Unreadable {
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The log has another head than the batch grows from: someone else writes too.
    #[error("the ledger has grown behind this writer's back")]
    OtherHead,
    /// A head is no head of this log, or not durable yet.
    #[error("the head of {0} entries is none of this log's")]
    NotOurs(u64),
    /// What an entry says is archived, and the archive is not there.
    #[error("what entry {0} says is archived")]
    Archived(u64),
    /// The ledger is not what was logged.
    #[error("{0}")]
    Damaged(String),
    /// The ledger has a gap.
    #[error("the ledger has no entry {0}")]
    Gap(u64),
    /// A ledger line does not parse.
    #[error(transparent)]
    Event(#[from] EventError),
    /// Another process works on it.
    #[error("a tracker is running on this database; stop it first")]
    InUse,
    /// The file is where a database loses data.
    #[error(transparent)]
    Storage(#[from] farmops_service::storage_guard::StorageError),
    /// The database's file cannot be used.
    #[error("the database's file cannot be used")]
    File(#[from] std::io::Error),
    /// The database's URL is none we know.
    #[error("`{0}` is no database URL; expected sqlite://PATH or postgres://USER@HOST/NAME")]
    Url(String),
}

impl StoreError {
    /// Whether the database is well and a row does not fit what it holds.
    pub fn is_misfit(&self) -> bool {
        use sqlx::error::ErrorKind;
        match self {
            Self::Database(sqlx::Error::Database(error)) => matches!(
                error.kind(),
                ErrorKind::UniqueViolation
                    | ErrorKind::ForeignKeyViolation
                    | ErrorKind::NotNullViolation
                    | ErrorKind::CheckViolation
            ),
            _ => false,
        }
    }

    /// Whether what the database holds is not what was written, so that `fsck` and a backup have to help.
    pub fn is_damage(&self) -> bool {
        /// SQLite's and PostgreSQL's codes for pages that make no sense.
        const BROKEN: [&str; 5] = ["11", "26", "267", "XX001", "XX002"];
        match self {
            Self::Damaged(_) | Self::Gap(_) | Self::Event(_) => true,
            Self::Database(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| BROKEN.contains(&&*code))
            }
            other => other.is_unreadable(),
        }
    }

    /// What a person is told before the error itself, of the database at `place`.
    pub fn told_of(self, place: &Place) -> anyhow::Error {
        let advice = if self.is_damage() {
            format!(
                "the database {place} is damaged; `farmops-tracker fsck` says where, and `farmops-tracker restore` \
                 makes a new one of a backup"
            )
        } else {
            format!("opening {place}")
        };
        anyhow::Error::new(self).context(advice)
    }

    /// Whether a row is at fault, and not the database.
    pub fn is_unreadable(&self) -> bool {
        matches!(
            self,
            Self::Unreadable { .. } | Self::Database(sqlx::Error::ColumnDecode { .. })
        )
    }
}
