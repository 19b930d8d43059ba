//! Joining a village that says yes, maybe, no, or nonsense, and leaving it.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    routing::{delete, post},
};
use farmops_federation::{
    ActorKind, Direction, FollowChange, Host as _, RelationState, RemoteActor,
};
use farmops_protocol::{departure::DepartureRequest, registration::RegistrationRequest};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Tracker, now};

/// A village with prepared answers.
#[derive(Clone)]
pub struct Village {
    pub url: String,
    answer: (StatusCode, String),
    asked: Arc<Mutex<Vec<RegistrationRequest>>>,
    /// What it answers to whoever leaves, and who did.
    farewell: Arc<Mutex<StatusCode>>,
    left: Arc<Mutex<Vec<DepartureRequest>>>,
}

/// Where it keeps the membership.
const PLACE: &str = "/api/v1/farmers/7";

pub async fn village(status: u16, answer: impl Fn(&str) -> Value) -> Village {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://orchard.localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let village = Village {
        answer: (
            StatusCode::from_u16(status).unwrap(),
            answer(&url).to_string(),
        ),
        url,
        asked: Arc::default(),
        farewell: Arc::new(Mutex::new(StatusCode::NO_CONTENT)),
        left: Arc::default(),
    };
    let register = async |State(village): State<Village>, body: Bytes| {
        let request = RegistrationRequest::verify(&body, &village.url, now()).unwrap();
        village.asked.lock().unwrap().push(request);
        let (status, body) = village.answer;
        (
            status,
            [("location", format!("{}{PLACE}", village.url))],
            body,
        )
    };
    let depart = async |State(village): State<Village>, body: Bytes| {
        let request = DepartureRequest::verify(&body, &village.url, now()).unwrap();
        village.left.lock().unwrap().push(request);
        *village.farewell.lock().unwrap()
    };
    let router = Router::new()
        .route("/api/v1/farmers/register", post(register))
        .route(PLACE, delete(depart))
        .with_state(village.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    village
}

pub fn welcome(url: &str) -> Value {
    let host = url.strip_prefix("http://").unwrap();
    json!({
        "account": format!("alice@{host}"),
        "status": "active",
        "village": format!("{url}/ap/village"),
        "since": "today",
    })
}

pub async fn join(tracker: &Tracker, body: Value) -> (StatusCode, Value) {
    let answer = tracker
        .owner(Method::POST, "/api/v1/villages")
        .json(&body)
        .send()
        .await
        .unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn subject(tracker: &Tracker) -> Value {
    let path = "/.well-known/webfinger?resource=acct:alice@alice.localhost:8443";
    let answer = tracker.anyone(Method::GET, path).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["subject"].clone()
}

#[tokio::test]
async fn the_first_village_becomes_home_and_moves_the_account() {
    let tracker = Tracker::begin().await;
    assert_eq!(subject(&tracker).await, "acct:alice@alice.localhost:8443");
    let orchard = village(201, welcome).await;
    let body = json!({ "url": format!("{}/", orchard.url), "invite": "welcome-1" });
    let (status, joined) = join(&tracker, body).await;
    assert_eq!(
        (status, &joined["status"], &joined["home"]),
        (StatusCode::CREATED, &json!("active"), &json!(true))
    );
    let asked = orchard.asked.lock().unwrap().pop().unwrap();
    assert_eq!(
        (asked.handle.as_str(), asked.invite.as_deref()),
        ("alice", Some("welcome-1"))
    );
    assert_eq!(asked.actor, "http://alice.localhost:8443/ap/actor");
    let host = orchard.url.strip_prefix("http://").unwrap();
    assert_eq!(subject(&tracker).await, format!("acct:alice@{host}"));
    let harbour = village(200, welcome).await;
    let (_, second) = join(&tracker, json!({ "url": harbour.url })).await;
    assert_eq!(second["home"], false);
    let tracker = tracker.restart().await;
    assert_eq!(subject(&tracker).await, format!("acct:alice@{host}"));
    assert_eq!(
        tracker.get("/api/v1/villages").await["villages"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_village_that_decides_later_leaves_the_account_where_it_is() {
    let tracker = Tracker::begin().await;
    let orchard = village(202, |_| json!({ "status": "pending" })).await;
    let (status, joined) = join(&tracker, json!({ "url": orchard.url })).await;
    assert_eq!(
        (status, &joined["status"]),
        (StatusCode::ACCEPTED, &json!("pending"))
    );
    assert_eq!(subject(&tracker).await, "acct:alice@alice.localhost:8443");
}

#[tokio::test]
async fn a_village_cannot_name_an_account_or_an_actor_elsewhere() {
    let tracker = Tracker::begin().await;
    let hostile = village(201, |_| {
        json!({
            "account": "root@bank.example",
            "status": "active",
            "village": "https://bank.example/ap/village",
        })
    })
    .await;
    let (_, joined) = join(&tracker, json!({ "url": hostile.url })).await;
    let host = hostile.url.strip_prefix("http://").unwrap();
    assert_eq!(joined["account"], format!("alice@{host}"));
    assert_eq!(joined["actor"], format!("{}/ap/village", hostile.url));
}

#[tokio::test]
async fn a_refusal_or_silence_leaves_no_village() {
    let tracker = Tracker::begin().await;
    let closed = village(403, |_| json!({ "detail": "the invite is unknown" })).await;
    let (status, problem) = join(&tracker, json!({ "url": closed.url })).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("the invite is unknown")
    );
    let strange = village(302, |_| json!({})).await;
    assert_eq!(
        join(&tracker, json!({ "url": strange.url })).await.0,
        StatusCode::BAD_GATEWAY
    );
    let nobody = json!({ "url": "http://orchard.localhost:1" });
    assert_eq!(join(&tracker, nobody).await.0, StatusCode::BAD_GATEWAY);
    for url in [
        "https://10.0.0.1",
        "http://[fe80::1]",
        "file:///etc/passwd",
        "orchard",
        "",
    ] {
        let (status, problem) = join(&tracker, json!({ "url": url })).await;
        assert_eq!(
            (status, &problem["field"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("url")),
            "{url}"
        );
    }
    assert_eq!(tracker.get("/api/v1/villages").await["villages"], json!([]));
}

async fn leave(tracker: &Tracker, body: Value) -> (StatusCode, Value) {
    let answer = tracker
        .owner(Method::POST, "/api/v1/villages/leave")
        .json(&body)
        .send()
        .await
        .unwrap();
    (answer.status(), answer.json().await.unwrap_or_default())
}

async fn urls(tracker: &Tracker) -> Vec<(String, bool)> {
    let listed = tracker.get("/api/v1/villages").await;
    let villages = listed["villages"].as_array().unwrap().iter();
    villages
        .map(|village| {
            let url = village["url"].as_str().unwrap().to_owned();
            (url, village["home"].as_bool().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn a_village_is_left_where_it_keeps_the_membership() {
    let tracker = Tracker::begin().await;
    let (orchard, harbour) = (village(201, welcome).await, village(201, welcome).await);
    for village in [&orchard, &harbour] {
        join(&tracker, json!({ "url": village.url })).await;
    }
    *orchard.farewell.lock().unwrap() = StatusCode::SERVICE_UNAVAILABLE;
    let (status, problem) = leave(&tracker, json!({ "url": orchard.url })).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY, "{problem}");
    assert_eq!(urls(&tracker).await.len(), 2, "it has not heard");

    *orchard.farewell.lock().unwrap() = StatusCode::NO_CONTENT;
    let (status, _) = leave(&tracker, json!({ "url": format!("{}/", orchard.url) })).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let told = orchard.left.lock().unwrap().pop().unwrap();
    assert_eq!(told.actor, "http://alice.localhost:8443/ap/actor");
    // The handle lives on in the village that was joined next, also after a restart.
    let tracker = tracker.restart().await;
    assert_eq!(urls(&tracker).await, [(harbour.url.clone(), true)]);
    let host = harbour.url.strip_prefix("http://").unwrap();
    assert_eq!(subject(&tracker).await, format!("acct:alice@{host}"));

    let (status, problem) = leave(&tracker, json!({ "url": orchard.url })).await;
    assert_eq!(
        (status, &problem["field"]),
        (StatusCode::NOT_FOUND, &json!("url"))
    );
    // One that has forgotten the farm has nothing left to hear.
    *harbour.farewell.lock().unwrap() = StatusCode::NOT_FOUND;
    let (status, _) = leave(&tracker, json!({ "url": harbour.url })).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(subject(&tracker).await, "acct:alice@alice.localhost:8443");
}

#[tokio::test]
async fn a_village_that_is_gone_is_forgotten_and_a_strange_place_is_not_asked() {
    let tracker = Tracker::begin().await;
    let orchard = village(201, welcome).await;
    join(&tracker, json!({ "url": orchard.url })).await;
    let (status, _) = leave(&tracker, json!({ "url": orchard.url, "forget": true })).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert!(orchard.left.lock().unwrap().is_empty(), "it was not told");
    assert_eq!(urls(&tracker).await, []);

    // A village that names another server's place is asked where it keeps the membership, not there.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://harbour.localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let place = format!("{}{PLACE}", orchard.url);
    let answer = welcome(&url).to_string();
    let register = async move || (StatusCode::CREATED, [("location", place)], answer);
    let router = Router::new().route("/api/v1/farmers/register", post(register));
    tokio::spawn(async move { axum::serve(listener, router).await });
    join(&tracker, json!({ "url": url })).await;
    let (status, problem) = leave(&tracker, json!({ "url": url })).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("no-membership-place"))
    );
    assert!(orchard.left.lock().unwrap().is_empty());
    let args = ["villages", "leave", &url, "--forget"];
    let (ok, said, complaint) = crate::cli::run(&tracker, &args).await;
    assert!(ok && said.contains("not in http://harbour"), "{complaint}");
    assert_eq!(urls(&tracker).await, []);
}

/// The village begins to follow, or follows no longer.
pub async fn follows(tracker: &Tracker, village: &Village, state: Option<RelationState>) {
    let id: url::Url = format!("{}/ap/village", village.url).parse().unwrap();
    let remote = RemoteActor {
        kind: ActorKind::Group,
        username: "orchard".to_owned(),
        account: None,
        name: "Orchard".to_owned(),
        page: None,
        icon: None,
        inbox: id.clone(),
        shared_inbox: None,
        outbox: None,
        key_id: format!("{id}#main-key"),
        public_key_pem: String::new(),
        farm_key: None,
        farm_key_offered: None,
        fetched_at: now(),
        id,
    };
    let change = FollowChange {
        local: "http://alice.localhost:8443/ap/actor".parse().unwrap(),
        remote,
        direction: Direction::Follower,
        state,
    };
    let host = &tracker.running().app.host;
    host.follow_changed(&change).await.unwrap();
}

async fn standing(tracker: &Tracker) -> Vec<(String, bool)> {
    let listed = tracker.get("/api/v1/villages").await;
    let villages = listed["villages"].as_array().unwrap().iter();
    villages
        .map(|village| {
            let status = village["status"].as_str().unwrap().to_owned();
            (status, village["home"].as_bool().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn a_village_that_follows_no_longer_has_ended_the_membership() {
    let tracker = Tracker::begin().await;
    let (orchard, harbour) = (village(201, welcome).await, village(201, welcome).await);
    let told = |status: &str, home| (status.to_owned(), home);
    for village in [&orchard, &harbour] {
        join(&tracker, json!({ "url": village.url })).await;
        follows(&tracker, village, Some(RelationState::Accepted)).await;
    }
    follows(&tracker, &orchard, None).await;
    let tracker = tracker.restart().await;
    let ended = [told("active", true), told("ended", false)];
    assert_eq!(standing(&tracker).await, ended);
    let host = harbour.url.strip_prefix("http://").unwrap();
    assert_eq!(subject(&tracker).await, format!("acct:alice@{host}"));
    let (ok, said, complaint) = crate::cli::run(&tracker, &["villages", "list"]).await;
    assert!(ok && said.contains("ended by the village"), "{complaint}");
    let query = format!("/api/v1/villages/leagues?url={}", orchard.url);
    let answer = tracker.owner(Method::GET, &query).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);

    follows(&tracker, &orchard, Some(RelationState::Accepted)).await;
    let again = [told("active", true), told("active", false)];
    assert_eq!(standing(&tracker).await, again);

    // The one that is being left takes its follow back as well, and stays left.
    follows(&tracker, &orchard, None).await;
    let (status, _) = leave(&tracker, json!({ "url": orchard.url })).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    follows(&tracker, &orchard, None).await;
    assert_eq!(standing(&tracker).await, [told("active", true)]);
    follows(&tracker, &harbour, None).await;
    assert_eq!(subject(&tracker).await, "acct:alice@alice.localhost:8443");
    follows(&tracker, &harbour, Some(RelationState::Accepted)).await;
    assert_eq!(standing(&tracker).await, [told("active", true)]);
}
