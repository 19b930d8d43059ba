//! Documents of other servers: where they come from, what they claim, how they try to hurt.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use farmops_federation::ActorKind;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use url::Url;

use super::{
    cast::{Server, client},
    peer::{ACTIVITY_JSON, Answer, Peer},
};

async fn orchard() -> Server {
    Server::start("orchard", "village", ActorKind::Group).await
}

/// Advisories 3, 5, 6, 7 and 8: a document counts only at its own id.
#[tokio::test]
async fn a_document_with_another_id_is_refused() {
    let orchard = orchard().await;
    let victim = Peer::with_actor("victim").await;
    let mallory = Peer::with_actor("mallory").await;
    let theirs = victim.actor("victim");
    mallory.show("/media/upload.json", &theirs);
    let mut own_key = theirs.clone();
    own_key["publicKey"]["publicKeyPem"] = json!(mallory.keys.public_pem());
    mallory.show("/media/forged.json", &own_key);
    let mut by_url = mallory.actor("mallory");
    by_url["id"] = json!(victim.at("/users/victim"));
    by_url["url"] = json!(mallory.at("/media/by-url.json"));
    mallory.show("/media/by-url.json", &by_url);
    for path in [
        "/media/upload.json",
        "/media/forged.json",
        "/media/by-url.json",
    ] {
        assert!(
            orchard.federation.actor(&mallory.at(path)).await.is_err(),
            "{path}"
        );
    }
    // The same host is no better: the id must be the very URL.
    mallory.show("/media/mine.json", &mallory.actor("mallory"));
    assert!(
        orchard
            .federation
            .actor(&mallory.at("/media/mine.json"))
            .await
            .is_err()
    );
    orchard.assert_untouched().await;
}

/// Advisories 4, 5 and 15 (CVE-2024-25623): only ActivityPub's media types are documents.
#[tokio::test]
async fn other_media_types_are_refused() {
    let mallory = Peer::with_actor("mallory").await;
    let document = mallory.actor("mallory");
    let id = mallory.at("/users/mallory");
    for media_type in [
        "text/plain",
        "text/html",
        "application/octet-stream",
        "application/json",
        "application/ld+json",
        "image/png",
        "",
    ] {
        let orchard = orchard().await;
        mallory.on("/users/mallory", &[Answer::of(media_type, &document)]);
        assert!(orchard.federation.actor(&id).await.is_err(), "{media_type}");
        orchard.assert_untouched().await;
    }
    for media_type in [
        ACTIVITY_JSON,
        "application/activity+json; charset=utf-8",
        "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"",
    ] {
        let orchard = orchard().await;
        mallory.on("/users/mallory", &[Answer::of(media_type, &document)]);
        assert!(orchard.federation.actor(&id).await.is_ok(), "{media_type}");
    }
}

/// Advisories 7, 14 and 20: a redirect leads through the gate, and never to another name.
#[tokio::test]
async fn redirects_do_not_change_whose_document_it_is() {
    let victim = Peer::with_actor("victim").await;
    let mallory = Peer::with_actor("mallory").await;
    let id = mallory.at("/users/mallory");
    for location in [
        victim.at("/users/victim").to_string(),
        "http://169.254.169.254/".to_owned(),
        "http://127.0.0.1:1/".to_owned(),
        "data:application/activity+json,{}".to_owned(),
        id.to_string(),
    ] {
        let orchard = orchard().await;
        let before = mallory.seen().len();
        mallory.on(
            "/users/mallory",
            &[Answer::status(302).with("location", &location)],
        );
        assert!(orchard.federation.actor(&id).await.is_err(), "{location}");
        assert!(mallory.seen().len() - before <= 3, "{location}");
        orchard.assert_untouched().await;
    }
}

/// Advisories 16 to 19: no address and no other scheme, whatever a document names.
#[tokio::test]
async fn addresses_are_not_asked() {
    let orchard = orchard().await;
    for url in [
        "http://127.0.0.1/x",
        "http://[::1]/x",
        "http://[::ffff:127.0.0.1]/x",
        "http://0.0.0.0/x",
        "http://169.254.169.254/x",
        "http://100.64.0.1/x",
        "http://[64:ff9b::7f00:1]/x",
        "http://u:p@mallory.localhost/x",
        "ftp://mallory.localhost/x",
        orchard.url.join("ap/village").unwrap().as_str(),
    ] {
        let url = url.parse().unwrap();
        assert!(orchard.federation.actor(&url).await.is_err(), "{url}");
    }
    orchard.assert_untouched().await;
}

/// Advisories 25, 26 and 27: long, deep, repeating, slow.
#[tokio::test]
async fn documents_that_cost_too_much_are_refused() {
    let mallory = Peer::with_actor("mallory").await;
    let id = mallory.at("/users/mallory");
    let good = mallory.actor("mallory");
    let with = |name: &str, value: Value| {
        let mut document = good.clone();
        document[name] = value;
        document.to_string()
    };
    let deep = "[".repeat(100) + &"]".repeat(100);
    for (case, body) in [
        ("long", with("summary", json!("x".repeat(256 * 1024)))),
        ("list", with("alsoKnownAs", json!(vec!["x"; 257]))),
        (
            "deep",
            with("x", json!(1)).replace("\"x\":1", &format!("\"x\":{deep}")),
        ),
        (
            "twice",
            with("x", json!(1)).replace("\"x\":1", "\"inbox\":\"http://a.localhost/\""),
        ),
        ("cut", with("x", json!(1)).trim_end_matches('}').to_owned()),
        ("empty", String::new()),
    ] {
        let orchard = orchard().await;
        let answer = Answer {
            body: body.into_bytes(),
            ..Answer::of(ACTIVITY_JSON, &json!(null))
        };
        mallory.on("/users/mallory", &[answer]);
        assert!(orchard.federation.actor(&id).await.is_err(), "{case}");
        orchard.assert_untouched().await;
    }
}

/// Advisory 25: a peer that never answers costs ten seconds, not for ever.
#[tokio::test]
async fn a_slow_peer_is_cut_off() {
    let orchard = orchard().await;
    let mallory = Peer::with_actor("mallory").await;
    let slow =
        Answer::of(ACTIVITY_JSON, &mallory.actor("mallory")).with("x-test-delay-ms", "60000");
    mallory.on("/users/mallory", &[slow]);
    let started = Instant::now();
    assert!(
        orchard
            .federation
            .actor(&mallory.at("/users/mallory"))
            .await
            .is_err()
    );
    assert!(started.elapsed().as_secs() < 15);
    orchard.assert_untouched().await;
}

/// Advisory 25 (CVE-2023-36461): a byte a second is cut off by the same deadline, for documents
/// and for plain JSON alike.
#[tokio::test]
async fn a_byte_a_second_is_cut_off() {
    let orchard = orchard().await;
    let document = dripping(ACTIVITY_JSON).await;
    let links = dripping("application/json").await;
    let started = Instant::now();
    let (actor, software) = tokio::join!(
        orchard.federation.actor(&document),
        orchard.federation.software(&links)
    );
    assert!(actor.is_err() && software.is_err());
    let took = started.elapsed().as_secs();
    assert!((9..15).contains(&took), "{took} seconds");
    orchard.assert_untouched().await;
}

/// A URL whose answer begins at once and then takes a second for each byte.
async fn dripping(media_type: &'static str) -> Url {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: 1000\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        while stream.write_all(b" ").await.is_ok() {
            tick.tick().await;
        }
    });
    Url::parse(&format!("http://mallory.localhost:{port}/users/mallory")).unwrap()
}

/// Advisory 24 (CVE-2022-46405): the names of one domain share one budget of requests, so that
/// letters from ever new names make us ask no more than so often.
#[tokio::test]
async fn a_wildcard_domain_has_one_budget() {
    let orchard = orchard().await;
    let wild = Peer::start("wild").await;
    let inbox = orchard.url.join("ap/inbox").unwrap();
    let port = wild.url.port().unwrap();
    let mut answered = Vec::new();
    for n in 0..150 {
        let site = format!("http://bot{n}.wild.localhost:{port}");
        let activity = json!({
            "id": format!("{site}/follows/1"),
            "type": "Follow",
            "actor": format!("{site}/users/bot"),
            "object": orchard.id(),
        });
        let key_id = format!("{site}/users/bot#main-key");
        let (status, _) = wild.send_signed(&inbox, &activity, &key_id, |_| {}).await;
        answered.push(status);
    }
    // Nobody lives there; after the budget is spent nobody is asked, and the sender may come again.
    let asked = wild.seen().len();
    assert!(asked <= 120, "{asked} requests");
    assert_eq!(answered[0], StatusCode::UNAUTHORIZED);
    assert_eq!(answered[149], StatusCode::SERVICE_UNAVAILABLE);
    orchard.assert_untouched().await;
}

/// A status is not a document, whatever its body says; 410 is gone.
#[tokio::test]
async fn only_a_success_is_a_document() {
    let mallory = Peer::with_actor("mallory").await;
    let document = mallory.actor("mallory");
    for status in [201, 203, 400, 401, 403, 404, 410, 500] {
        let orchard = orchard().await;
        let answer = Answer {
            status,
            ..Answer::of(ACTIVITY_JSON, &document)
        };
        mallory.on("/users/mallory", &[answer]);
        let found = orchard
            .federation
            .actor(&mallory.at("/users/mallory"))
            .await;
        assert_eq!(found.is_ok(), (200..300).contains(&status), "{status}");
    }
}

/// Advisory 20 (CVE-2026-62857): NodeInfo goes through the same gate, on the same server.
#[tokio::test]
async fn node_info_is_read_within_the_rules() {
    let orchard = orchard().await;
    let carol = Peer::start("carol").await;
    let schema = "http://nodeinfo.diaspora.software/ns/schema/2.1";
    let links = |href: &str| json!({ "links": [{ "rel": schema, "href": href }] });
    let document = json!({
        "version": "2.1",
        "software": { "name": "mastodon", "version": "4.5.0" },
        "metadata": { "nodeName": "Carol's place" },
    });
    carol.on(
        "/nodeinfo/2.1",
        &[Answer::of("application/json; profile=\"x\"", &document)],
    );
    let own = carol.at("/nodeinfo/2.1");
    carol.on(
        "/.well-known/nodeinfo",
        &[Answer::of("application/json", &links(own.as_str()))],
    );
    let software = orchard.federation.software(&carol.url).await.unwrap();
    assert_eq!(
        (software.name.as_str(), software.version.as_str()),
        ("mastodon", "4.5.0")
    );
    for href in [
        "http://169.254.169.254/",
        "http://victim.localhost/nodeinfo",
        "data:,x",
    ] {
        carol.on(
            "/.well-known/nodeinfo",
            &[Answer::of("application/json", &links(href))],
        );
        assert!(
            orchard.federation.software(&carol.url).await.is_err(),
            "{href}"
        );
    }
}

/// A server that answers nobody unsigned is asked again, signed by our instance actor.
#[tokio::test]
async fn a_shy_server_is_asked_again_with_a_signature() {
    let orchard = orchard().await;
    let carol = Peer::with_actor("carol").await;
    let document = Answer::of(ACTIVITY_JSON, &carol.actor("carol"));
    carol.on("/users/carol", &[Answer::status(401), document]);
    orchard
        .federation
        .actor(&carol.at("/users/carol"))
        .await
        .unwrap();
    let seen = carol.received("/users/carol", 2).await;
    assert!(!seen[0].headers.contains_key("signature"));
    let signature = seen[1].headers["signature"].to_str().unwrap();
    let instance = orchard.url.join("ap/instance").unwrap();
    assert!(signature.contains(&format!("keyId=\"{instance}#main-key\"")));
    // And the one who asks can be looked up by anyone, unsigned.
    let response = client().get(instance).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.json::<Value>().await.unwrap()["type"],
        "Application"
    );
}
