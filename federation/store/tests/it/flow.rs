//! The whole way: a farmer followed from another village, and her farm passed on.

use farmops_federation::{
    ActorKind, Audience, Deletion, Direction, FollowDecision, RelationState, Subject, Via,
    store::RelationStore,
};
use farmops_protocol::canonical;
use serde_json::Value;

use super::cast::{Server, Told};

/// Alice's handle lives at Orchard, her actor on her own tracker.
async fn alice_of_orchard() -> (Server, Server) {
    let alice = Server::start("alice", "actor", ActorKind::Person).await;
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let host = orchard.handle().rsplit_once('@').unwrap().1.to_owned();
    let account = farmops_federation::Account::parse(
        &format!("alice@{host}"),
        farmops_federation::Reach::Loopback,
    )
    .unwrap();
    let subject = Subject {
        account: account.clone(),
        actor: alice.id(),
        page: None,
    };
    orchard.host.subjects.lock().unwrap().push(subject.clone());
    *alice.host.subjects.lock().unwrap() = vec![subject];
    alice.host.actors.lock().unwrap()[0].account = account;
    (alice, orchard)
}

fn is_accepted(told: &Told) -> bool {
    matches!(
        told,
        Told::Follow {
            state: Some(RelationState::Accepted),
            ..
        }
    )
}

#[tokio::test]
async fn a_farmer_is_followed_by_handle_and_her_farm_passed_on() {
    let (alice, orchard) = alice_of_orchard().await;
    let harbour = Server::start("harbour", "village", ActorKind::Group).await;

    // Harbour finds her by the handle at her village, and follows her.
    let found = harbour.federation.resolve(&alice.handle()).await.unwrap();
    assert_eq!(found.id, alice.id());
    assert_eq!(found.account.unwrap().to_handle(), alice.handle());
    let relation = harbour
        .federation
        .follow("village", &found.id)
        .await
        .unwrap();
    assert_eq!(relation.state, RelationState::Pending);
    harbour.told(is_accepted).await;
    let her_side = alice.told(is_accepted).await;
    assert_eq!(
        her_side,
        Told::Follow {
            remote: harbour.id(),
            direction: "follower",
            state: Some(RelationState::Accepted)
        }
    );

    // Orchard follows Harbour, to see what it passes on.
    orchard
        .federation
        .follow("village", &harbour.id())
        .await
        .unwrap();
    orchard.told(is_accepted).await;

    // She publishes; Harbour passes it on, member for member.
    let snapshot = alice.snapshot(1);
    let post = alice
        .federation
        .create("actor", "snapshot-1", &snapshot, Audience::Villages)
        .unwrap();
    assert!(alice.federation.publish(&post).await.unwrap());
    let Told::Snapshot {
        bytes,
        via,
        author,
        sequence,
    } = harbour
        .told(|told| matches!(told, Told::Snapshot { .. }))
        .await
    else {
        unreachable!()
    };
    assert_eq!((via, author, sequence), (Via::Author, alice.id(), 1));
    assert_eq!(bytes, canonical::to_vec(&snapshot).unwrap());

    let relayed: Value = serde_json::from_slice(&bytes).unwrap();
    let post = harbour
        .federation
        .announce("village", "relay-1", &relayed, Audience::Followers)
        .unwrap();
    harbour.federation.publish(&post).await.unwrap();
    let Told::Snapshot {
        bytes: seen,
        via,
        author,
        ..
    } = orchard
        .told(|told| matches!(told, Told::Snapshot { .. }))
        .await
    else {
        unreachable!()
    };
    assert_eq!(via, Via::Announced { by: harbour.id() });
    assert_eq!(author, alice.id());
    assert_eq!(seen, bytes);

    // The same activity again is the same activity.
    assert!(!harbour.federation.publish(&post).await.unwrap());
}

#[tokio::test]
async fn people_get_cards_and_villages_get_snapshots() {
    let alice = Server::start("alice", "actor", ActorKind::Person).await;
    let village = Server::start("orchard", "village", ActorKind::Group).await;
    let person = Server::start("carol", "actor", ActorKind::Person).await;
    village
        .federation
        .follow("village", &alice.id())
        .await
        .unwrap();
    person
        .federation
        .follow("actor", &alice.id())
        .await
        .unwrap();
    village.told(is_accepted).await;
    person.told(is_accepted).await;

    let snapshot = alice.snapshot(1);
    let card = serde_json::json!({
        "id": alice.federation.object_id("cards", "2026-w47"),
        "type": "Note",
        "attributedTo": alice.id(),
        "content": "<p>A good week.</p>",
    });
    for post in [
        alice
            .federation
            .create("actor", "s-1", &snapshot, Audience::Villages),
        alice
            .federation
            .create("actor", "c-1", &card, Audience::People),
        alice
            .federation
            .update("actor", "c-1-1", &card, Audience::People),
    ] {
        alice.federation.publish(&post.unwrap()).await.unwrap();
    }
    village
        .told(|told| matches!(told, Told::Snapshot { .. }))
        .await;
    person
        .told(|told| matches!(told, Told::Note { update: true, .. }))
        .await;
    let notes = |server: &Server| {
        let told = server.all_told();
        told.iter()
            .filter(|told| matches!(told, Told::Note { .. }))
            .count()
    };
    assert_eq!((notes(&village), notes(&person)), (0, 2));
    // The card and its change keep their order.
    let order: Vec<_> = person
        .all_told()
        .into_iter()
        .filter_map(|told| match told {
            Told::Note { update, .. } => Some(update),
            _ => None,
        })
        .collect();
    assert_eq!(order, [false, true]);
}

/// Advisory 29 (CVE-2025-30741): nothing for a follower whom nobody has let in.
#[tokio::test]
async fn a_waiting_follower_gets_nothing_until_accepted() {
    let alice = Server::start("alice", "actor", ActorKind::Person).await;
    let carol = Server::start("carol", "actor", ActorKind::Person).await;
    *alice.host.decision.lock().unwrap() = FollowDecision::Hold;
    carol.federation.follow("actor", &alice.id()).await.unwrap();
    alice
        .told(|told| {
            matches!(
                told,
                Told::Follow {
                    state: Some(RelationState::Pending),
                    ..
                }
            )
        })
        .await;

    let post = alice
        .federation
        .create("actor", "s-1", &alice.snapshot(1), Audience::Followers);
    alice.federation.publish(&post.unwrap()).await.unwrap();
    alice
        .until("SELECT COUNT(*) FROM fed_posts WHERE spread = FALSE", 0)
        .await;
    assert_eq!(alice.count("SELECT COUNT(*) FROM fed_deliveries").await, 0);

    alice
        .federation
        .accept_follower("actor", &carol.id())
        .await
        .unwrap();
    carol.told(is_accepted).await;
    let post = alice
        .federation
        .create("actor", "s-2", &alice.snapshot(2), Audience::Followers);
    alice.federation.publish(&post.unwrap()).await.unwrap();
    let got = carol
        .told(|told| matches!(told, Told::Snapshot { .. }))
        .await;
    assert!(matches!(got, Told::Snapshot { sequence: 2, .. }));
}

#[tokio::test]
async fn a_declined_follower_hears_it_and_a_follower_may_leave() {
    let alice = Server::start("alice", "actor", ActorKind::Person).await;
    let carol = Server::start("carol", "actor", ActorKind::Person).await;
    *alice.host.decision.lock().unwrap() = FollowDecision::Reject;
    carol.federation.follow("actor", &alice.id()).await.unwrap();
    carol
        .told(|told| {
            matches!(
                told,
                Told::Follow {
                    state: Some(RelationState::Rejected),
                    ..
                }
            )
        })
        .await;

    *alice.host.decision.lock().unwrap() = FollowDecision::Accept;
    carol.federation.follow("actor", &alice.id()).await.unwrap();
    carol.told(is_accepted).await;
    assert!(
        carol
            .federation
            .unfollow("actor", &alice.id())
            .await
            .unwrap()
    );
    alice
        .told(|told| matches!(told, Told::Follow { state: None, .. }))
        .await;
    alice.until("SELECT COUNT(*) FROM fed_relations", 0).await;
    assert!(
        !carol
            .federation
            .unfollow("actor", &alice.id())
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_blocked_follower_is_not_heard_until_the_block_is_lifted() {
    let alice = Server::start("alice", "actor", ActorKind::Person).await;
    let carol = Server::start("carol", "actor", ActorKind::Person).await;
    carol.federation.follow("actor", &alice.id()).await.unwrap();
    carol.told(is_accepted).await;
    alice
        .federation
        .block_follower("actor", &carol.id())
        .await
        .unwrap();
    let declined = |told: &Told| {
        matches!(
            told,
            Told::Follow {
                state: Some(RelationState::Rejected),
                ..
            }
        )
    };
    carol.told(declined).await;
    // Neither asking again nor leaving lifts it.
    let settled = "SELECT COUNT(*) FROM fed_inbox WHERE state = 'pending'";
    for _ in 0..2 {
        carol.federation.follow("actor", &alice.id()).await.unwrap();
        carol
            .federation
            .unfollow("actor", &alice.id())
            .await
            .unwrap();
    }
    let blocked = "SELECT COUNT(*) FROM fed_relations WHERE state = 'blocked'";
    alice.until(settled, 0).await;
    alice.until(blocked, 1).await;
    let id = carol.id();
    let lifted = alice.federation.unblock_follower("actor", &id).await;
    assert!(lifted.unwrap());
    let again = alice.federation.unblock_follower("actor", &id).await;
    assert!(!again.unwrap());
    carol.federation.follow("actor", &alice.id()).await.unwrap();
    let let_in = "SELECT COUNT(*) FROM fed_relations WHERE state = 'accepted'";
    alice.until(let_in, 1).await;
}

#[tokio::test]
async fn a_host_that_fails_is_asked_again() {
    let alice = Server::start("alice", "actor", ActorKind::Person).await;
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    orchard
        .federation
        .follow("village", &alice.id())
        .await
        .unwrap();
    orchard.told(is_accepted).await;
    *orchard.host.failures.lock().unwrap() = 2;
    let post = alice
        .federation
        .create("actor", "s-1", &alice.snapshot(1), Audience::Villages);
    alice.federation.publish(&post.unwrap()).await.unwrap();
    orchard
        .told(|told| matches!(told, Told::Snapshot { .. }))
        .await;
    let snapshots = orchard
        .all_told()
        .iter()
        .filter(|told| matches!(told, Told::Snapshot { .. }))
        .count();
    assert_eq!(snapshots, 1);
}

#[tokio::test]
async fn an_actor_that_is_gone_is_forgotten() {
    let alice = Server::start("alice", "actor", ActorKind::Person).await;
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    orchard
        .federation
        .follow("village", &alice.id())
        .await
        .unwrap();
    orchard.told(is_accepted).await;
    let post = alice
        .federation
        .delete("actor", "end", &alice.id(), Audience::Everyone)
        .unwrap();
    alice.federation.publish(&post).await.unwrap();
    orchard
        .told(|told| *told == Told::Deleted(Deletion::Actor(alice.id())))
        .await;
    orchard.inbox_settled().await;
    let known = orchard
        .store
        .relation(&orchard.id(), &alice.id(), Direction::Following)
        .await;
    assert_eq!(known.unwrap(), None);
    assert_eq!(orchard.count("SELECT COUNT(*) FROM fed_actors").await, 0);
}
