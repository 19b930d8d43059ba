//! A plugin that has failed costs nobody else anything, and one that is slow loses nothing.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;
use crate::store::Acceptance;
use crate::store::tests::{intake, meddle, now, reader};

const DEAD: &str = "a/b";
const WELL: &str = "c/d";

/// A store with room for ten observations, or so many bytes, and two plugins.
async fn open(folder: &Path, observations_bytes_max: i64) -> Store {
    let bounds = Bounds {
        observations_max: 10,
        observations_bytes_max,
        ..Bounds::default()
    };
    let store = Store::open(folder, bounds).await.unwrap();
    store.shares().set(both().into_iter().collect());
    store
}

fn both() -> Vec<String> {
    vec![DEAD.to_owned(), WELL.to_owned()]
}

async fn accept(store: &Store, texts: &[&str], plugins: &[String]) -> Acceptance {
    store.accept(&intake(texts), plugins, now()).await.unwrap()
}

/// Takes all that waits for `plugin`.
async fn take(store: &Store, plugin: &str) -> Vec<String> {
    let mut taken = Vec::new();
    while let Some(waiting) = store.next_for(plugin).await.unwrap() {
        taken.push(String::from_utf8(waiting.payload).unwrap());
        store.drop_observation(waiting.seq).await.unwrap();
    }
    taken
}

/// What waits, counted row by row.
async fn counted(store: &Store) -> BTreeMap<String, Level> {
    let rows = sqlx::query(
        "SELECT plugin, count(*) AS count, sum(length(sealed)) AS bytes FROM observations GROUP BY plugin",
    );
    let rows = rows.fetch_all(&store.pool).await.unwrap();
    let level = |row: &sqlx::sqlite::SqliteRow| Level {
        count: row.get("count"),
        bytes: row.get("bytes"),
    };
    let rows = rows.iter().map(|row| (row.get("plugin"), level(row)));
    rows.collect()
}

#[tokio::test]
async fn a_plugin_that_has_failed_loses_its_own_oldest_and_the_other_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), i64::MAX).await;
    store.shares().note_failure(DEAD);
    let texts: Vec<String> = (0..30).map(|number| number.to_string()).collect();
    let mut well = Vec::new();
    for text in &texts {
        let kept = accept(&store, &[text], &both()).await;
        assert_eq!(kept, Acceptance::Kept(2), "{text}");
        well.extend(take(&store, WELL).await);
        assert_eq!(
            store.waiting_by_plugin().await.unwrap(),
            counted(&store).await
        );
    }
    assert_eq!(well, texts);
    assert_eq!(store.status().counters().dropped, 25);
    // The first stays where it is, for the plugin may be at it; of the others the newest are there.
    assert_eq!(take(&store, DEAD).await, ["0", "26", "27", "28", "29"]);
}

#[tokio::test]
async fn a_plugin_at_work_that_is_behind_holds_up_what_it_reads_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), i64::MAX).await;
    for text in ["1", "2", "3", "4", "5"] {
        assert_eq!(accept(&store, &[text], &both()).await, Acceptance::Kept(2));
    }
    take(&store, WELL).await;
    assert_eq!(accept(&store, &["6"], &both()).await, Acceptance::Full);
    // What it does not read goes on.
    let others = accept(&store, &["7", "8"], &both()[1..]).await;
    assert_eq!(others, Acceptance::Kept(2));
    assert_eq!(take(&store, DEAD).await, ["1", "2", "3", "4", "5"]);
    assert_eq!(take(&store, WELL).await, ["7", "8"]);
    assert_eq!(store.status().counters().dropped, 0);
}

#[tokio::test]
async fn from_its_first_verdict_on_a_plugin_holds_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), i64::MAX).await;
    store.shares().note_failure(DEAD);
    for text in ["1", "2", "3", "4", "5", "6"] {
        accept(&store, &[text], &reader()).await;
    }
    store.shares().note_verdict(DEAD);
    assert_eq!(accept(&store, &["7"], &reader()).await, Acceptance::Full);
    assert_eq!(take(&store, DEAD).await, ["1", "3", "4", "5", "6"]);
}

#[tokio::test]
async fn shares_count_in_bytes_too_and_what_is_larger_goes_in_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 4_000).await;
    store.shares().note_failure(DEAD);
    let [large, huge] = [700, 5_000].map(|length| "x".repeat(length));
    for _ in 0..4 {
        let kept = accept(&store, &[&large], &reader()).await;
        assert_eq!(kept, Acceptance::Kept(1));
        let level = store.waiting_by_plugin().await.unwrap()[DEAD];
        assert!(level.bytes <= 2_000, "{level:?}");
    }
    assert_eq!(
        accept(&store, &[&huge], &reader()).await,
        Acceptance::Kept(1)
    );
    assert_eq!(take(&store, DEAD).await, [large, huge]);
}

#[tokio::test]
async fn nothing_is_kept_for_a_plugin_that_left_the_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), i64::MAX).await;
    accept(&store, &["1", "2"], &both()).await;
    let left = BTreeSet::from([WELL.to_owned()]);
    store.shares().set(left.clone());
    assert_eq!(store.forget_others(&left).await.unwrap(), 2);
    assert_eq!(store.status().counters().dropped, 2);
    // Somebody who has not heard of it yet.
    assert_eq!(accept(&store, &["3"], &both()).await, Acceptance::Kept(1));
    assert_eq!(take(&store, DEAD).await, Vec::<String>::new());
    assert_eq!(take(&store, WELL).await, ["1", "2", "3"]);
    // Alone it has all the room.
    let many = ["x"; 10];
    assert_eq!(
        accept(&store, &many, &both()[1..]).await,
        Acceptance::Kept(10)
    );
}

#[tokio::test]
async fn what_waited_under_an_earlier_version_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), i64::MAX).await;
    accept(&store, &["1", "22"], &both()).await;
    accept(&store, &["333"], &reader()).await;
    store.close().await;
    for statement in [
        "DROP TABLE waiting",
        "DROP TRIGGER waiting_comes",
        "DROP TRIGGER waiting_goes",
        "DELETE FROM _sqlx_migrations WHERE version = 20261130000000",
    ] {
        meddle(folder.path(), statement).await;
    }
    let store = open(folder.path(), i64::MAX).await;
    let waiting = store.waiting_by_plugin().await.unwrap();
    assert_eq!(waiting, counted(&store).await);
    assert_eq!(waiting[DEAD].count, 3);
}
