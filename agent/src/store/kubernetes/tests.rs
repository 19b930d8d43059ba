//! Batches are kept whole or not at all, and a crash between any two steps changes nothing.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::sources::kubernetes::fold::{Entry, Folder, Knowledge, Reader, Sight};
use crate::sources::kubernetes::object::About;
use crate::standby::{Succession, Term};
use crate::store::tests::{intake, meddle};
use crate::store::{Bounds, EVIDENCE_KEY_FILE, forget_other_keys};

const NOW: i64 = 1_771_666_200;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(NOW + second).unwrap()
}

fn key() -> WatchKey {
    WatchKey {
        source: "cluster".to_owned(),
        resource: "pods".to_owned(),
        namespace: None,
    }
}

fn attendance(plugin: &str, fields: &str, settle_seconds: i64) -> Attendance {
    Attendance {
        plugin: plugin.to_owned(),
        fields: fields.to_owned(),
        settle_seconds,
    }
}

async fn open(folder: &Path, observations_max: i64) -> Store {
    let bounds = Bounds {
        observations_max,
        proofs_kept_max: 2,
        ..Bounds::default()
    };
    Store::open(folder, bounds).await.unwrap()
}

fn seen(uid: u8, value: u8, readers: usize) -> Entry {
    let about = About {
        uid: format!("u{uid}"),
        name: format!("n{uid}"),
        namespace: Some("shop".to_owned()),
        api_version: "v1".to_owned(),
        created: NOW - 100,
    };
    let fields = Sight::Fields(format!(r#"{{"f":{value}}}"#));
    Entry::Seen(about, vec![fields; readers])
}

/// One reader of a store, as a watcher would be it.
struct Desk {
    store: Store,
    watch: OpenWatch,
    readers: Vec<Attendance>,
    folder: Folder,
}

impl Desk {
    async fn open(store: Store, readers: Vec<Attendance>, now: i64) -> Self {
        let watch = store.open_watch(&key(), &readers, at(now)).await.unwrap();
        let folder = Folder {
            resource: "pods".to_owned(),
            readers: readers
                .iter()
                .map(|reader| Reader {
                    plugin: reader.plugin.clone(),
                    settle_seconds: reader.settle_seconds,
                })
                .collect(),
        };
        Self {
            store,
            watch,
            readers,
            folder,
        }
    }

    async fn list(&mut self, objects: &[(u8, u8)], version: &str, now: i64) -> Acceptance {
        self.watch.epoch = self.store.begin_list(self.watch.id).await.unwrap();
        let entries = objects
            .iter()
            .map(|(uid, value)| seen(*uid, *value, self.readers.len()))
            .collect();
        self.keep(entries, version, true, now).await
    }

    async fn keep(&self, entries: Vec<Entry>, version: &str, listed: bool, now: i64) -> Acceptance {
        let uids: Vec<&str> = entries.iter().map(Entry::uid).collect();
        let known = self.store.knowledge_of(&self.watch, &uids).await.unwrap();
        let outcome = self
            .folder
            .fold(entries, known, self.watch.epoch, NOW + now);
        self.commit(&outcome, Some(version), listed, now).await
    }

    async fn ripen(&self, now: i64) -> Acceptance {
        let due = self.store.knowledge_due(&self.watch, NOW + now, 100);
        let outcome = self.folder.ripen(due.await.unwrap(), NOW + now);
        self.commit(&outcome, None, false, now).await
    }

    async fn commit(
        &self,
        outcome: &Outcome,
        version: Option<&str>,
        listed: bool,
        now: i64,
    ) -> Acceptance {
        let place = Place {
            resource_version: version.map(str::to_owned),
            listed,
        };
        let key = key();
        let kept =
            self.store
                .keep_batch(&key, &self.watch, &self.readers, outcome, &place, at(now));
        kept.await.unwrap()
    }
}

/// Takes everything that waits for `plugin`: uid, value before, value after.
async fn told(store: &Store, plugin: &str) -> Vec<(String, i64, i64)> {
    let mut told = Vec::new();
    while let Some(waiting) = store.next_for(plugin).await.unwrap() {
        assert_eq!(
            (waiting.event.as_str(), waiting.source_type.as_str()),
            ("changed", "kubernetes")
        );
        let payload: Value = serde_json::from_slice(&waiting.payload).unwrap();
        let value = |of: &str| payload[of]["fields"]["f"].as_i64().unwrap();
        let uid = payload["uid"].as_str().unwrap().to_owned();
        told.push((uid, value("before"), value("after")));
        store.drop_observation(waiting.seq).await.unwrap();
    }
    told
}

fn change(uid: &str, before: i64, after: i64) -> (String, i64, i64) {
    (uid.to_owned(), before, after)
}

#[tokio::test]
async fn a_watch_goes_on_where_it_was_left() {
    let folder = tempfile::tempdir().unwrap();
    let readers = vec![attendance("a/b", "x", 0)];
    let mut desk = Desk::open(open(folder.path(), 99).await, readers.clone(), 0).await;
    assert_eq!(desk.watch.resource_version, None);
    desk.list(&[(1, 1), (2, 1)], "7", 1).await;
    desk.keep(vec![seen(1, 2, 1)], "8", false, 2).await;
    desk.store.close().await;

    let mut desk = Desk::open(open(folder.path(), 99).await, readers, 3).await;
    assert_eq!(desk.watch.resource_version.as_deref(), Some("8"));
    assert_eq!(told(&desk.store, "a/b").await, [change("u1", 1, 2)]);
    // A new list finds what changed meanwhile, and that an object is gone.
    desk.list(&[(1, 3)], "20", 4).await;
    assert_eq!(told(&desk.store, "a/b").await, [change("u1", 2, 3)]);
    assert_eq!(desk.store.count_objects(&desk.watch).await.unwrap(), 1);
}

#[tokio::test]
async fn a_list_that_was_interrupted_begins_again_and_tells_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let readers = vec![attendance("a/b", "x", 0)];
    let mut desk = Desk::open(open(folder.path(), 99).await, readers.clone(), 0).await;
    desk.list(&[(1, 1), (2, 1)], "7", 1).await;
    desk.watch.epoch = desk.store.begin_list(desk.watch.id).await.unwrap();
    let place = Place::default();
    let known = desk.store.knowledge_of(&desk.watch, &["u1"]).await.unwrap();
    let outcome = desk
        .folder
        .fold(vec![seen(1, 2, 1)], known, desk.watch.epoch, NOW + 2);
    let key = key();
    let kept = desk
        .store
        .keep_batch(&key, &desk.watch, &desk.readers, &outcome, &place, at(2));
    assert_eq!(kept.await.unwrap(), Acceptance::Kept(1));
    desk.store.close().await;

    let mut desk = Desk::open(open(folder.path(), 99).await, readers, 3).await;
    assert_eq!(desk.watch.resource_version, None);
    desk.list(&[(1, 2), (2, 1)], "9", 3).await;
    assert_eq!(told(&desk.store, "a/b").await, [change("u1", 1, 2)]);
}

#[tokio::test]
async fn other_paths_start_from_nothing_and_disturb_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 99).await;
    let before = vec![attendance("a/b", "x", 0), attendance("a/c", "x", 0)];
    let mut desk = Desk::open(store.clone(), before, 0).await;
    desk.list(&[(1, 1)], "7", 1).await;
    let after = vec![attendance("a/b", "y", 0), attendance("a/c", "x", 0)];
    let mut desk = Desk::open(store.clone(), after, 2).await;
    assert_eq!(desk.watch.resource_version, None);
    desk.list(&[(1, 2)], "8", 3).await;
    assert_eq!(told(&store, "a/b").await, []);
    assert_eq!(told(&store, "a/c").await, [change("u1", 1, 2)]);
    desk.keep(vec![seen(1, 3, 2)], "9", false, 4).await;
    assert_eq!(told(&store, "a/b").await, [change("u1", 2, 3)]);
}

#[tokio::test]
async fn a_plugin_that_was_away_catches_up_with_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 99).await;
    let (one, two) = (attendance("a/b", "x", 0), attendance("a/c", "x", 5));
    let mut desk = Desk::open(store.clone(), vec![one.clone(), two.clone()], 0).await;
    desk.list(&[(1, 1), (2, 1)], "7", 1).await;
    desk.keep(vec![seen(2, 4, 2)], "8", false, 2).await;
    let desk = Desk::open(store.clone(), vec![one.clone()], 3).await;
    assert_eq!(desk.watch.resource_version.as_deref(), Some("8"));
    assert_eq!(store.next_due(&desk.watch).await.unwrap(), None);
    desk.keep(vec![seen(1, 2, 1)], "9", false, 4).await;
    let mut desk = Desk::open(store.clone(), vec![one.clone(), two.clone()], 60).await;
    assert_eq!(desk.watch.resource_version, None);
    desk.list(&[(1, 2), (2, 4)], "10", 60).await;
    assert_eq!(told(&store, "a/c").await, [change("u2", 1, 4)]);
    desk.ripen(66).await;
    assert_eq!(told(&store, "a/c").await, [change("u1", 1, 2)]);
    assert_eq!(
        told(&store, "a/b").await,
        [change("u2", 1, 4), change("u1", 1, 2)]
    );
}

#[tokio::test]
async fn when_there_is_no_room_nothing_is_kept_and_the_place_stays() {
    let folder = tempfile::tempdir().unwrap();
    let readers = vec![attendance("a/b", "x", 0)];
    let mut desk = Desk::open(open(folder.path(), 1).await, readers.clone(), 0).await;
    desk.list(&[(1, 1)], "7", 1).await;
    let kept = desk.keep(vec![seen(1, 2, 1)], "8", false, 2).await;
    assert_eq!(kept, Acceptance::Kept(1));
    let full = desk.keep(vec![seen(1, 3, 1)], "9", false, 3).await;
    assert_eq!(full, Acceptance::Full);
    let again = Desk::open(desk.store.clone(), readers, 4).await;
    assert_eq!(again.watch.resource_version.as_deref(), Some("8"));
    assert_eq!(told(&desk.store, "a/b").await, [change("u1", 1, 2)]);
    desk.keep(vec![seen(1, 3, 1)], "9", false, 5).await;
    assert_eq!(told(&desk.store, "a/b").await, [change("u1", 2, 3)]);
}

/// The term of a lease.
fn term(number: i32, holder: &str) -> Term {
    Term {
        lease: "uid".to_owned(),
        number,
        holder: holder.to_owned(),
    }
}

/// `now` begins after `before`; gives the observations that were dropped.
async fn begin(store: &Store, before: Option<Term>, now: Term) -> u64 {
    let succession = Succession { before, now };
    let polls = ["poll".to_owned()];
    store.begin_term(&succession, &polls).await.unwrap()
}

#[tokio::test]
async fn a_replica_that_leads_again_after_another_tells_nothing_that_the_other_saw() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let readers = vec![attendance("a/b", "x", 0)];
    let [one, other] = [0, 1].map(|index: usize| folders[index].path());
    // The one leads first, and leaves an observation unjudged.
    let store = open(one, 99).await;
    assert_eq!(begin(&store, None, term(0, "one")).await, 0);
    let mut desk = Desk::open(store.clone(), readers.clone(), 0).await;
    desk.list(&[(1, 1), (2, 1)], "7", 1).await;
    desk.keep(vec![seen(2, 2, 1)], "8", false, 2).await;
    for source in ["poll", "file"] {
        let mut intake = intake(&[]);
        (intake.source, intake.state) = (source.to_owned(), Some("there".to_owned()));
        store.accept(&intake, &[], at(2)).await.unwrap();
    }
    store.close().await;
    // The other sees both objects change, and proves it.
    let store = open(other, 99).await;
    begin(&store, Some(term(0, "one")), term(1, "other")).await;
    let mut desk = Desk::open(store.clone(), readers.clone(), 3).await;
    desk.list(&[(1, 1), (2, 2)], "8", 3).await;
    desk.keep(vec![seen(1, 2, 1)], "9", false, 4).await;
    assert_eq!(told(&store, "a/b").await, [change("u1", 1, 2)]);
    // The one leads again.
    let store = open(one, 99).await;
    let dropped = begin(&store, Some(term(1, "other")), term(2, "one again")).await;
    assert_eq!((dropped, store.status().counters().dropped), (1, 1));
    let mut desk = Desk::open(store.clone(), readers.clone(), 5).await;
    assert_eq!(desk.watch.resource_version, None);
    desk.list(&[(1, 2), (2, 2)], "9", 5).await;
    assert_eq!(told(&store, "a/b").await, []);
    assert_eq!(store.source_state("poll").await.unwrap(), None);
    assert!(store.source_state("file").await.unwrap().is_some());
    // From there on it goes on, also over a restart with nobody in between.
    store.close().await;
    for before in [term(2, "one again"), term(3, "")] {
        let store = open(one, 99).await;
        let now = term(before.number + 1, "one once more");
        assert_eq!(begin(&store, Some(before), now).await, 0);
        let desk = Desk::open(store.clone(), readers.clone(), 6).await;
        assert_eq!(desk.watch.resource_version.as_deref(), Some("9"));
        store.close().await;
    }
}

/// A store in `folder` with an object and a candidate that is due, closed.
async fn with_candidate(folder: &Path) -> Vec<Attendance> {
    let readers = vec![attendance("a/b", "x", 5)];
    let mut desk = Desk::open(open(folder, 99).await, readers.clone(), 0).await;
    desk.list(&[(1, 1), (2, 1)], "7", 1).await;
    desk.keep(vec![seen(1, 2, 1), seen(2, 2, 1)], "8", false, 2)
        .await;
    desk.store.close().await;
    readers
}

#[tokio::test]
async fn what_a_replaced_key_does_not_open_is_told_and_can_be_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let readers = with_candidate(folder.path()).await;
    let key = folder.path().join(EVIDENCE_KEY_FILE);
    let try_open = async || Store::open(folder.path(), Bounds::default()).await;
    std::fs::remove_file(&key).unwrap();
    let missing = try_open().await.unwrap_err();
    assert!(
        matches!(missing, StoreError::KeyMissing { count: 4, .. }),
        "{missing}"
    );
    farmops_service::secret_file::write_once(&key, &[9; 32]).unwrap();
    let other = try_open().await.unwrap_err();
    assert!(
        matches!(other, StoreError::OtherKey { count: 4, .. }),
        "{other}"
    );
    let gone = forget_other_keys(folder.path(), None).await.unwrap();
    assert_eq!(gone, 4);
    let mut desk = Desk::open(open(folder.path(), 99).await, readers, 60).await;
    assert_eq!(desk.watch.resource_version, None);
    assert_eq!(desk.store.next_due(&desk.watch).await.unwrap(), None);
    // Seen for the first time, under the new key.
    desk.list(&[(1, 2), (2, 1)], "9", 61).await;
    desk.keep(vec![seen(1, 3, 1)], "10", false, 62).await;
    desk.ripen(90).await;
    assert_eq!(told(&desk.store, "a/b").await, [change("u1", 2, 3)]);
}

#[tokio::test]
async fn a_candidate_that_does_not_open_is_not_due_for_ever() {
    for damage in [
        "UPDATE kubernetes_objects SET sealed = CAST(sealed || x'00' AS BLOB) WHERE uid = 'u1'",
        "UPDATE kubernetes_states SET fields = CAST(fields || x'00' AS BLOB) WHERE uid = 'u1'",
        "UPDATE kubernetes_states SET candidate = CAST(candidate || x'00' AS BLOB) WHERE uid = 'u1'",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let readers = with_candidate(folder.path()).await;
        meddle(folder.path(), damage).await;
        let desk = Desk::open(open(folder.path(), 99).await, readers, 60).await;
        desk.ripen(60).await;
        assert_eq!(told(&desk.store, "a/b").await, [change("u2", 1, 2)]);
        let due = desk.store.next_due(&desk.watch).await.unwrap();
        assert_eq!(due, None, "{damage}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// However often the program dies between two batches, it tells what it would have told without.
    #[test]
    fn crashes_between_batches_change_nothing(
        batches in prop::collection::vec(
            (prop::collection::vec((0_u8..3, 0_u8..3, prop::bool::weighted(0.1)), 1..6), any::<bool>()),
            1..12,
        ),
        settle in 0_i64..3,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut runs = Vec::new();
            for crashing in [false, true] {
                let folder = tempfile::tempdir().unwrap();
                let readers = vec![attendance("a/b", "x", settle)];
                let mut desk = Desk::open(open(folder.path(), 999).await, readers.clone(), 0).await;
                desk.list(&[], "0", 0).await;
                for (number, (batch, crash)) in batches.iter().enumerate() {
                    let now = i64::try_from(number).unwrap() * 2;
                    let entries = || batch.iter().map(|(uid, value, gone)| if *gone {
                        Entry::Gone(format!("u{uid}"))
                    } else {
                        seen(*uid, *value, 1)
                    }).collect::<Vec<_>>();
                    if crashing && *crash {
                        // Folded, and lost before it was kept.
                        let _lost = desk.folder.fold(entries(), Knowledge::new(), 1, NOW + now);
                        desk.store.close().await;
                        desk = Desk::open(open(folder.path(), 999).await, readers.clone(), now).await;
                        prop_assert_eq!(desk.watch.resource_version.clone(), Some(number.to_string()));
                    }
                    desk.ripen(now).await;
                    desk.keep(entries(), &(number + 1).to_string(), false, now).await;
                }
                desk.ripen(10_000).await;
                let (mut told, objects) = (told(&desk.store, "a/b").await, desk.store.count_objects(&desk.watch).await.unwrap());
                told.sort();
                runs.push((told, objects));
            }
            prop_assert_eq!(&runs[0], &runs[1]);
            Ok(())
        })?;
    }
}
