//! The store on PostgreSQL: one writing connection that holds the database's claim, a pool of reading ones.

#[path = "sql/agents.rs"]
mod agents;
#[path = "sql/commit.rs"]
mod commit;
#[path = "sql/glance.rs"]
mod glance;
#[path = "sql/history.rs"]
mod history;
#[path = "sql/inspect.rs"]
mod inspect;
#[path = "sql/journal.rs"]
mod journal;
#[path = "sql/layout.rs"]
mod layout;
#[path = "sql/leagues.rs"]
mod leagues;
#[path = "sql/load.rs"]
mod load;
#[path = "sql/log.rs"]
mod log;
#[path = "sql/multi.rs"]
mod multi;
#[path = "sql/owner.rs"]
mod owner;
#[path = "sql/prune.rs"]
mod prune;
#[path = "sql/publications.rs"]
mod publications;
#[path = "sql/reads.rs"]
mod reads;
#[path = "sql/rebuild.rs"]
mod rebuild;
#[path = "sql/revocations.rs"]
mod revocations;
#[path = "sql/rows.rs"]
mod rows;
#[path = "sql/secrets.rs"]
mod secrets;
#[path = "sql/tables.rs"]
mod tables;
#[path = "sql/tokens.rs"]
mod tokens;
#[path = "sql/versions.rs"]
mod versions;

mod fitness;
mod snapshot;

use std::{
    str::FromStr as _,
    time::{Duration, Instant},
};

use farmops_federation_store::postgres::{self as federation, PostgresStore};
use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, PgPool, Postgres, Transaction,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use self::versions::any_outdated;
use super::{
    StoreError,
    versions::{OURS, newest},
};

pub(super) static TABLES: Migrator = sqlx::migrate!("migrations/postgres");

/// Reading connections, and those of the federation engine; each is a process of the server's.
const CONNECTIONS_MAX: u32 = 8;
/// How long a caller waits for one of them.
const PATIENCE: Duration = Duration::from_secs(10);
/// The key of the lock that the writing side holds; any number that nobody else uses.
const CLAIM: i64 = 0x6661_726d_6f70_7374;
/// How long the server may take to notice that the one who had the claim is gone: it ends what it was told
/// to do first.
const CLAIM_PATIENCE: Duration = Duration::from_secs(5);
const CLAIM_PAUSE: Duration = Duration::from_millis(100);

/// What the statements are compiled for.
mod dialect {
    pub(super) use farmops_federation_store::postgres::append_post;
    pub(super) use sqlx::{PgConnection as Conn, PgPool as Pool, postgres::PgRow as DbRow};
    use sqlx::{
        Postgres, Row as _, TypeInfo as _, ValueRef as _, postgres::PgArguments, query::Query,
    };
    use uuid::Uuid;

    pub(super) const HAS_TABLE: &str =
        "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1";

    pub(super) use super::{PostgresJournal as SqlJournal, PostgresReads as SqlReads};
    use crate::store::Cell;

    pub(super) fn placeholder(number: usize) -> String {
        format!("${number}")
    }

    pub(super) const COLUMNS: &str = "SELECT column_name::text AS name, data_type::text AS kind \
         FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1";
    pub(super) const OVERRIDING: &str = "OVERRIDING SYSTEM VALUE";
    pub(super) const COUNTERS: &str = "SELECT pg_sequence_last_value(\
         pg_get_serial_sequence(quote_ident(table_name), column_name)::regclass) AS last \
         FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 \
         AND is_identity = 'YES' AND pg_sequence_last_value(\
         pg_get_serial_sequence(quote_ident(table_name), column_name)::regclass) IS NOT NULL";
    pub(super) const SET_COUNTER: &[&str] = &["SELECT setval(\
         pg_get_serial_sequence(quote_ident(table_name), column_name), $2) \
         FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 \
         AND is_identity = 'YES'"];

    /// A value for a column of this kind, if it is one of them.
    pub(super) fn bind<'q>(query: Filling<'q>, kind: &str, cell: &'q Cell) -> Option<Filling<'q>> {
        Some(match (kind, cell) {
            ("bigint", Cell::Number(number)) => query.bind(number),
            ("bigint", Cell::Null) => query.bind(None::<i64>),
            ("boolean", Cell::Number(flag)) => query.bind(*flag != 0),
            ("boolean", Cell::Null) => query.bind(None::<bool>),
            ("text", Cell::Text(text)) => query.bind(text.as_str()),
            ("text", Cell::Null) => query.bind(None::<&str>),
            ("bytea", Cell::Bytes(bytes)) => query.bind(bytes.as_slice()),
            ("bytea", Cell::Null) => query.bind(None::<&[u8]>),
            ("uuid", Cell::Bytes(bytes)) => query.bind(Uuid::from_slice(bytes).ok()?),
            ("uuid", Cell::Null) => query.bind(None::<Uuid>),
            _ => return None,
        })
    }

    type Filling<'q> = Query<'q, Postgres, PgArguments>;

    /// The value in a column, as it is.
    pub(super) fn cell(row: &DbRow, at: usize) -> sqlx::Result<Cell> {
        let value = row.try_get_raw(at)?;
        if value.is_null() {
            return Ok(Cell::Null);
        }
        Ok(match value.type_info().name() {
            "TEXT" => Cell::Text(row.try_get(at)?),
            "BYTEA" => Cell::Bytes(row.try_get(at)?),
            "UUID" => Cell::Bytes(row.try_get::<Uuid, _>(at)?.into_bytes().to_vec()),
            "BOOL" => Cell::Number(row.try_get::<bool, _>(at)?.into()),
            _ => Cell::Number(row.try_get(at)?),
        })
    }
}

/// An open database of a server.
#[derive(Clone, Debug)]
pub struct PostgresDatabase {
    options: PgConnectOptions,
    reads: PgPool,
    /// The federation engine's: it writes, and sees what was written a moment ago.
    federation: PgPool,
}

/// The writing side. One process has it at a time: the server keeps a lock for its connection.
pub struct PostgresJournal {
    options: PgConnectOptions,
    conn: PgConnection,
    claims: bool,
}

/// The reading side.
#[derive(Clone, Debug)]
pub struct PostgresReads {
    pool: PgPool,
}

impl PostgresDatabase {
    /// Opens the database at `url` (`postgres://USER@HOST/NAME`), which is there already, and brings its
    /// tables to this version.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_as(url, &TABLES).await
    }

    pub(super) async fn open_as(url: &str, ours: &Migrator) -> Result<Self, StoreError> {
        let options = options(url)?;
        let mut conn = options.connect().await?;
        fitness::check(&mut conn).await?;
        let theirs = federation::migrator();
        let tables = [(ours, OURS), (&theirs, federation::VERSIONS)];
        if any_outdated(&mut conn, &tables).await? {
            snapshot::take(&mut conn, newest(ours).max(newest(&theirs))).await?;
        }
        conn.close().await?;
        let federation = pool(CONNECTIONS_MAX).connect_with(options.clone()).await?;
        ours.run(&federation).await?;
        federation::migrate(&federation).await?;
        Ok(Self {
            reads: pool(CONNECTIONS_MAX).connect_lazy_with(reading(&options)),
            federation,
            options,
        })
    }

    /// The reading side of an existing database that is left as it is: nothing is made or migrated.
    pub async fn inspect(url: &str) -> Result<PostgresReads, StoreError> {
        let pool = pool(1).connect_with(reading(&options(url)?)).await?;
        Ok(PostgresReads { pool })
    }

    /// As [`Self::inspect`], of the database as it is at the first question, whatever is written meanwhile.
    /// Only [`super::Inspect`] and single statements of it: it is one transaction already.
    pub async fn frozen(url: &str) -> Result<PostgresReads, StoreError> {
        // One connection for as long as it takes: another one would see another moment.
        let pool = pool(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(|conn, _| {
                Box::pin(async { sqlx::query("BEGIN").execute(conn).await.map(|_| ()) })
            })
            .connect_with(reading(&options(url)?))
            .await?;
        Ok(PostgresReads { pool })
    }

    /// The database at one moment, on one connection, in a transaction.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when it may have tables that this program does not know.
    pub(super) async fn one_moment(url: &str) -> Result<PgConnection, StoreError> {
        let mut conn = reading(&options(url)?).connect().await?;
        sqlx::query("BEGIN").execute(&mut conn).await?;
        any_outdated(
            &mut conn,
            &[
                (&TABLES, OURS),
                (&federation::migrator(), federation::VERSIONS),
            ],
        )
        .await?;
        Ok(conn)
    }

    /// Whether there is a farm in the database.
    pub async fn is_there(url: &str) -> Result<bool, StoreError> {
        let mut conn = options(url)?.connect().await?;
        let table = sqlx::query(dialect::HAS_TABLE)
            .bind("ledger")
            .fetch_optional(&mut conn)
            .await?;
        if table.is_none() {
            return Ok(false);
        }
        let entry = sqlx::query("SELECT 1 FROM ledger LIMIT 1")
            .fetch_optional(&mut conn)
            .await?;
        Ok(entry.is_some())
    }

    /// The writing side, on a connection of its own. Nobody else gets it until it is dropped, or the
    /// connection ends.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another one has it.
    pub async fn journal(&self) -> Result<PostgresJournal, StoreError> {
        PostgresJournal::open(self.options.clone(), true).await
    }

    #[cfg(test)]
    #[expect(clippy::unwrap_used, reason = "for tests")]
    pub(super) async fn stranger(&self) -> PostgresJournal {
        let options = self.options.clone();
        PostgresJournal::open(options, false).await.unwrap()
    }

    #[cfg(test)]
    #[expect(clippy::unwrap_used, reason = "for tests")]
    pub(super) async fn connect(&self) -> PgConnection {
        self.options.connect().await.unwrap()
    }

    /// Ends the connections.
    pub async fn close(&self) {
        self.reads.close().await;
        self.federation.close().await;
    }

    /// The federation engine's memory, in the same database.
    pub fn federation(&self) -> PostgresStore {
        PostgresStore::new(self.federation.clone())
    }

    /// The reading side.
    pub fn reads(&self) -> PostgresReads {
        PostgresReads {
            pool: self.reads.clone(),
        }
    }
}

impl PostgresJournal {
    async fn open(options: PgConnectOptions, claims: bool) -> Result<Self, StoreError> {
        let mut conn = options.connect().await?;
        let started = Instant::now();
        while claims && !claim(&mut conn).await? {
            if started.elapsed() > CLAIM_PATIENCE {
                return Err(StoreError::InUse);
            }
            tokio::time::sleep(CLAIM_PAUSE).await;
        }
        Ok(Self {
            options,
            conn,
            claims,
        })
    }

    /// Connects anew if the server has gone away meanwhile, and claims the database again.
    async fn ready(&mut self) -> Result<(), StoreError> {
        if self.conn.ping().await.is_err() {
            tracing::warn!("the database's server had gone away; connecting again");
            *self = Self::open(self.options.clone(), self.claims).await?;
        }
        Ok(())
    }

    /// A transaction that may write. Nobody else writes these tables, and whoever does finds another head.
    pub(super) async fn begin(&mut self) -> sqlx::Result<Transaction<'_, Postgres>> {
        self.conn.begin().await
    }
}

async fn claim(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
        .bind(CLAIM)
        .fetch_one(conn)
        .await
}

/// How we connect: what is committed is durable, and a peer that is gone is noticed within a minute.
fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::Url(super::database::shown(url)))?;
    Ok(options
        .application_name("farmops-tracker")
        .statement_cache_capacity(256)
        .options([
            ("synchronous_commit", "on"),
            ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "10min"),
            ("tcp_keepalives_idle", "30"),
            ("tcp_keepalives_interval", "10"),
            ("tcp_keepalives_count", "3"),
        ]))
}

/// Every transaction sees one moment, and none can write.
fn reading(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().options([
        ("default_transaction_read_only", "on"),
        ("default_transaction_isolation", "repeatable read"),
    ])
}

fn pool(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
}
