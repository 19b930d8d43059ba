//! Villages among each other.

use farmops_federation::{ActorKind, FollowDecision, PeerState, RelationState};

use super::cast::{Server, Told};

async fn two_villages() -> (Server, Server) {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let harbour = Server::start("harbour", "village", ActorKind::Group).await;
    for village in [&orchard, &harbour] {
        *village.host.decision.lock().unwrap() = FollowDecision::Hold;
    }
    (orchard, harbour)
}

async fn state(of: &Server) -> Vec<PeerState> {
    of.federation
        .peers("village")
        .await
        .unwrap()
        .iter()
        .map(|peer| peer.state)
        .collect()
}

fn follower(state: Option<RelationState>) -> impl Fn(&Told) -> bool {
    move |told| matches!(told, Told::Follow { direction: "follower", state: s, .. } if *s == state)
}

#[tokio::test]
async fn two_villages_federate_when_both_agree() {
    let (orchard, harbour) = two_villages().await;
    let found = orchard.federation.discover(&harbour.url).await.unwrap();
    assert_eq!(found.id, harbour.id());
    let peer = orchard
        .federation
        .connect("village", &found.id)
        .await
        .unwrap();
    assert_eq!(
        (peer.state, peer.wanted, peer.asked),
        (PeerState::Pending, true, false)
    );
    harbour.told(follower(Some(RelationState::Pending))).await;
    assert_eq!(state(&harbour).await, [PeerState::Pending]);

    harbour
        .federation
        .accept_peer("village", &orchard.id())
        .await
        .unwrap();
    // Orchard asked first, so it lets Harbour follow back without asking a person again.
    orchard.told(follower(Some(RelationState::Accepted))).await;
    harbour
        .told(|told| {
            matches!(
                told,
                Told::Follow {
                    direction: "following",
                    state: Some(RelationState::Accepted),
                    ..
                }
            )
        })
        .await;
    orchard
        .until(
            "SELECT COUNT(*) FROM fed_relations WHERE state = 'accepted'",
            2,
        )
        .await;
    assert_eq!(state(&orchard).await, [PeerState::Active]);
    assert_eq!(state(&harbour).await, [PeerState::Active]);

    let host = format!(
        "{}:{}",
        orchard.url.host_str().unwrap(),
        orchard.url.port().unwrap()
    );
    harbour.federation.block_host(&host).await.unwrap();
    assert_eq!(state(&harbour).await, [PeerState::Blocked]);
    assert!(
        harbour
            .federation
            .connect("village", &orchard.id())
            .await
            .is_err()
    );
    harbour.federation.unblock_host(&host).await.unwrap();
    assert_eq!(state(&harbour).await, [PeerState::Active]);
}

#[tokio::test]
async fn a_farmer_is_no_peer() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let alice = Server::start("alice", "actor", ActorKind::Person).await;
    assert!(
        orchard
            .federation
            .connect("village", &alice.id())
            .await
            .is_err()
    );
    assert!(
        orchard
            .federation
            .peers("village")
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(orchard.count("SELECT COUNT(*) FROM fed_relations").await, 0);
}
