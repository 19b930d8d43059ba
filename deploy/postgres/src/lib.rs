//! A PostgreSQL of the tests' own.
//!
//! In scope: a cluster made in a temporary folder by the machine's `initdb`, reachable by a Unix socket in
//! that folder and nowhere else, and gone when the process that asked for it is, however it ended.
//!
//! Out of scope: production, and SQL: databases are made by PostgreSQL's own programs.
//!
//! [`database`] is what most tests want: a fresh database in a cluster that the whole test process shares.
//! [`Server`] is a cluster of a test's own, which it may kill.
//!
//! A machine without PostgreSQL fails these tests; `deploy/need postgres` installs it.

mod programs;
mod server;

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

pub use self::server::{Error, Server};

static SHARED: LazyLock<Result<Server, Error>> = LazyLock::new(Server::start);
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The URL of a new, empty database in the cluster of this process.
///
/// # Errors
/// See [`Error`]; all of them are for a test to panic with.
pub fn database() -> Result<String, &'static Error> {
    let server = SHARED.as_ref()?;
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    match server.create(&name) {
        Ok(url) => Ok(url),
        // It lives as long as the failing test: not worth a second type.
        Err(error) => Err(Box::leak(Box::new(error))),
    }
}
