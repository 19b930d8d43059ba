//! Batches of several objects for several readers.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

fn folder() -> Folder {
    let reader = |plugin: &str, settle_seconds| Reader {
        plugin: plugin.to_owned(),
        settle_seconds,
    };
    Folder {
        resource: "pods".to_owned(),
        readers: vec![reader("a/quick", 0), reader("a/slow", 60)],
    }
}

fn about(uid: &str) -> About {
    About {
        uid: uid.to_owned(),
        name: format!("name-{uid}"),
        namespace: Some("shop".to_owned()),
        api_version: "v1".to_owned(),
        created: 1_771_666_200,
    }
}

fn seen(uid: &str, fields: &str) -> Entry {
    let sight = Sight::Fields(format!(r#"{{"f":"{fields}"}}"#));
    Entry::Seen(about(uid), vec![sight.clone(), sight])
}

/// What is known after `outcome`, as a database would say it.
fn after(mut known: Knowledge, outcome: &Outcome) -> Knowledge {
    for uid in &outcome.gone {
        known.remove(uid);
    }
    for (about, epoch) in &outcome.objects {
        let fresh = Known {
            about: about.clone(),
            epoch: *epoch,
            states: vec![None, None],
        };
        let object = known.entry(about.uid.clone()).or_insert(fresh);
        object.epoch = *epoch;
    }
    for moved in &outcome.moved {
        known.get_mut(&moved.uid).unwrap().states[moved.reader] = Some(moved.state.clone());
    }
    known
}

const NOW: i64 = 1_771_670_000;

#[test]
fn a_change_is_told_as_the_contract_says() {
    let folder = folder();
    let first = folder.fold(vec![seen("u1", "x")], Knowledge::new(), 1, NOW);
    assert!(first.told.is_empty());
    assert_eq!((first.objects.len(), first.moved.len()), (1, 2));
    let known = after(Knowledge::new(), &first);
    let second = folder.fold(vec![seen("u1", "y")], known.clone(), 1, NOW + 5);
    assert_eq!(second.told.len(), 1);
    assert_eq!(second.told[0].reader, 0);
    let payload: Value = serde_json::from_slice(&second.told[0].payload).unwrap();
    assert_eq!(
        payload,
        json!({
            "resource": "pods", "apiVersion": "v1", "namespace": "shop", "name": "name-u1", "uid": "u1",
            "created": "2026-02-21T09:30:00Z",
            "before": {"since": "2026-02-21T10:33:20Z", "fields": {"f": "x"}},
            "after": {"since": "2026-02-21T10:33:25Z", "fields": {"f": "y"}},
        })
    );
    let known = after(known, &second);
    assert!(folder.ripen(known.clone(), NOW + 64).is_empty());
    let ripe = folder.ripen(known.clone(), NOW + 66);
    assert_eq!((ripe.told.len(), ripe.told[0].reader), (1, 1));
    assert!(folder.ripen(after(known, &ripe), NOW + 999).is_empty());
}

#[test]
fn what_did_not_change_writes_nothing() {
    let folder = folder();
    let first = folder.fold(vec![seen("u1", "x")], Knowledge::new(), 1, NOW);
    let known = after(Knowledge::new(), &first);
    assert!(
        folder
            .fold(vec![seen("u1", "x")], known.clone(), 1, NOW)
            .is_empty()
    );
    let relisted = folder.fold(vec![seen("u1", "x")], known, 2, NOW);
    assert_eq!((relisted.objects.len(), relisted.moved.len()), (1, 0));
}

#[test]
fn events_of_one_batch_count_in_their_order() {
    let folder = folder();
    let entries = vec![
        seen("u1", "x"),
        seen("u1", "y"),
        seen("u2", "x"),
        seen("u1", "z"),
        Entry::Gone("u1".to_owned()),
        Entry::Gone("unknown".to_owned()),
    ];
    let outcome = folder.fold(entries, Knowledge::new(), 1, NOW);
    assert_eq!(outcome.told.len(), 2);
    assert_eq!(outcome.gone, ["u1"]);
    assert_eq!(outcome.objects.len(), 1);
    assert!(outcome.moved.iter().all(|moved| moved.uid == "u2"));
}

#[test]
fn an_object_from_the_future_was_seen_when_it_was_made() {
    let folder = folder();
    let early = about("u1").created - 100;
    let outcome = folder.fold(vec![seen("u1", "x")], Knowledge::new(), 1, early);
    assert_eq!(outcome.moved[0].state.settled.since, early + 100);
}

#[test]
fn who_may_not_see_an_object_hears_nothing_of_it() {
    let folder = folder();
    let look = |fields: &str| {
        let sight = Sight::Fields(fields.to_owned());
        Entry::Seen(about("u1"), vec![Sight::Elsewhere, sight])
    };
    let outcome = folder.fold(vec![look("{}")], Knowledge::new(), 1, NOW);
    assert_eq!(outcome.moved.len(), 1);
    assert_eq!(outcome.moved[0].reader, 1);
}

#[test]
fn an_object_that_grew_too_large_interrupts_its_candidate() {
    let folder = folder();
    let grown = Entry::Seen(about("u1"), vec![Sight::Unreadable, Sight::Unreadable]);
    let entries = vec![seen("u1", "x"), seen("u1", "y"), grown];
    let outcome = folder.fold(entries, Knowledge::new(), 1, NOW);
    let slow = outcome
        .moved
        .iter()
        .find(|moved| moved.reader == 1)
        .unwrap();
    assert_eq!((&slow.state.candidate, slow.due_at), (&None, None));
}
