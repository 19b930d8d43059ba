//! Looking into databases from outside, and a memory for the tests' trackers.

use std::path::Path;

use farmops_village::store::Store;
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

pub(crate) async fn open(file: &Path) -> Store {
    Store::open(&format!("sqlite://{}", file.display()))
        .await
        .unwrap()
}

/// How many of the activities that a tracker created were taken by the receiver.
pub(crate) async fn created_and_delivered(file: &Path) -> i64 {
    let created = "SELECT COUNT(*) AS n FROM fed_deliveries
                   WHERE state = 'delivered' AND activity LIKE '%/create-%'";
    count(file, created).await
}

/// How many announcements a village wrote.
pub(crate) async fn announcements(file: &Path) -> i64 {
    count(
        file,
        "SELECT COUNT(*) AS n FROM fed_posts WHERE id LIKE '%/announce-%'",
    )
    .await
}

async fn count(file: &Path, statement: &'static str) -> i64 {
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(statement)
        .fetch_one(&mut connection)
        .await
        .unwrap()
        .get("n")
}
