//! Well-signed letters with false contents: what others own, what nobody said.

use farmops_federation::{ActorKind, RelationState};
use farmops_protocol::key::SecretKey;
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    cast::{Server, Told, signed_snapshot},
    peer::{Answer, Peer},
};

/// A farmer on a server of another make, who shows a farm key.
struct Farmer {
    peer: Peer,
    farm: SecretKey,
}

impl Farmer {
    async fn start(name: &str) -> Self {
        let farmer = Self {
            peer: Peer::with_actor(name).await,
            farm: SecretKey::generate(&mut rand::rng()),
        };
        farmer
            .peer
            .show(&format!("/users/{name}"), &farmer.actor(name));
        farmer
    }

    fn actor(&self, name: &str) -> Value {
        let mut actor = self.peer.actor(name);
        let id = self.peer.at(&format!("/users/{name}"));
        actor["assertionMethod"] = json!([{
            "id": format!("{id}#farm-key"),
            "type": "Multikey",
            "controller": id,
            "publicKeyMultibase": self.farm.public(),
        }]);
        actor
    }

    fn snapshot(&self, name: &str, key: &SecretKey, sequence: u64) -> Value {
        let id = self.peer.at(&format!("/snapshots/{sequence}"));
        signed_snapshot(&id, &self.peer.at(&format!("/users/{name}")), key, sequence)
    }

    fn says(&self, name: &str, kind: &str, n: u32, object: &Value) -> Value {
        json!({
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": self.peer.at(&format!("/activities/{n}")),
            "type": kind,
            "actor": self.peer.at(&format!("/users/{name}")),
            "object": object,
        })
    }
}

/// Orchard follows the peer's actor, who agreed.
async fn followed(orchard: &Server, peer: &Peer, name: &str) {
    let actor = peer.at(&format!("/users/{name}"));
    let relation = orchard.federation.follow("village", &actor).await.unwrap();
    let accept = json!({
        "id": peer.at(&format!("/accepts/{name}")),
        "type": "Accept",
        "actor": actor,
        "object": relation.follow_id,
    });
    let inbox = orchard.url.join("ap/inbox").unwrap();
    assert_eq!(peer.send(&inbox, &accept).await.0, StatusCode::ACCEPTED);
    orchard
        .told(|told| matches!(told, Told::Follow { remote, state: Some(RelationState::Accepted), .. } if *remote == actor))
        .await;
}

fn snapshots(server: &Server) -> usize {
    server
        .all_told()
        .iter()
        .filter(|told| matches!(told, Told::Snapshot { .. }))
        .count()
}

#[tokio::test]
async fn a_forged_snapshot_is_refused_at_the_door() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let mallory = Farmer::start("mallory").await;
    followed(&orchard, &mallory.peer, "mallory").await;
    let inbox = orchard.url.join("ap/inbox").unwrap();
    let good = mallory.snapshot("mallory", &mallory.farm, 1);
    let mut richer = good.clone();
    richer["farm:totalCoins"] = json!(9_999_999);
    let mut retitled = good.clone();
    retitled["content"] = json!("<p>Another text</p>");
    let mut unsigned = good.clone();
    unsigned.as_object_mut().unwrap().remove("proof");
    let mut float = good.clone();
    float["farm:totalCoins"] = json!(1250.5);
    let stranger = SecretKey::generate(&mut rand::rng());
    let other_key = mallory.snapshot("mallory", &stranger, 1);
    let mut other_method = good.clone();
    other_method["proof"]["verificationMethod"] =
        json!(format!("{}#other", mallory.peer.at("/users/mallory")));
    let received = orchard.count("SELECT COUNT(*) FROM fed_inbox").await;
    for (n, forged) in [richer, retitled, unsigned, float, other_key, other_method]
        .into_iter()
        .enumerate()
    {
        for kind in ["Create", "Update"] {
            let activity = mallory.says("mallory", kind, 100, &forged);
            let (status, problem) = mallory.peer.send(&inbox, &activity).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{n} {kind}");
            let field = problem["field"].as_str().unwrap();
            assert!(field.starts_with("object"), "{field}");
        }
    }
    assert_eq!(
        orchard.count("SELECT COUNT(*) FROM fed_inbox").await,
        received
    );
    assert_eq!(snapshots(&orchard), 0);
    // The honest one passes the same door.
    let activity = mallory.says("mallory", "Create", 101, &good);
    assert_eq!(
        mallory.peer.send(&inbox, &activity).await.0,
        StatusCode::ACCEPTED
    );
    orchard
        .told(|told| matches!(told, Told::Snapshot { .. }))
        .await;
}

/// Advisories 8, 14 and 22: every way in which id and owner may not fit the sender.
#[tokio::test]
async fn an_object_of_someone_else_is_refused() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let mallory = Farmer::start("mallory").await;
    let victim = Farmer::start("victim").await;
    followed(&orchard, &mallory.peer, "mallory").await;
    let inbox = orchard.url.join("ap/inbox").unwrap();
    let (own, foreign) = (&mallory.peer, &victim.peer);
    let before = orchard.all_told();
    for (id, owner) in [
        (foreign.at("/notes/1"), own.at("/users/mallory")),
        (own.at("/notes/1"), foreign.at("/users/victim")),
        (foreign.at("/notes/1"), foreign.at("/users/victim")),
        // The same host, another actor.
        (own.at("/notes/1"), own.at("/users/alice")),
    ] {
        let note = json!({
            "id": id,
            "type": "Note",
            "attributedTo": owner,
            "url": own.at("/notes/1"),
            "content": "x",
        });
        for kind in ["Create", "Update"] {
            let activity = mallory.says("mallory", kind, 7, &note);
            let (status, problem) = mallory.peer.send(&inbox, &activity).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{id} of {owner}");
            assert!(problem["field"].as_str().unwrap().starts_with("object."));
        }
    }
    // A snapshot of the victim's, honestly signed by it, is not mallory's to create.
    let stolen = victim.snapshot("victim", &victim.farm, 1);
    let activity = mallory.says("mallory", "Create", 8, &stolen);
    assert_eq!(
        mallory.peer.send(&inbox, &activity).await.0,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(orchard.all_told(), before);
}

/// Deletes reach what is the sender's: not another's object, not another actor.
#[tokio::test]
async fn nobody_deletes_what_is_not_theirs() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let mallory = Farmer::start("mallory").await;
    let victim = Farmer::start("victim").await;
    followed(&orchard, &mallory.peer, "mallory").await;
    followed(&orchard, &victim.peer, "victim").await;
    let inbox = orchard.url.join("ap/inbox").unwrap();
    for object in [victim.peer.at("/users/victim"), victim.peer.at("/notes/1")] {
        let activity = mallory.says("mallory", "Delete", 9, &json!(object));
        assert_eq!(
            mallory.peer.send(&inbox, &activity).await.0,
            StatusCode::BAD_REQUEST
        );
    }
    orchard.inbox_settled().await;
    assert_eq!(orchard.count("SELECT COUNT(*) FROM fed_relations").await, 2);
    assert!(
        !orchard
            .all_told()
            .iter()
            .any(|told| matches!(told, Told::Deleted(_)))
    );
}

/// Only the one we asked, for the Follow we sent, can accept (advisory 29).
#[tokio::test]
async fn only_a_matching_accept_counts() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let mallory = Farmer::start("mallory").await;
    let victim = Farmer::start("victim").await;
    let asked = victim.peer.at("/users/victim");
    let relation = orchard.federation.follow("village", &asked).await.unwrap();
    let follow = json!({
        "id": relation.follow_id, "type": "Follow", "actor": orchard.id(), "object": asked,
    });
    let inbox = orchard.url.join("ap/inbox").unwrap();
    let mut invented = follow.clone();
    invented["id"] = json!(orchard.url.join("ap/activities/invented").unwrap());
    let mut nameless = follow.clone();
    nameless.as_object_mut().unwrap().remove("id");
    for (n, (from, name, object)) in [
        (&mallory, "mallory", &follow),
        (&mallory, "mallory", &json!(relation.follow_id)),
        (&victim, "victim", &invented),
        (&victim, "victim", &nameless),
    ]
    .into_iter()
    .enumerate()
    {
        let number = u32::try_from(n).unwrap();
        let activity = from.says(name, "Accept", 20 + number, object);
        assert_eq!(
            from.peer.send(&inbox, &activity).await.0,
            StatusCode::ACCEPTED
        );
        orchard.inbox_settled().await;
        let accepted = "SELECT COUNT(*) FROM fed_relations WHERE state = 'accepted'";
        assert_eq!(orchard.count(accepted).await, 0, "{n}");
    }
    assert_eq!(orchard.all_told(), []);
}

/// Advisory 10: what reshapes a signed Undo is not an Undo; only the follower leaves.
#[tokio::test]
async fn only_the_follower_undoes() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let mallory = Farmer::start("mallory").await;
    let victim = Farmer::start("victim").await;
    let inbox = orchard.url.join("ap/inbox").unwrap();
    let follow = victim.says("victim", "Follow", 1, &json!(orchard.id()));
    assert_eq!(
        victim.peer.send(&inbox, &follow).await.0,
        StatusCode::ACCEPTED
    );
    orchard
        .told(|told| matches!(told, Told::Follow { .. }))
        .await;
    let undo = mallory.says("mallory", "Undo", 2, &follow);
    assert_eq!(
        mallory.peer.send(&inbox, &undo).await.0,
        StatusCode::BAD_REQUEST
    );
    let mut own_words = follow.clone();
    own_words["actor"] = json!(mallory.peer.at("/users/mallory"));
    for object in [json!(follow["id"]), own_words] {
        let undo = mallory.says("mallory", "Undo", 3, &object);
        mallory.peer.send(&inbox, &undo).await;
        orchard.inbox_settled().await;
        assert_eq!(orchard.count("SELECT COUNT(*) FROM fed_relations").await, 1);
    }
    let undo = victim.says("victim", "Undo", 4, &follow);
    assert_eq!(
        victim.peer.send(&inbox, &undo).await.0,
        StatusCode::ACCEPTED
    );
    orchard.until("SELECT COUNT(*) FROM fed_relations", 0).await;
}

/// Advisories 9 to 12: contexts and JSON-LD shapes never change what an activity means.
#[tokio::test]
async fn json_ld_shapes_have_no_meaning() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let mallory = Farmer::start("mallory").await;
    let victim = Farmer::start("victim").await;
    let inbox = orchard.url.join("ap/inbox").unwrap();
    let hidden = victim.says("victim", "Follow", 1, &json!(orchard.id()));
    for (n, wrapper) in [
        json!({ "@graph": [hidden] }),
        json!({ "@included": [hidden] }),
        json!({ "@reverse": { "object": hidden } }),
        json!({ "@context": { "Like": "https://www.w3.org/ns/activitystreams#Follow" } }),
        json!({ "signature": { "type": "RsaSignature2017", "creator": "x", "signatureValue": "x" } }),
    ]
    .into_iter()
    .enumerate()
    {
        let number = u32::try_from(n).unwrap();
        let mut activity = mallory.says("mallory", "Like", number, &json!(orchard.id()));
        activity.as_object_mut().unwrap().extend(wrapper.as_object().unwrap().clone());
        assert_eq!(mallory.peer.send(&inbox, &activity).await.0, StatusCode::ACCEPTED);
    }
    orchard.inbox_settled().await;
    assert_eq!(orchard.all_told(), []);
    assert_eq!(orchard.count("SELECT COUNT(*) FROM fed_relations").await, 0);
    assert_eq!(victim.peer.seen().len(), 0);
}

/// A village vouches for nothing: what it passes on counts by its author's proof alone.
#[tokio::test]
async fn a_village_cannot_forge_a_farm() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let mallory = Farmer::start("mallory").await;
    let victim = Farmer::start("victim").await;
    followed(&orchard, &mallory.peer, "mallory").await;
    let inbox = orchard.url.join("ap/inbox").unwrap();
    let good = victim.snapshot("victim", &victim.farm, 3);
    let mut richer = good.clone();
    richer["farm:totalCoins"] = json!(9_999_999);
    // Signed by mallory's own farm, in the victim's name.
    let renamed = victim.snapshot("victim", &mallory.farm, 3);
    let mut moved = good.clone();
    moved["id"] = json!(mallory.peer.at("/snapshots/3"));
    for (n, forged) in [richer, renamed, moved].into_iter().enumerate() {
        let number = u32::try_from(n).unwrap();
        let activity = mallory.says("mallory", "Announce", 30 + number, &forged);
        assert_eq!(
            mallory.peer.send(&inbox, &activity).await.0,
            StatusCode::ACCEPTED
        );
        orchard.inbox_settled().await;
        assert_eq!(snapshots(&orchard), 0, "{n}");
    }
    assert_eq!(
        orchard
            .count("SELECT COUNT(*) FROM fed_inbox WHERE state = 'dead'")
            .await,
        3
    );
    let activity = mallory.says("mallory", "Announce", 40, &good);
    mallory.peer.send(&inbox, &activity).await;
    orchard
        .told(|told| matches!(told, Told::Snapshot { .. }))
        .await;
}

/// Whom nobody follows is heard and not shown; a snapshot from someone whose answer to our
/// Follow is still under way waits for it.
#[tokio::test]
async fn only_the_followed_are_shown() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let alice = Farmer::start("alice").await;
    let inbox = orchard.url.join("ap/inbox").unwrap();
    let activity = alice.says(
        "alice",
        "Create",
        1,
        &alice.snapshot("alice", &alice.farm, 1),
    );
    assert_eq!(
        alice.peer.send(&inbox, &activity).await.0,
        StatusCode::ACCEPTED
    );
    orchard.inbox_settled().await;
    assert_eq!(orchard.all_told(), []);

    let relation = orchard
        .federation
        .follow("village", &alice.peer.at("/users/alice"))
        .await
        .unwrap();
    let early = alice.says(
        "alice",
        "Create",
        2,
        &alice.snapshot("alice", &alice.farm, 2),
    );
    assert_eq!(
        alice.peer.send(&inbox, &early).await.0,
        StatusCode::ACCEPTED
    );
    let accept = alice.says("alice", "Accept", 3, &json!(relation.follow_id));
    assert_eq!(
        alice.peer.send(&inbox, &accept).await.0,
        StatusCode::ACCEPTED
    );
    let told = orchard
        .told(|told| matches!(told, Told::Snapshot { .. }))
        .await;
    assert!(matches!(told, Told::Snapshot { sequence: 2, .. }));
}

/// A profile update may not change the farm's key silently (GoToSocial#3198): the new one is
/// offered to a person, and the old one holds until she takes it.
#[tokio::test]
async fn a_farm_key_never_changes_silently() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let mut alice = Farmer::start("alice").await;
    followed(&orchard, &alice.peer, "alice").await;
    let inbox = orchard.url.join("ap/inbox").unwrap();
    let id = alice.peer.at("/users/alice");
    let old = std::mem::replace(&mut alice.farm, SecretKey::generate(&mut rand::rng()));

    // The activity shows one thing, the document at the actor's id another: the document counts.
    let mut lie = alice.actor("alice");
    lie["name"] = json!("Mallory");
    let mut truth = alice.actor("alice");
    truth["name"] = json!("Alice's new farm");
    alice.peer.show("/users/alice", &truth);
    let update = alice.says("alice", "Update", 1, &lie);
    assert_eq!(
        alice.peer.send(&inbox, &update).await.0,
        StatusCode::ACCEPTED
    );
    orchard
        .told(|told| *told == Told::Changed(id.clone()))
        .await;
    let known = orchard.federation.known_actor(&id).await.unwrap().unwrap();
    assert_eq!(known.name, "Alice's new farm");
    assert_eq!(known.farm_key.unwrap().key, old.public());
    assert_eq!(known.farm_key_offered.unwrap().key, alice.farm.public());

    let new = alice.says(
        "alice",
        "Create",
        2,
        &alice.snapshot("alice", &alice.farm, 1),
    );
    assert_eq!(
        alice.peer.send(&inbox, &new).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    orchard
        .federation
        .trust_offered_farm_key(&id)
        .await
        .unwrap();
    assert_eq!(alice.peer.send(&inbox, &new).await.0, StatusCode::ACCEPTED);
    orchard
        .told(|told| matches!(told, Told::Snapshot { .. }))
        .await;
}

/// Advisory 14: an Update of another actor on the same host changes nobody.
#[tokio::test]
async fn nobody_updates_a_neighbour() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let mallory = Farmer::start("mallory").await;
    followed(&orchard, &mallory.peer, "mallory").await;
    let inbox = orchard.url.join("ap/inbox").unwrap();
    let neighbour = mallory.peer.actor("neighbour");
    // Our Follow is on its way, too.
    mallory.peer.received("/users/mallory/inbox", 1).await;
    let before = mallory.peer.seen().len();
    let update = mallory.says("mallory", "Update", 1, &neighbour);
    assert_eq!(
        mallory.peer.send(&inbox, &update).await.0,
        StatusCode::ACCEPTED
    );
    orchard.inbox_settled().await;
    assert_eq!(mallory.peer.seen().len(), before);
    assert_eq!(orchard.count("SELECT COUNT(*) FROM fed_actors").await, 1);
}

/// Advisory 27: what always fails ends laid aside, and what comes after it is processed.
#[tokio::test]
async fn a_poisoned_activity_is_laid_aside() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let mallory = Farmer::start("mallory").await;
    let victim = Farmer::start("victim").await;
    followed(&orchard, &mallory.peer, "mallory").await;
    let inbox = orchard.url.join("ap/inbox").unwrap();
    victim
        .peer
        .on("/users/victim", &[Answer::of("text/html", &json!("gone"))]);
    let bad = mallory.says(
        "mallory",
        "Announce",
        1,
        &victim.snapshot("victim", &victim.farm, 1),
    );
    let good = mallory.says(
        "mallory",
        "Create",
        2,
        &mallory.snapshot("mallory", &mallory.farm, 1),
    );
    mallory.peer.send(&inbox, &bad).await;
    mallory.peer.send(&inbox, &good).await;
    orchard
        .told(|told| matches!(told, Told::Snapshot { .. }))
        .await;
    orchard.inbox_settled().await;
    assert_eq!(
        orchard
            .count("SELECT COUNT(*) FROM fed_inbox WHERE state = 'dead'")
            .await,
        1
    );
}

/// Advisories 27 and 33 (CVE-2026-50129, CVE-2025-32944): an activity that makes the handler panic
/// stops neither what comes after it nor the next start.
#[tokio::test]
async fn an_activity_that_sets_off_a_panic_stops_nothing() {
    let mut orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let mallory = Farmer::start("mallory").await;
    followed(&orchard, &mallory.peer, "mallory").await;
    let inbox = orchard.url.join("ap/inbox").unwrap();
    let note = json!({
        "id": mallory.peer.at("/notes/poison"),
        "type": "Note",
        "attributedTo": mallory.peer.at("/users/mallory"),
        "content": "x",
    });
    let poison = mallory.says("mallory", "Create", 1, &note);
    assert_eq!(
        mallory.peer.send(&inbox, &poison).await.0,
        StatusCode::ACCEPTED
    );
    orchard
        .until("SELECT COUNT(*) FROM fed_inbox WHERE attempts > 0", 1)
        .await;
    orchard.crash().await;
    orchard.restart().await;
    let good = mallory.snapshot("mallory", &mallory.farm, 1);
    let good = mallory.says("mallory", "Create", 2, &good);
    assert_eq!(
        mallory.peer.send(&inbox, &good).await.0,
        StatusCode::ACCEPTED
    );
    orchard
        .told(|told| matches!(told, Told::Snapshot { .. }))
        .await;
}

/// Advisory 23 (CVE-2025-32947): endless and cyclic collections cost nothing, because a peer's
/// collections are never read; what we want to know is sent to us.
#[tokio::test]
async fn the_collections_of_others_are_never_walked() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let mallory = Farmer::start("mallory").await;
    let id = mallory.peer.at("/users/mallory");
    let mut actor = mallory.actor("mallory");
    let collections = ["outbox", "followers", "following", "featured", "replies"];
    for name in collections {
        let url = mallory.peer.at(&format!("/users/mallory/{name}"));
        actor[name] = json!(url);
        let endless = json!({
            "id": url, "type": "OrderedCollection", "totalItems": 9_007_199_254_740_991_u64,
            "first": orchard.url.join("ap/village/outbox?page=true").unwrap(), "next": url,
        });
        mallory
            .peer
            .show(&format!("/users/mallory/{name}"), &endless);
    }
    mallory.peer.show("/users/mallory", &actor);
    followed(&orchard, &mallory.peer, "mallory").await;
    let inbox = orchard.url.join("ap/inbox").unwrap();
    for (n, (kind, object)) in [
        ("Announce", json!(mallory.peer.at("/users/mallory/outbox"))),
        ("Update", actor),
        ("Create", mallory.snapshot("mallory", &mallory.farm, 1)),
    ]
    .into_iter()
    .enumerate()
    {
        let number = u32::try_from(n).unwrap();
        let activity = mallory.says("mallory", kind, number, &object);
        assert_eq!(
            mallory.peer.send(&inbox, &activity).await.0,
            StatusCode::ACCEPTED,
            "{kind}"
        );
    }
    orchard
        .told(|told| matches!(told, Told::Snapshot { .. }))
        .await;
    orchard.inbox_settled().await;
    orchard.federation.refresh_actor(&id).await.unwrap();
    let asked: Vec<_> = mallory.peer.seen().into_iter().map(|s| s.target).collect();
    let walked: Vec<_> = asked
        .iter()
        .filter(|target| collections.iter().any(|name| target.ends_with(name)))
        .collect();
    // The announced one was looked at once, as any object that somebody names, and led nowhere.
    assert!(walked.len() <= 1, "{walked:?}");
}
