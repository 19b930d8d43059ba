//! Signed, by whom, and over what.

use farmops_federation::{ActorKind, signature::digest};
use http::StatusCode;
use serde_json::{Value, json};
use url::Url;

use super::{
    cast::{Server, client, keys},
    peer::{Answer, Letter, Peer, now},
};

async fn orchard_and_mallory() -> (Server, Peer, Url) {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let mallory = Peer::with_actor("mallory").await;
    let inbox = orchard.url.join("ap/village/inbox").unwrap();
    (orchard, mallory, inbox)
}

fn follow(from: &Peer, name: &str, whom: &Url) -> Value {
    json!({
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": from.at("/follows/1"),
        "type": "Follow",
        "actor": from.at(&format!("/users/{name}")),
        "object": whom,
    })
}

#[tokio::test]
async fn a_good_signature_is_taken() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    let (status, _) = mallory
        .send(&inbox, &follow(&mallory, "mallory", &orchard.id()))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let answers = mallory.received("/users/mallory/inbox", 1).await;
    let accept = answers[0].json();
    assert_eq!(accept["type"], "Accept");
    assert_eq!(accept["object"]["id"], mallory.at("/follows/1").as_str());
    // The answer is itself signed, over its body.
    let headers = &answers[0].headers;
    assert!(digest::matches(
        headers["digest"].to_str().unwrap(),
        &answers[0].body
    ));
    let signature = headers["signature"].to_str().unwrap();
    assert!(signature.contains("(request-target)") && signature.contains("digest"));
}

/// A key at its own address, as GoToSocial has it, and `(created)` instead of a date.
#[tokio::test]
async fn other_usual_forms_are_taken() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    let key_id = mallory.at("/users/mallory/main-key");
    let mut actor = mallory.actor("mallory");
    actor["publicKey"]["id"] = json!(key_id);
    mallory.show("/users/mallory", &actor);
    let body = follow(&mallory, "mallory", &orchard.id())
        .to_string()
        .into_bytes();
    let covered = [
        "(request-target)",
        "host",
        "(created)",
        "digest",
        "content-type",
    ];
    let second = now().second();
    let letter = Letter::covering(
        &inbox,
        body,
        key_id.as_str(),
        &mallory.keys,
        &covered,
        second,
    );
    assert_eq!(letter.post(&inbox).await.0, StatusCode::ACCEPTED);
}

/// Advisory 1 (CVE-2025-54888): the key must be the actor's before anything happens.
#[tokio::test]
async fn a_key_of_someone_else_does_nothing() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    let victim = Peer::with_actor("victim").await;
    let activity = follow(&victim, "victim", &orchard.id());
    for key_id in [
        mallory.at("/users/mallory#main-key"),
        victim.at("/users/victim#main-key"),
        victim.at("/users/victim#other-key"),
    ] {
        let (status, problem) = mallory
            .send_signed(&inbox, &activity, key_id.as_str(), |_| {})
            .await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{key_id}");
        assert_eq!(problem["field"], "signature");
        orchard.assert_untouched().await;
    }
}

/// Advisory 1 on one host: two actors of one server are two actors.
#[tokio::test]
async fn a_neighbour_on_the_same_host_is_someone_else() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    let mut alice = mallory.actor("alice");
    alice["publicKey"]["publicKeyPem"] = json!(keys("alice-at-mallory").public_pem());
    mallory.show("/users/alice", &alice);
    let activity = follow(&mallory, "alice", &orchard.id());
    for key in ["/users/mallory#main-key", "/users/alice#main-key"] {
        let key_id = mallory.at(key);
        let (status, _) = mallory
            .send_signed(&inbox, &activity, key_id.as_str(), |_| {})
            .await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{key}");
    }
    orchard.assert_untouched().await;
}

/// A key document that names another owner, or a key of another server, is not the actor's key.
#[tokio::test]
async fn key_and_actor_must_name_each_other() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    let activity = follow(&mallory, "mallory", &orchard.id());
    for (pointer, value) in [
        (
            "/publicKey/owner",
            json!("http://victim.localhost/users/victim"),
        ),
        ("/publicKey/owner", json!(mallory.at("/users/alice"))),
        (
            "/publicKey/id",
            json!("http://victim.localhost/users/victim#main-key"),
        ),
        (
            "/publicKey/publicKeyPem",
            json!("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"),
        ),
        ("/publicKey/publicKeyPem", json!("x".repeat(5000))),
        ("/inbox", json!("http://victim.localhost/inbox")),
        ("/id", json!(mallory.at("/users/alice"))),
    ] {
        let mallory = Peer::with_actor("mallory").await;
        let mut actor = mallory.actor("mallory");
        *actor.pointer_mut(pointer).unwrap() = value;
        mallory.show("/users/mallory", &actor);
        let (status, _) = mallory
            .send(&inbox, &follow(&mallory, "mallory", &orchard.id()))
            .await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{pointer}");
        orchard.assert_untouched().await;
    }
    drop(activity);
}

/// Advisory 2 (CVE-2026-28432): unsigned, half-signed, changed after signing.
#[tokio::test]
async fn a_spoilt_signature_does_nothing() {
    type Spoil = fn(&mut Letter);
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    let activity = follow(&mallory, "mallory", &orchard.id());
    let key_id = mallory.at("/users/mallory#main-key");
    let spoils: [(&str, Spoil); 14] = [
        ("signature", |l| l.without("signature")),
        ("signature", |l| l.header("signature").clear()),
        ("signature", |l| {
            let signature = l.header("signature").clone();
            l.add("signature", &signature);
        }),
        ("signature", |l| {
            l.header("signature")
                .push_str(",keyId=\"http://victim.localhost/u\"");
        }),
        ("signature", |l| {
            let spoilt = l.header("signature").replace(" digest", "");
            *l.header("signature") = spoilt;
        }),
        ("signature", |l| {
            let spoilt = l.header("signature").replace("(request-target) host ", "");
            *l.header("signature") = spoilt;
        }),
        ("signature", |l| {
            l.header("signature")
                .push_str(",created=18446744073709551615");
        }),
        ("date", |l| l.header("signature").push_str(",expires=1")),
        ("signature", |l| l.without("date")),
        ("signature", |l| {
            let date = l.header("date").clone();
            l.add("date", &date);
        }),
        ("signature", |l| l.without("digest")),
        ("digest", |l| {
            *l.header("digest") = "MD5=1B2M2Y8AsgTpgAmY7PhCfg==".to_owned();
        }),
        ("digest", |l| l.body.push(b' ')),
        ("digest", |l| {
            let digest = l.header("digest").clone();
            *l.header("digest") = format!("{digest},{digest}");
        }),
    ];
    for (at, (field, spoil)) in spoils.into_iter().enumerate() {
        let (status, problem) = mallory
            .send_signed(&inbox, &activity, key_id.as_str(), spoil)
            .await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{at}");
        assert_eq!(problem["field"], field, "{at}");
    }
    assert_eq!(
        mallory.seen().len(),
        0,
        "nothing was fetched for any of them"
    );
    orchard.assert_untouched().await;
}

/// Advisory 2: every covered byte counts.
#[tokio::test]
async fn every_signed_header_is_bound() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    let activity = follow(&mallory, "mallory", &orchard.id());
    let key_id = mallory.at("/users/mallory#main-key");
    // A digest that fits another body, a date moved by a second, another target.
    let other = activity.to_string() + " ";
    let (status, _) = mallory
        .send_signed(&inbox, &activity, key_id.as_str(), |letter| {
            letter.body = other.clone().into_bytes();
            *letter.header("digest") = digest::of(other.as_bytes());
        })
        .await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let shared = orchard.url.join("ap/inbox").unwrap();
    let body = activity.to_string().into_bytes();
    let letter = Letter::signed(&inbox, body, key_id.as_str(), &mallory.keys);
    assert_eq!(letter.post(&shared).await.0, StatusCode::UNAUTHORIZED);
    orchard.assert_untouched().await;
}

/// Advisory 2 (CVE-2026-28432): one changed bit anywhere in what is signed, in the signature, or in
/// the names it claims, and nothing happens.
#[tokio::test]
async fn every_byte_of_a_signed_request_counts() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    // Known, so that no fetch stands between a changed byte and its verification.
    let known = follow(&mallory, "mallory", &orchard.id());
    assert_eq!(mallory.send(&inbox, &known).await.0, StatusCode::ACCEPTED);
    orchard.inbox_settled().await;
    let before = orchard.count("SELECT COUNT(*) FROM fed_inbox").await;

    let mut activity = known.clone();
    activity["id"] = json!(mallory.at("/follows/2"));
    let key_id = mallory.at("/users/mallory#main-key");
    let body = activity.to_string().into_bytes();
    let letter = Letter::signed(&inbox, body, key_id.as_str(), &mallory.keys);
    let mut changed = Vec::new();
    for at in 0..letter.body.len() {
        let mut copy = letter.clone();
        copy.body[at] ^= 1;
        changed.push(copy);
    }
    let signature = letter.clone().header("signature").clone();
    // Everything but `algorithm`, which no reader believes and which is not covered.
    let skipped = signature.find("algorithm=").unwrap()..signature.find("headers=").unwrap();
    for name in ["host", "date", "digest", "signature"] {
        let value = letter.clone().header(name).clone();
        for at in 0..value.len() {
            let byte = value.as_bytes()[at] ^ 1;
            if (name == "signature" && skipped.contains(&at)) || !(b' '..b'\x7f').contains(&byte) {
                continue;
            }
            let mut copy = letter.clone();
            let value = copy.header(name);
            value.replace_range(at..=at, &char::from(byte).to_string());
            if value.trim() != letter.clone().header(name).as_str() {
                changed.push(copy);
            }
        }
    }
    let client = client();
    for copy in changed {
        let shown = format!("{:?}", copy.headers);
        let (status, _) = copy.post_with(&client, &inbox).await;
        let refused = [StatusCode::UNAUTHORIZED, StatusCode::BAD_REQUEST].contains(&status);
        assert!(refused, "{status} for {shown}");
    }
    assert_eq!(
        orchard.count("SELECT COUNT(*) FROM fed_inbox").await,
        before
    );
    // The unchanged one passes the same door.
    assert_eq!(letter.post(&inbox).await.0, StatusCode::ACCEPTED);
}

/// Signed properly, but too little: method, host, body or time is not covered; or another host.
#[tokio::test]
async fn a_signature_that_covers_too_little_does_nothing() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    let body = follow(&mallory, "mallory", &orchard.id())
        .to_string()
        .into_bytes();
    let key_id = mallory.at("/users/mallory#main-key");
    let second = now().second();
    for covered in [
        &["date"][..],
        &["host", "date", "digest"],
        &["(request-target)", "date", "digest"],
        &["(request-target)", "host", "digest"],
        &["(request-target)", "host", "date"],
    ] {
        let letter = Letter::covering(
            &inbox,
            body.clone(),
            key_id.as_str(),
            &mallory.keys,
            covered,
            second,
        );
        let (status, _) = letter.post(&inbox).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{covered:?}");
    }
    let elsewhere = Url::parse("http://harbour.localhost/ap/village/inbox").unwrap();
    let letter = Letter::signed(&elsewhere, body, key_id.as_str(), &mallory.keys);
    let (status, problem) = letter.post(&inbox).await;
    assert_eq!(
        (status, &problem["field"]),
        (StatusCode::UNAUTHORIZED, &json!("host"))
    );
    orchard.assert_untouched().await;
}

#[tokio::test]
async fn a_signature_holds_for_an_hour() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    let key_id = mallory.at("/users/mallory#main-key");
    for (off, want) in [
        (-3700, StatusCode::UNAUTHORIZED),
        (400, StatusCode::UNAUTHORIZED),
        (-3500, StatusCode::ACCEPTED),
        (200, StatusCode::ACCEPTED),
    ] {
        for time in ["date", "(created)"] {
            let mut activity = follow(&mallory, "mallory", &orchard.id());
            activity["id"] = json!(mallory.at(&format!("/follows/{off}{time}")));
            let covered = ["(request-target)", "host", time, "digest"];
            let letter = Letter::covering(
                &inbox,
                activity.to_string().into_bytes(),
                key_id.as_str(),
                &mallory.keys,
                &covered,
                now().second() + off,
            );
            assert_eq!(letter.post(&inbox).await.0, want, "{off} {time}");
        }
    }
}

/// A replay is answered like the first time and has no effect; not even a look at the key.
#[tokio::test]
async fn a_replay_has_no_effect() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    let body = follow(&mallory, "mallory", &orchard.id())
        .to_string()
        .into_bytes();
    let key_id = mallory.at("/users/mallory#main-key");
    let letter = Letter::signed(&inbox, body, key_id.as_str(), &mallory.keys);
    for _ in 0..3 {
        assert_eq!(letter.clone().post(&inbox).await.0, StatusCode::ACCEPTED);
    }
    mallory.received("/users/mallory/inbox", 1).await;
    orchard.inbox_settled().await;
    orchard
        .until(
            "SELECT COUNT(*) FROM fed_deliveries WHERE state = 'waiting'",
            0,
        )
        .await;
    assert_eq!(mallory.received("/users/mallory/inbox", 1).await.len(), 1);
    assert_eq!(mallory.received("/users/mallory", 1).await.len(), 1);
    assert_eq!(orchard.all_told().len(), 1);
}

/// A changed key is looked for once, not as often as someone sends garbage (advisory 25).
#[tokio::test]
async fn a_new_key_is_found_once_and_not_sought_again() {
    let (orchard, mut mallory, inbox) = orchard_and_mallory().await;
    let send = async |mallory: &Peer, n: u32| {
        let mut activity = follow(mallory, "mallory", &orchard.id());
        activity["id"] = json!(mallory.at(&format!("/follows/{n}")));
        mallory.send(&inbox, &activity).await.0
    };
    assert_eq!(send(&mallory, 1).await, StatusCode::ACCEPTED);
    // Rotated at once: the document is too fresh to be fetched again, so it must wait a while.
    mallory.keys = keys("mallory-later");
    mallory.show("/users/mallory", &mallory.actor("mallory"));
    assert_eq!(send(&mallory, 2).await, StatusCode::UNAUTHORIZED);
    orchard.clock.advance(301);
    assert_eq!(send(&mallory, 3).await, StatusCode::ACCEPTED);
    mallory.keys = keys("mallory-never-shown");
    for n in 4..14 {
        assert_eq!(send(&mallory, n).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(mallory.received("/users/mallory", 1).await.len(), 2);
}

/// Advisory 25: an actor that cannot be fetched is not sought again for a while.
#[tokio::test]
async fn a_missing_key_is_not_sought_again_and_again() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    mallory.on("/users/mallory", &[Answer::status(500)]);
    for n in 0..10 {
        let mut activity = follow(&mallory, "mallory", &orchard.id());
        activity["id"] = json!(mallory.at(&format!("/follows/{n}")));
        assert_eq!(
            mallory.send(&inbox, &activity).await.0,
            StatusCode::SERVICE_UNAVAILABLE
        );
    }
    // A second look is allowed after five seconds, should this run that slowly.
    assert!(mallory.seen().len() <= 2);
    orchard.assert_untouched().await;
}

/// A storm of Deletes from strangers costs no request (TryGhost/ActivityPub#2035).
#[tokio::test]
async fn a_delete_by_a_stranger_is_dropped() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    let actor = mallory.at("/users/mallory");
    let activity = json!({
        "id": mallory.at("/delete"), "type": "Delete", "actor": actor, "object": actor,
    });
    for _ in 0..20 {
        assert_eq!(
            mallory.send(&inbox, &activity).await.0,
            StatusCode::ACCEPTED
        );
    }
    assert_eq!(mallory.seen().len(), 0);
    orchard.assert_untouched().await;
}

/// Blocks look at every id involved (GoToSocial#593), and come before any request to the peer.
#[tokio::test]
async fn a_blocked_host_is_refused() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    let carol = Peer::with_actor("carol").await;
    let host = |peer: &Peer| {
        format!(
            "{}:{}",
            peer.url.host_str().unwrap(),
            peer.url.port().unwrap()
        )
    };
    orchard
        .federation
        .block_host(&host(&mallory).to_uppercase())
        .await
        .unwrap();
    let (status, _) = mallory
        .send(&inbox, &follow(&mallory, "mallory", &orchard.id()))
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let passed_on = json!({
        "id": carol.at("/announce/1"),
        "type": "Announce",
        "actor": carol.at("/users/carol"),
        "object": mallory.at("/notes/1"),
    });
    assert_eq!(
        carol.send(&inbox, &passed_on).await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!((mallory.seen().len(), carol.seen().len()), (0, 0));
    orchard.assert_untouched().await;
    // Lifted, it may come back.
    orchard
        .federation
        .unblock_host(&host(&mallory))
        .await
        .unwrap();
    let (status, _) = mallory
        .send(&inbox, &follow(&mallory, "mallory", &orchard.id()))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED);
}

/// Advisory 13 (CVE-2023-42451): a block holds for every way to write the host.
#[tokio::test]
async fn a_block_holds_for_every_spelling_of_a_host() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let inbox = orchard.url.join("ap/inbox").unwrap();
    let peer = Peer::start("mallory").await;
    let port = peer.url.port().unwrap();
    let blocked = [
        (format!("mallory.localhost:{port}"), "mallory.localhost"),
        (
            format!("B\u{fc}cher.localhost:{port}"),
            "xn--bcher-kva.localhost",
        ),
    ];
    for (blocked, ascii) in blocked {
        orchard.federation.block_host(&blocked).await.unwrap();
        let unicode = blocked.split(':').next().unwrap().to_lowercase();
        for host in [
            ascii.to_owned(),
            ascii.to_uppercase(),
            format!("{ascii}."),
            unicode.clone(),
            unicode.to_uppercase(),
            unicode.replace('.', "\u{3002}"),
        ] {
            let actor = format!("http://{host}:{port}/users/mallory");
            let activity = json!({
                "id": format!("http://{host}:{port}/follows/1"),
                "type": "Follow",
                "actor": actor,
                "object": orchard.id(),
            });
            // A key named in plain ASCII: the block must see the actor's host by itself.
            let key_id = format!("http://other.localhost:{port}/users/mallory#main-key");
            let (status, _) = peer.send_signed(&inbox, &activity, &key_id, |_| {}).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{host}");
        }
    }
    assert_eq!(peer.seen().len(), 0);
    orchard.assert_untouched().await;
}

#[tokio::test]
async fn bodies_that_break_a_rule_name_the_field() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    let key_id = mallory.at("/users/mallory#main-key");
    let good = follow(&mallory, "mallory", &orchard.id());
    let without = |name: &str| {
        let mut activity = good.clone();
        activity.as_object_mut().unwrap().remove(name);
        activity.to_string()
    };
    let with = |name: &str, value: Value| {
        let mut activity = good.clone();
        activity[name] = value;
        activity.to_string()
    };
    let deep = "[".repeat(40) + &"]".repeat(40);
    for (body, field) in [
        ("{".to_owned(), "$"),
        ("[]".to_owned(), "$"),
        ("\u{0}".to_owned(), "$"),
        (without("id"), "id"),
        (without("actor"), "actor"),
        (without("type"), "type"),
        (without("object"), "object"),
        (with("id", json!("http://victim.localhost/1")), "id"),
        (with("id", json!(7)), "id"),
        (
            with(
                "actor",
                json!(["http://a.localhost/1", "http://b.localhost/1"]),
            ),
            "actor",
        ),
        (with("object", json!([])), "object"),
        (with("object", json!("x".repeat(3000))), "object"),
        (with("to", json!(vec!["x"; 300])), "to"),
        (
            good.to_string()
                .replace("\"type\"", "\"id\":\"http://victim.localhost/1\",\"type\""),
            "$",
        ),
        (
            good.to_string()
                .replace("\"type\"", &format!("\"x\":{deep},\"type\"")),
            "x",
        ),
    ] {
        let letter = Letter::signed(
            &inbox,
            body.clone().into_bytes(),
            key_id.as_str(),
            &mallory.keys,
        );
        let (status, problem) = letter.post(&inbox).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body:.100}");
        let named = problem["field"].as_str().unwrap();
        assert!(named.starts_with(field), "{named} for {body:.100}");
    }
    let long = vec![b' '; 256 * 1024 + 1];
    let letter = Letter::signed(&inbox, long, key_id.as_str(), &mallory.keys);
    assert_eq!(letter.post(&inbox).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, _) = mallory
        .send_signed(&inbox, &good, key_id.as_str(), |letter| {
            *letter.header("content-type") = "text/plain".to_owned();
        })
        .await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    orchard.assert_untouched().await;
}

#[tokio::test]
async fn an_unknown_kind_is_taken_and_ignored() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    let mut activity = follow(&mallory, "mallory", &orchard.id());
    activity["type"] = json!("EmojiReact");
    assert_eq!(
        mallory.send(&inbox, &activity).await.0,
        StatusCode::ACCEPTED
    );
    orchard.inbox_settled().await;
    assert_eq!(orchard.all_told(), []);
    assert_eq!(orchard.count("SELECT COUNT(*) FROM fed_relations").await, 0);
}

#[tokio::test]
async fn nobody_speaks_for_this_very_server() {
    let (orchard, mallory, inbox) = orchard_and_mallory().await;
    let activity = json!({
        "id": orchard.url.join("x").unwrap(),
        "type": "Follow",
        "actor": orchard.id(),
        "object": orchard.id(),
    });
    let key_id = format!("{}#main-key", orchard.id());
    let (status, _) = mallory
        .send_signed(&inbox, &activity, &key_id, |_| {})
        .await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    orchard.assert_untouched().await;
}
