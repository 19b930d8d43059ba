//! Our own documents, as anyone may fetch them.

use farmops_federation::{ActorKind, Audience};
use http::StatusCode;
use serde_json::{Value, json};
use url::Url;

use super::{
    cast::{Server, client},
    peer::ACTIVITY_JSON,
};

async fn fetch(url: &Url) -> (StatusCode, String, Value) {
    let response = client().get(url.clone()).send().await.unwrap();
    let media_type = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    (
        response.status(),
        media_type,
        response.json().await.unwrap(),
    )
}

#[tokio::test]
async fn an_actor_shows_both_keys_and_where_it_is_found() {
    let alice = Server::start("alice", "actor", ActorKind::Person).await;
    let (status, media_type, actor) = fetch(&alice.id()).await;
    assert_eq!(
        (status, media_type.as_str()),
        (StatusCode::OK, ACTIVITY_JSON)
    );
    assert_eq!(actor["id"], alice.id().as_str());
    assert_eq!(actor["type"], "Person");
    assert_eq!(actor["publicKey"]["owner"], alice.id().as_str());
    assert_eq!(actor["assertionMethod"][0]["type"], "Multikey");
    assert_eq!(
        actor["assertionMethod"][0]["id"],
        alice.federation.farm_key_id("actor")
    );
    assert_eq!(
        format!("@{}", actor["webfinger"].as_str().unwrap()),
        alice.handle()
    );
    let contexts: Vec<_> = actor["@context"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(
        contexts,
        [
            "https://www.w3.org/ns/activitystreams",
            "https://w3id.org/security/v1",
            "https://w3id.org/security/data-integrity/v2",
        ]
    );
    assert!(actor["@context"][3]["farm"].is_string());
}

#[tokio::test]
async fn collections_have_pages_that_end() {
    let alice = Server::start("alice", "actor", ActorKind::Person).await;
    for n in 0..45 {
        let note = json!({ "id": alice.federation.object_id("notes", &n.to_string()) });
        let key = format!("n-{n}");
        let post = alice
            .federation
            .create("actor", &key, &note, Audience::Followers)
            .unwrap();
        alice.federation.publish(&post).await.unwrap();
    }
    let outbox = Url::parse(&format!("{}/outbox", alice.id())).unwrap();
    let (_, _, collection) = fetch(&outbox).await;
    assert_eq!(collection["totalItems"], 45);
    let mut next = collection["first"].as_str().map(str::to_owned);
    let mut items = Vec::new();
    let mut pages = 0;
    while let Some(page) = next {
        let (_, _, page) = fetch(&page.parse().unwrap()).await;
        items.extend(page["orderedItems"].as_array().unwrap().clone());
        next = page["next"].as_str().map(str::to_owned);
        pages += 1;
    }
    assert_eq!((items.len(), pages), (45, 3));
    assert!(items[0]["id"].as_str().unwrap().ends_with("/n-44"));
    let (status, _, activity) = fetch(&items[7]["id"].as_str().unwrap().parse().unwrap()).await;
    assert_eq!((status, activity), (StatusCode::OK, items[7].clone()));
}

#[tokio::test]
async fn letters_between_two_are_nobody_elses() {
    let alice = Server::start("alice", "actor", ActorKind::Person).await;
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let relation = orchard
        .federation
        .follow("village", &alice.id())
        .await
        .unwrap();
    let (status, media_type, _) = fetch(&relation.follow_id).await;
    assert_eq!(
        (status, media_type.as_str()),
        (StatusCode::NOT_FOUND, "application/problem+json")
    );
}

#[tokio::test]
async fn nodeinfo_names_the_program_and_its_source() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    let (_, _, links) = fetch(&orchard.url.join(".well-known/nodeinfo").unwrap()).await;
    let href = links["links"][0]["href"].as_str().unwrap().parse().unwrap();
    let (_, media_type, document) = fetch(&href).await;
    assert!(media_type.starts_with("application/json"));
    assert_eq!(document["version"], "2.1");
    assert_eq!(
        document["software"]["repository"],
        "https://source.example/farmops"
    );
    assert_eq!(document["protocols"], json!(["activitypub"]));
}

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let orchard = Server::start("orchard", "village", ActorKind::Group).await;
    for path in [
        "ap/nobody",
        "ap/nobody/outbox",
        "ap/notes/1",
        "ap/activities/x",
        "ap/%2e%2e%2fsecret",
        "ap/village/followers?page=true&after=x",
    ] {
        let url = orchard.url.join(path).unwrap();
        let (status, media_type, _) = fetch(&url).await;
        if path.contains("followers") {
            assert_eq!(status, StatusCode::OK);
        } else {
            let want = (StatusCode::NOT_FOUND, "application/problem+json");
            assert_eq!((status, media_type.as_str()), want, "{path}");
        }
    }
}
