//! The queue's bounds, the outbox's order, and where a chain goes on.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use farmops_plugin as plugin;
use farmops_plugin::{Description, Finding, SourceRequirement, Template, Who};
use farmops_protocol::chain::{self, ChainHead};
use farmops_protocol::digest::sha256;
use farmops_protocol::key::SecretKey;
use farmops_protocol::proof::ParsedProof;
use farmops_protocol::time::Timestamp;
use uuid::Uuid;

use super::*;
use crate::identity::Identity;
use crate::keys::Keys;
use crate::observation::{Intake, Sighting, SourceType, Waiting};
use crate::proof::{Circumstances, Farmer, Generator, Identities};

const NOW: i64 = 1_771_666_200;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

pub(crate) async fn open(folder: &Path) -> Store {
    let bounds = Bounds {
        observations_max: 3,
        proofs_kept_max: 2,
        ..Bounds::default()
    };
    Store::open(folder, bounds).await.unwrap()
}

pub(crate) fn intake(texts: &[&str]) -> Intake {
    Intake {
        source: "hook".to_owned(),
        source_type: SourceType::Github,
        sightings: texts
            .iter()
            .map(|text| Sighting {
                event: "e".to_owned(),
                payload: text.as_bytes().to_vec(),
            })
            .collect(),
        delivery: None,
        state: None,
    }
}

pub(crate) fn reader() -> Vec<String> {
    vec!["a/b".to_owned()]
}

/// A draft for a piece of work, following `head`.
pub(crate) fn draft(head: Option<&ChainHead>, work: u8) -> Draft {
    let waiting = Waiting {
        seq: 0,
        id: Uuid::now_v7(),
        source: "hook".to_owned(),
        source_type: "github".to_owned(),
        event: "e".to_owned(),
        payload: b"{}".to_vec(),
        detected_at: NOW,
    };
    draft_of(head, work, &waiting)
}

/// As [`draft`], from an observation of the queue.
pub(crate) fn draft_of(head: Option<&ChainHead>, work: u8, waiting: &Waiting) -> Draft {
    let around = Circumstances {
        head,
        proof_id: Uuid::now_v7(),
        salt: [work; 32],
        now: now(),
    };
    generator()
        .draft(&description(), waiting, &finding(work), around)
        .unwrap()
}

pub(crate) fn generator() -> Generator {
    let identity = Identity {
        key: Keys::new(Path::new(""), SecretKey::from_bytes([7; 32])),
        agent_id: Uuid::nil(),
        farm_secret: [9; 32],
    };
    let farmer = Farmer {
        name: "alice".to_owned(),
        on_call: true,
        identities: Identities::default(),
    };
    Generator::new(identity, farmer, "home".to_owned())
}

pub(crate) fn description() -> Description {
    Description {
        plugin_id: "a/b".to_owned(),
        version: "1.0.0".to_owned(),
        description: String::new(),
        categories: vec![plugin::Category::Toil],
        sources: vec![SourceRequirement::new("github", &[])],
        templates: vec![Template::new("did", "Did it")],
        subcategories: Vec::new(),
        settings_schema: None,
    }
}

/// A piece of work.
pub(crate) fn finding(work: u8) -> Finding {
    Finding {
        action_type: plugin::ActionType::Fix,
        category: plugin::Category::Toil,
        subcategory: None,
        template: "did".to_owned(),
        numbers: BTreeMap::new(),
        words: BTreeMap::new(),
        hints: plugin::Hints {
            complexity: plugin::Complexity::Low,
            impact_radius: 1,
            artifacts_touched: 1,
            time_spent_seconds: None,
        },
        outcome: plugin::OutcomeStatus::Success,
        evidence: format!("{{\"evidence\":\"Klabautermann-{work}\"}}").into_bytes(),
        actor: plugin::Actor {
            who: Who::OnCall,
            kind: plugin::ActorType::Human,
        },
        dedupe_key: vec![work],
        finished_at: NOW,
    }
}

/// Changes the file behind the program's back.
pub(crate) async fn meddle(folder: &Path, sql: &'static str) -> u64 {
    let pool = super::pool(super::options(&folder.join(FILE_NAME)))
        .await
        .unwrap();
    let done = sqlx::query(sql).execute(&pool).await.unwrap();
    pool.close().await;
    done.rows_affected()
}

/// Whether `text` stands anywhere in the database's files.
pub(crate) fn stands_in_files(folder: &Path, text: &str) -> bool {
    ["", "-wal", "-shm"].iter().any(|end| {
        let file = folder.join(format!("{FILE_NAME}{end}"));
        let bytes = std::fs::read(file).unwrap_or_default();
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    })
}

/// Chains `count` proofs and gives the heads.
async fn grow(store: &Store, count: u8) -> Vec<ChainHead> {
    let mut heads = Vec::new();
    for work in 0..count {
        let head = store.chain_head().await.unwrap();
        let draft = draft(head.as_ref(), work);
        let settled = store.chain(-1, &draft, now()).await.unwrap();
        assert_eq!(settled, Settled::Chained);
        heads.push(draft.head);
    }
    heads
}

#[tokio::test]
async fn observations_come_out_in_order_and_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let kept = store
        .accept(&intake(&["1", "2"]), &reader(), now())
        .await
        .unwrap();
    assert_eq!(kept, Acceptance::Kept(2));
    store.close().await;
    let store = open(folder.path()).await;
    for text in ["1", "2"] {
        let waiting = store.next_for("a/b").await.unwrap().unwrap();
        assert_eq!(waiting.payload, text.as_bytes());
        store.drop_observation(waiting.seq).await.unwrap();
    }
    assert!(store.next_for("a/b").await.unwrap().is_none());
}

#[tokio::test]
async fn a_repeated_delivery_is_kept_once_and_a_full_queue_keeps_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let mut first = intake(&["1", "2"]);
    first.delivery = Some(sha256(b"d1"));
    let mut second = intake(&["3", "4"]);
    second.delivery = Some(sha256(b"d2"));
    second.state = Some("after".to_owned());
    let accept = async |intake: &Intake| store.accept(intake, &reader(), now()).await.unwrap();
    assert_eq!(accept(&first).await, Acceptance::Kept(2));
    assert_eq!(accept(&first).await, Acceptance::Repeated);
    assert_eq!(accept(&second).await, Acceptance::Full);
    assert_eq!(store.source_state("hook").await.unwrap(), None);
    assert_eq!(store.observations_waiting().await.unwrap().count, 2);
    // Once there is room, the same delivery is no repetition.
    let waiting = store.next_for("a/b").await.unwrap().unwrap();
    store.drop_observation(waiting.seq).await.unwrap();
    assert_eq!(accept(&second).await, Acceptance::Kept(2));
    assert_eq!(store.source_state("hook").await.unwrap().unwrap(), "after");
}

#[tokio::test]
async fn a_proof_and_its_observation_change_places_in_one_step() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    store
        .accept(&intake(&["1", "2"]), &reader(), now())
        .await
        .unwrap();
    let first = store.next_for("a/b").await.unwrap().unwrap();
    let proof = draft(None, 1);
    let settled = store.chain(first.seq, &proof, now()).await.unwrap();
    assert_eq!(settled, Settled::Chained);
    let second = store.next_for("a/b").await.unwrap().unwrap();
    assert_ne!(first.seq, second.seq);
    // The same work again, seen by the other observation: no second proof.
    let again = draft(Some(&proof.head), 1);
    let settled = store.chain(second.seq, &again, now()).await.unwrap();
    assert_eq!(settled, Settled::AlreadyProven);
    assert_eq!(store.chain_head().await.unwrap(), Some(proof.head));
    assert_eq!(store.observations_waiting().await.unwrap().count, 0);
}

#[tokio::test]
async fn a_draft_that_follows_an_old_head_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    grow(&store, 1).await;
    let late = draft(None, 9);
    let settled = store.chain(-1, &late, now()).await.unwrap();
    assert_eq!(settled, Settled::HeadMoved);
    assert!(!store.is_proven(late.work).await.unwrap());
}

#[tokio::test]
async fn delivered_proofs_go_beyond_what_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    grow(&store, 5).await;
    assert_eq!(store.undelivered().await.unwrap(), 5);
    store.mark_delivered(4).await.unwrap();
    assert_eq!(store.undelivered().await.unwrap(), 1);
    let left = store.proofs_after(0, 10).await.unwrap();
    let positions: Vec<i64> = left.iter().map(|proof| proof.position).collect();
    assert_eq!(positions, [3, 4, 5]);
}

#[tokio::test]
async fn the_chain_goes_on_where_the_trackers_copy_ends() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let heads = grow(&store, 3).await;
    for (theirs, position) in [(None, 0), (Some(&heads[1]), 2), (Some(&heads[2]), 3)] {
        assert_eq!(store.resume_at(theirs, 0).await.unwrap(), Ok(position));
        assert_eq!(store.undelivered().await.unwrap(), 3 - position);
    }
    assert_eq!(store.unsent_follows().await.unwrap(), None);
    // Position 1 is gone, so a tracker that lost everything cannot be served.
    assert_eq!(store.resume_at(None, 0).await.unwrap(), Err(OutboxFault));
}

#[tokio::test]
async fn unsent_proofs_that_follow_something_else_are_kept_for_the_owner() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let heads = grow(&store, 3).await;
    store.mark_delivered(2).await.unwrap();
    let foreign = draft(None, 77).head;
    for _ in 0..2 {
        let resumed = store.resume_at(Some(&foreign), 0).await.unwrap();
        assert_eq!(resumed, Err(OutboxFault));
    }
    let follows = store.unsent_follows().await.unwrap();
    assert_eq!(follows, Some(Some(heads[1].proof_id)));
    // The owner's reset names an earlier place: what the tracker has on the old branch is not sent again.
    let earlier = store.resume_at(Some(&heads[0]), 1).await.unwrap();
    assert_eq!(earlier, Err(OutboxFault));
    assert_eq!(
        store.resume_at(Some(&heads[1]), 1).await.unwrap(),
        Ok(2),
        "where the unsent proofs begin"
    );
    assert_eq!(store.undelivered().await.unwrap(), 1);
}

#[tokio::test]
async fn with_nothing_unsent_the_trackers_head_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let heads = grow(&store, 3).await;
    store.mark_delivered(3).await.unwrap();
    let first = draft(None, 78).head;
    let mut further = draft(None, 77).head;
    for work in 0..3 {
        further = draft(Some(&further), 90 + work).head;
    }
    for (theirs, branch) in [(&further, 0), (&first, 0), (&heads[0], 1)] {
        let position = i64::try_from(theirs.length.value()).unwrap();
        let resumed = store.resume_at(Some(theirs), branch).await.unwrap();
        assert_eq!(resumed, Ok(position));
        assert_eq!(store.chain_head().await.unwrap().as_ref(), Some(theirs));
        assert_eq!(store.undelivered().await.unwrap(), 0);
        let next = draft(Some(theirs), 80 + u8::try_from(branch).unwrap());
        assert_eq!(next.head.length.value(), theirs.length.value() + 1);
    }
    // And a branch that begins anew.
    assert_eq!(store.resume_at(None, 2).await.unwrap(), Ok(0));
    let anew = draft(None, 99);
    let settled = store.chain(-1, &anew, now()).await.unwrap();
    assert_eq!(settled, Settled::Chained);
}

#[tokio::test]
async fn what_a_tracker_lost_follows_its_head_once_that_is_granted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let key = SecretKey::from_bytes([8; 32]);
    let heads = grow(&store, 6).await;
    store.mark_delivered(5).await.unwrap();
    // 4 to 6 are here, and the tracker ends at 2.
    let theirs = Some(&heads[1]);
    assert_eq!(store.resume_at(theirs, 0).await.unwrap(), Err(OutboxFault));
    assert!(!store.is_granted(theirs, 1).await.unwrap(), "nobody asked");
    store.note_asked(theirs).await.unwrap();
    assert!(!store.is_granted(theirs, 0).await.unwrap());
    assert!(!store.is_granted(Some(&heads[0]), 1).await.unwrap());
    assert!(store.is_granted(theirs, 1).await.unwrap());
    let bodies = |proofs: Vec<Sealed>| {
        let parsed = proofs
            .into_iter()
            .map(|proof| ParsedProof::parse(&proof.bytes).unwrap());
        parsed
            .map(|proof| (proof.body().proof_id, proof))
            .collect::<Vec<_>>()
    };
    let before = bodies(store.proofs_after(0, 10).await.unwrap());
    assert_eq!(store.sign_anew(theirs, 1, &key).await.unwrap(), 3);
    let after = bodies(store.proofs_after(0, 10).await.unwrap());
    let mut head = heads[1];
    for ((id, proof), (same, _)) in after.into_iter().zip(before) {
        assert_eq!(id, same);
        let verified = proof.verify(&key.public()).unwrap();
        head = chain::extend(Some(&head), &verified, now()).unwrap();
    }
    assert_eq!(store.chain_head().await.unwrap(), Some(head));
    assert_eq!(
        (head.length.value(), store.undelivered().await.unwrap()),
        (5, 3)
    );
    assert_eq!(store.resume_at(theirs, 1).await.unwrap(), Ok(2));
    let evidence: i64 =
        sqlx::query_scalar("SELECT min(position) FROM evidence JOIN proofs USING (proof_id)")
            .fetch_one(&store.pool)
            .await
            .unwrap();
    assert_eq!(evidence, 3, "the evidence moves with its proof");
    // A tracker that lost everything goes on at nothing.
    store.mark_delivered(5).await.unwrap();
    assert_eq!(store.resume_at(None, 1).await.unwrap(), Err(OutboxFault));
    store.note_asked(None).await.unwrap();
    assert!(store.is_granted(None, 2).await.unwrap());
    assert_eq!(store.sign_anew(None, 2, &key).await.unwrap(), 2);
    assert_eq!(store.resume_at(None, 2).await.unwrap(), Ok(0));
}

#[tokio::test]
async fn an_agent_without_memory_takes_over_the_trackers_head() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let theirs = draft(None, 1).head;
    assert_eq!(store.resume_at(Some(&theirs), 0).await.unwrap(), Ok(1));
    let next = draft(Some(&theirs), 2);
    store.chain(-1, &next, now()).await.unwrap();
    assert_eq!(store.resume_at(Some(&theirs), 0).await.unwrap(), Ok(1));
    assert_eq!(store.undelivered().await.unwrap(), 1);
}

#[tokio::test]
async fn what_is_too_old_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let mut old = intake(&["1"]);
    old.delivery = Some(sha256(b"d"));
    store.accept(&old, &reader(), now()).await.unwrap();
    let later = now().saturating_add(1);
    assert_eq!(store.expire(now(), now(), now()).await.unwrap(), 0);
    assert_eq!(store.expire(later, later, later).await.unwrap(), 1);
    let accepted = store.accept(&old, &reader(), now()).await.unwrap();
    assert_eq!(accepted, Acceptance::Kept(1));
}

#[tokio::test]
async fn only_the_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    store
        .accept(&intake(&["1"]), &reader(), now())
        .await
        .unwrap();
    for name in [FILE_NAME.to_owned(), format!("{FILE_NAME}-wal")] {
        let metadata = std::fs::metadata(folder.path().join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
}
