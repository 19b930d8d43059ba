//! WebFinger, both ways.

use farmops_federation::ActorKind;
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    cast::{Server, client},
    peer::{Answer, Peer},
};

const JRD: &str = "application/jrd+json";

fn jrd(subject: &str, actor: &str) -> Value {
    json!({
        "subject": subject,
        "links": [
            { "rel": "http://webfinger.net/rel/profile-page", "href": actor },
            { "rel": "self", "type": "application/activity+json", "href": actor },
        ],
    })
}

fn host(peer: &Peer) -> String {
    format!(
        "{}:{}",
        peer.url.host_str().unwrap(),
        peer.url.port().unwrap()
    )
}

fn answer(peer: &Peer, document: &Value) {
    peer.on("/.well-known/webfinger", &[Answer::of(JRD, document)]);
}

/// Advisory 16 (CVE-2025-25194): refused before anyone is asked.
#[tokio::test]
async fn hostile_handles_ask_nobody() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let mallory = Peer::with_actor("mallory").await;
    let at = host(&mallory);
    for handle in [
        format!("mallory@{at}/x"),
        format!("mallory@{at}?y"),
        format!("mallory@{at}#z"),
        format!("mallory@u:p@{at}"),
        format!("mallory@x@{at}"),
        format!("mal/lory@{at}"),
        format!("@mallory@127.0.0.1:{}", mallory.url.port().unwrap()),
        format!("@mallory@[::1]:{}", mallory.url.port().unwrap()),
        "mallory".to_owned(),
    ] {
        assert!(
            orchard.federation.resolve(&handle).await.is_err(),
            "{handle}"
        );
    }
    assert_eq!(mallory.seen().len(), 0);
    orchard.assert_untouched().await;
}

#[tokio::test]
async fn a_handle_of_another_make_resolves() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let carol = Peer::with_actor("carol").await;
    let handle = format!("@carol@{}", host(&carol));
    answer(
        &carol,
        &jrd(
            &format!("acct:carol@{}", host(&carol)),
            carol.at("/users/carol").as_str(),
        ),
    );
    let actor = orchard.federation.resolve(&handle).await.unwrap();
    assert_eq!(actor.account.unwrap().to_handle(), handle);
    assert_eq!(actor.id, carol.at("/users/carol"));
}

/// Advisories 6, 13 and 14: a host may say what it likes of others; it is not believed.
#[tokio::test]
async fn an_unconfirmed_name_is_refused() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let mallory = Peer::with_actor("mallory").await;
    let victim = Peer::with_actor("victim").await;
    let own = format!("acct:mallory@{}", host(&mallory));
    let theirs = format!("acct:victim@{}", host(&victim));
    answer(&victim, &jrd(&theirs, victim.at("/users/victim").as_str()));
    let (here, there) = (mallory.at("/users/mallory"), victim.at("/users/victim"));
    let mut two = jrd(&own, here.as_str());
    two["links"][0] = json!({
        "rel": "self", "type": "application/activity+json", "href": there,
    });
    for (case, document) in [
        // My name for the victim's actor: her own host says otherwise.
        ("their actor", jrd(&own, there.as_str())),
        // Her name for my actor: her host points to hers.
        ("their name", jrd(&theirs, here.as_str())),
        ("no acct", jrd(here.as_str(), here.as_str())),
        (
            "another name here",
            jrd(&format!("acct:admin@{}", host(&mallory)), here.as_str()),
        ),
        (
            "a path in the subject",
            jrd(&format!("{own}/x"), here.as_str()),
        ),
        ("two actors", two),
        ("no links", json!({ "subject": own })),
        ("an address", jrd(&own, "http://127.0.0.1/users/mallory")),
        ("a scheme", jrd(&own, "javascript:alert(1)")),
    ] {
        let orchard = Server::start("orchard", "village", ActorKind::Group).await;
        answer(&mallory, &document);
        let handle = format!("@mallory@{}", host(&mallory));
        assert!(orchard.federation.resolve(&handle).await.is_err(), "{case}");
        orchard.assert_untouched().await;
    }
    // The actor's document claims a name that its host did not give.
    let mut actor = mallory.actor("mallory");
    actor["webfinger"] = json!(format!("victim@{}", host(&victim)));
    mallory.show("/users/mallory", &actor);
    answer(&mallory, &jrd(&own, here.as_str()));
    assert!(orchard.federation.resolve(&own).await.is_err());
    orchard.assert_untouched().await;
}

/// Advisory 20: WebFinger follows five redirects, each through the same gate.
#[tokio::test]
async fn redirects_are_counted_and_gated() {
    let mallory = Peer::with_actor("mallory").await;
    let handle = format!("@mallory@{}", host(&mallory));
    for location in [
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://127.0.0.1/".to_owned(),
        "data:application/jrd+json,{}".to_owned(),
        "file:///etc/passwd".to_owned(),
        mallory.at("/.well-known/webfinger").to_string(),
    ] {
        let orchard = Server::start("orchard", "village", ActorKind::Group).await;
        let before = mallory.seen().len();
        mallory.on(
            "/.well-known/webfinger",
            &[Answer::status(302).with("location", &location)],
        );
        assert!(
            orchard.federation.resolve(&handle).await.is_err(),
            "{location}"
        );
        assert!(mallory.seen().len() - before <= 6, "{location}");
        orchard.assert_untouched().await;
    }
}

#[tokio::test]
async fn our_own_names_are_answered() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let ask = async |resource: &str| {
        let mut url = orchard.url.join(".well-known/webfinger").unwrap();
        if !resource.is_empty() {
            url.query_pairs_mut().append_pair("resource", resource);
        }
        let response = client().get(url).send().await.unwrap();
        (
            response.status(),
            response.headers()["content-type"]
                .to_str()
                .unwrap()
                .to_owned(),
            response.json::<Value>().await.unwrap(),
        )
    };
    let account = orchard.handle().replacen('@', "acct:", 1);
    let (status, media_type, document) = ask(&account).await;
    assert_eq!((status, media_type.as_str()), (StatusCode::OK, JRD));
    assert_eq!(document["subject"], account.as_str());
    let (status, _, document) = ask(orchard.url.as_str()).await;
    assert_eq!(
        (status, &document["subject"]),
        (StatusCode::OK, &json!(account))
    );
    let (status, _, document) = ask(orchard.url.join("ap/instance").unwrap().as_str()).await;
    assert_eq!(status, StatusCode::OK);
    let subject = document["subject"].as_str().unwrap().to_owned();
    assert_eq!(ask(&subject).await.2, document);
    for (resource, want) in [
        ("", StatusCode::BAD_REQUEST),
        ("acct:x", StatusCode::BAD_REQUEST),
        ("acct:nobody@orchard.localhost", StatusCode::NOT_FOUND),
        ("https://elsewhere.example/", StatusCode::NOT_FOUND),
    ] {
        let (status, media_type, problem) = ask(resource).await;
        assert_eq!(
            (status, media_type.as_str()),
            (want, "application/problem+json")
        );
        assert_eq!(problem["status"], want.as_u16());
    }
}

/// Advisories 16 and 21 (CVE-2025-25194, CVE-2026-29178): what is asked about stays one parameter
/// of a path that is ours to choose, whatever stands in it.
#[tokio::test]
async fn what_is_asked_about_stays_one_parameter() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let carol = Peer::start("carol").await;
    for inside in [
        "/?resource=acct:admin@victim.localhost",
        "/&resource=acct:admin@victim.localhost",
        "/?a=1&proxy=http://169.254.169.254/&b=%26resource=x",
        "/../../admin?x=1#fragment",
        "/%3Fresource=x%26y;z",
        "/a b\\c",
    ] {
        let before = carol.seen().len();
        let address = carol.at(inside);
        assert!(orchard.federation.discover(&address).await.is_err());
        let seen = carol.seen();
        assert_eq!(seen.len(), before + 1, "{inside}");
        let asked = carol.at(&seen[before].target);
        assert_eq!(asked.path(), "/.well-known/webfinger", "{inside}");
        let pairs: Vec<_> = asked.query_pairs().into_owned().collect();
        let want = ("resource".to_owned(), address.to_string());
        assert_eq!(pairs, [want], "{inside}");
    }
}

/// Advisory 25: one wish makes eight requests, however long the chain that peers build for it.
#[tokio::test]
async fn a_chain_of_hosts_ends_after_eight_requests() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let (mallory, victim) = (Peer::start("mallory").await, Peer::start("victim").await);
    let there = format!("acct:victim@{}", host(&victim));
    let document = Answer::of(JRD, &jrd(&there, victim.at("/users/victim").as_str()));
    for peer in [&mallory, &victim] {
        let mut answers = vec![Answer::status(302).with("location", "/.well-known/webfinger"); 5];
        answers.push(document.clone());
        peer.on("/.well-known/webfinger", &answers);
    }
    let error = orchard
        .federation
        .resolve(&format!("@mallory@{}", host(&mallory)))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("8 requests"), "{error}");
    assert_eq!((mallory.seen().len(), victim.seen().len()), (6, 2));
    orchard.assert_untouched().await;
}
