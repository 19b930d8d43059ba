//! What each end of a session leads to.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use farmops_protocol::key::SecretKey;
use uuid::Uuid;

use super::link::Refusal;
use super::*;
use crate::keys::{self, Keys};
use crate::store::Bounds;
use crate::store::tests::{draft, now};

async fn uplink(folder: &Path) -> Uplink {
    let bounds = Bounds {
        observations_max: 1,
        proofs_kept_max: 1,
        ..Bounds::default()
    };
    Uplink {
        tracker: TrackerAddress {
            url: "http://127.0.0.1:1".parse().unwrap(),
            ca_file: None,
            client_pair: None,
        },
        identity: Identity {
            key: Keys::new(folder, SecretKey::from_bytes([7; 32])),
            agent_id: Uuid::nil(),
            farm_secret: [9; 32],
        },
        cluster_alias: "home".to_owned(),
        store: Store::open(folder, bounds).await.unwrap(),
        status: Status::default(),
        patience: Patience::default(),
    }
}

fn foreign(waiting: bool) -> SessionEnd {
    let agent_id = Uuid::nil();
    SessionEnd::ForeignChain { agent_id, waiting }
}

fn refused(code: &str) -> SessionEnd {
    let refusal = Refusal {
        code: code.to_owned(),
        field: "$".to_owned(),
        reason: String::new(),
        retry_after: None,
    };
    LinkError::Refused(refusal).into()
}

#[tokio::test]
async fn a_trouble_that_only_the_owner_can_end_is_looked_at_rarely() {
    let folder = tempfile::tempdir().unwrap();
    let uplink = uplink(folder.path()).await;
    let mut backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(2));
    let owner = uplink.patience.owner;
    for (end, standing) in [
        (SessionEnd::Revoked, Standing::Revoked),
        (foreign(false), Standing::ChainResetNeeded),
        (refused("agent-revoked"), Standing::Revoked),
        (refused("invalid"), Standing::Blocked),
    ] {
        assert_eq!(uplink.judge(&end, &mut backoff), (standing, owner));
    }
    let asked = uplink.judge(&foreign(true), &mut backoff);
    let pause = uplink.patience.hello_pending;
    assert_eq!(asked, (Standing::ChainResetNeeded, pause));
}

#[tokio::test]
async fn an_absent_tracker_is_tried_again_soon_and_never_before_it_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let uplink = uplink(folder.path()).await;
    let mut backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(2));
    let (standing, pause) = uplink.judge(&LinkError::away("no").into(), &mut backoff);
    assert_eq!(standing, Standing::Unreachable);
    assert!(pause <= Duration::from_millis(2));
    let wait = Duration::from_secs(7);
    let busy = LinkError::Away {
        reason: "busy".to_owned(),
        retry_after: Some(wait),
    };
    assert_eq!(uplink.judge(&busy.into(), &mut backoff).1, wait);
    let (standing, _) = uplink.judge(&refused("agent-unknown"), &mut backoff);
    assert_eq!(standing, Standing::Connecting);
}

#[tokio::test]
async fn what_was_signed_while_the_key_waited_goes_first() {
    let folder = tempfile::tempdir().unwrap();
    let uplink = uplink(folder.path()).await;
    let (keys, store) = (&uplink.identity.key, &uplink.store);
    let session = Session::new(&uplink, Link::Rest(RestLink::new(&uplink.tracker).unwrap()));
    assert!(session.rotate_when_empty().await.is_ok(), "no key waits");
    keys::stage(folder.path(), &mut rand::rng()).unwrap();
    store.chain(-1, &draft(None, 1), now()).await.unwrap();
    assert!(session.rotate_when_empty().await.is_ok());
    assert_eq!(keys.stage(), Stage::Staged);
    drop(keys.sign().await);
    store.mark_delivered(1).await.unwrap();
    let end = session.rotate_when_empty().await;
    assert!(matches!(end, Err(SessionEnd::Again)));
    assert_eq!(keys.stage(), Stage::Rotating);
    let signs = tokio::time::timeout(Duration::from_millis(20), keys.sign()).await;
    assert!(
        signs.is_err(),
        "nobody signs until the tracker has answered"
    );
}
