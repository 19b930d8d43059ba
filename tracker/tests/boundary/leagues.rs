//! Leagues that a village supplies: looked at, taken by their digest, changed by the village, and
//! everything that a village could say instead.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use farmops_protocol::{
    digest::Digest,
    league::{League, LeagueList},
    scoring::RuleSet,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{cli::run, server::Tracker};

/// A village that answers what it is told to, by path.
#[derive(Clone, Default)]
pub struct Village {
    pub url: String,
    answers: Arc<Mutex<BTreeMap<String, (u16, String)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Village {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let village = Self {
            url: format!("http://orchard.localhost:{port}"),
            ..Self::default()
        };
        let welcome = json!({
            "account": format!("alice@orchard.localhost:{port}"),
            "status": "active",
            "village": format!("{}/ap/village", village.url),
        });
        let register = async move || (StatusCode::CREATED, welcome.to_string());
        let answer =
            async |State(village): State<Self>, Path(path): Path<String>| village.answer(&path);
        let router = Router::new()
            .route("/api/v1/farmers/register", post(register))
            .route("/{*path}", get(answer))
            .with_state(village.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        village
    }

    fn answer(&self, path: &str) -> Response {
        self.asked.lock().unwrap().push(path.to_owned());
        let answers = self.answers.lock().unwrap();
        let Some((status, body)) = answers.get(path) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let headers = [("location", "/api/v1/leagues/harvest")];
        let status = StatusCode::from_u16(*status).unwrap();
        (status, headers, body.clone()).into_response()
    }

    pub fn says(&self, path: &str, status: u16, body: impl Into<String>) {
        let answer = (status, body.into());
        let mut answers = self.answers.lock().unwrap();
        answers.insert(format!("api/v1/leagues{path}"), answer);
    }

    /// Supplies the league `harvest` and no other.
    pub fn supplies(&self, rules: &RuleSet) -> Digest {
        let league = harvest(rules);
        let items = vec![league.listed()];
        self.says(
            "",
            200,
            serde_json::to_string(&LeagueList { items }).unwrap(),
        );
        self.says("/harvest", 200, serde_json::to_string(&league).unwrap());
        rules.digest()
    }
}

fn harvest(rules: &RuleSet) -> League {
    League {
        league: "harvest".to_owned(),
        name: "Harvest league".to_owned(),
        rules: rules.clone(),
    }
}

/// The usual rules, with this for toil.
pub fn rules(toil: u32) -> RuleSet {
    let mut rules = RuleSet::default();
    rules.base_coins.toil = toil;
    rules
}

async fn ask(tracker: &Tracker, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let request = tracker.owner(method, path).json(&body);
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap_or_default())
}

/// A farm that is a member of the village.
pub async fn member(village: &Village) -> Tracker {
    let tracker = Tracker::begin().await;
    let wanted = json!({ "url": village.url });
    let (status, _) = ask(&tracker, Method::POST, "/api/v1/villages", wanted).await;
    assert_eq!(status, StatusCode::CREATED);
    tracker
}

async fn look(tracker: &Tracker, village: &str) -> (StatusCode, Value) {
    let request = tracker.owner(Method::GET, "/api/v1/villages/leagues");
    let answer = request.query(&[("url", village)]).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn take(tracker: &Tracker, village: &str, digest: Digest) -> (StatusCode, Value) {
    let body = json!({ "url": village, "league": "harvest", "rules_digest": digest });
    ask(tracker, Method::POST, "/api/v1/villages/leagues", body).await
}

async fn leagues(tracker: &Tracker) -> Value {
    tracker.get("/api/v1/leagues").await["leagues"].clone()
}

#[tokio::test]
async fn a_league_is_looked_at_and_then_taken() {
    let orchard = Village::start().await;
    let tracker = member(&orchard).await;
    let (status, none) = look(&tracker, &orchard.url).await;
    assert_eq!((status.as_u16(), &none["leagues"]), (200, &json!([])));
    let digest = orchard.supplies(&rules(40));
    let before = tracker.get("/api/v1/ledger").await;
    let (_, seen) = look(&tracker, &format!("{}/", orchard.url)).await;
    let offer = &seen["leagues"][0];
    assert_eq!(seen["village"], orchard.url);
    assert_eq!(
        (&offer["name"], &offer["standing"], &offer["rules_digest"]),
        (&json!("Harvest league"), &json!("new"), &json!(digest))
    );
    let differs = json!([{ "member": "base_coins.toil", "here": "15", "there": "40" }]);
    assert_eq!(offer["differences"], differs);
    assert_eq!(tracker.get("/api/v1/ledger").await, before);
    assert_eq!(leagues(&tracker).await, json!([]));

    let (status, taken) = take(&tracker, &orchard.url, digest).await;
    let league = &taken["leagues"][0];
    assert_eq!(
        (status.as_u16(), &league["league"]),
        (200, &json!("harvest"))
    );
    assert_eq!(league["rules_digest"], json!(digest));
    assert_eq!(league["village"], json!(format!("{}/", orchard.url)));
    let entries = tracker.get("/api/v1/ledger").await["entries"].clone();
    let last = entries.as_array().unwrap().last().unwrap();
    assert_eq!(last["kind"], "league_joined", "{last}");
    let (_, seen) = look(&tracker, &orchard.url).await;
    assert_eq!(seen["leagues"][0]["standing"], "taken");
}

#[tokio::test]
async fn changed_rules_wait_for_the_owner() {
    let orchard = Village::start().await;
    let tracker = member(&orchard).await;
    let first = orchard.supplies(&rules(40));
    take(&tracker, &orchard.url, first).await;
    let second = orchard.supplies(&rules(50));
    let told = leagues(&tracker).await;
    assert_eq!(told[0]["changed_rules"], Value::Null, "nobody has looked");
    // The tracker looks by itself at its start.
    let tracker = tracker.restart().await;
    let seen = async {
        loop {
            let told = leagues(&tracker).await;
            if told[0]["changed_rules"] == json!(second) {
                return told;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let told = tokio::time::timeout(std::time::Duration::from_secs(20), seen);
    let told = told.await.expect("the tracker never told of other rules");
    assert_eq!(told[0]["rules_digest"], json!(first), "those taken count");
    let (ok, said, _) = run(&tracker, &["leagues", "list"]).await;
    let hint = format!("changed rules: leagues offers {}", orchard.url);
    assert!(ok && said.contains(&hint), "{said}");

    let (_, seen) = look(&tracker, &orchard.url).await;
    let offer = &seen["leagues"][0];
    let differs = json!([{ "member": "base_coins.toil", "here": "40", "there": "50" }]);
    assert_eq!(
        (&offer["standing"], &offer["differences"]),
        (&json!("changed"), &differs)
    );
    let (status, problem) = take(&tracker, &orchard.url, first).await;
    assert_eq!(
        (status.as_u16(), &problem["code"], &problem["rules_digest"]),
        (409, &json!("rules-changed"), &json!(second))
    );
    assert_eq!(leagues(&tracker).await[0]["rules_digest"], json!(first));
    let (_, taken) = take(&tracker, &orchard.url, second).await;
    let league = &taken["leagues"][0];
    assert_eq!(
        (&league["rules_digest"], &league["changed_rules"]),
        (&json!(second), &Value::Null)
    );
}

#[tokio::test]
async fn what_a_village_should_not_say_is_not_taken() {
    let orchard = Village::start().await;
    let tracker = member(&orchard).await;
    let digest = orchard.supplies(&rules(40));
    let good = serde_json::to_string(&harvest(&rules(40))).unwrap();
    let dear = good.replace(":40", ":1000001");
    let other = good.replace("\"harvest\"", "\"autumn\"");
    let long = format!("{good}{}", " ".repeat(65_536));
    let twice = good.replace("\"name\"", "\"league\":\"harvest\",\"name\"");
    for (status, body, said) in [
        (200, dear.as_str(), "rules.base_coins.toil"),
        (200, &other, "another league than the one asked for"),
        (200, &long, "longer than 65536 bytes"),
        (200, &twice, "breaks a rule"),
        (200, "[]", "breaks a rule"),
        (302, &good, "refused (302"),
        (500, "", "refused (500"),
    ] {
        orchard.says("/harvest", status, body);
        let (status, problem) = take(&tracker, &orchard.url, digest).await;
        assert_eq!(status, StatusCode::BAD_GATEWAY, "{said}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{said}: {detail}");
        let (status, problem) = look(&tracker, &orchard.url).await;
        assert_eq!(status, StatusCode::BAD_GATEWAY, "{said}: {problem}");
    }
    orchard.says("/harvest", 200, &good);
    orchard.says(
        "",
        200,
        r#"{"items":[{"league":"../farmers","name":"x","rules_digest":"00"}]}"#,
    );
    orchard.asked.lock().unwrap().clear();
    let (status, problem) = look(&tracker, &orchard.url).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY, "{problem}");
    assert_eq!(*orchard.asked.lock().unwrap(), ["api/v1/leagues"]);
    let body = json!({ "url": orchard.url, "league": "../farmers", "rules_digest": digest });
    let (status, problem) = ask(&tracker, Method::POST, "/api/v1/villages/leagues", body).await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (422, &json!("league"))
    );
    let body = json!({ "url": orchard.url, "league": "spring", "rules_digest": digest });
    let (status, problem) = ask(&tracker, Method::POST, "/api/v1/villages/leagues", body).await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (404, &json!("league"))
    );
    assert_eq!(leagues(&tracker).await, json!([]));
}

#[tokio::test]
async fn only_villages_of_the_farm_are_asked() {
    let (orchard, harbour) = (Village::start().await, Village::start().await);
    let tracker = member(&orchard).await;
    let digest = harbour.supplies(&rules(40));
    for url in [
        harbour.url.as_str(),
        "http://169.254.169.254",
        "https://a.example",
    ] {
        let (status, problem) = look(&tracker, url).await;
        assert_eq!(
            (status.as_u16(), &problem["field"]),
            (404, &json!("url")),
            "{url}"
        );
        assert_eq!(take(&tracker, url, digest).await.0.as_u16(), 404, "{url}");
    }
    let (status, problem) = look(&tracker, "orchard").await;
    assert_eq!((status.as_u16(), &problem["field"]), (422, &json!("url")));
    assert!(harbour.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_league_from_elsewhere_is_left_first() {
    let (orchard, harbour) = (Village::start().await, Village::start().await);
    let tracker = member(&orchard).await;
    let wanted = json!({ "url": harbour.url });
    ask(&tracker, Method::POST, "/api/v1/villages", wanted).await;
    let digest = orchard.supplies(&rules(40));
    harbour.supplies(&rules(40));
    for village in [None, Some(&harbour.url)] {
        let pasted = json!({ "name": "Mine", "rules": rules(30), "village": village });
        ask(&tracker, Method::PUT, "/api/v1/leagues/harvest", pasted).await;
        let (_, seen) = look(&tracker, &orchard.url).await;
        assert_eq!(seen["leagues"][0]["standing"], "other");
        let (status, problem) = take(&tracker, &orchard.url, digest).await;
        assert_eq!(
            (status.as_u16(), &problem["code"]),
            (409, &json!("other-league"))
        );
    }
    // By pasting its rules, the owner was in harbour's own.
    let (_, seen) = look(&tracker, &harbour.url).await;
    assert_eq!(seen["leagues"][0]["standing"], "changed");
    ask(
        &tracker,
        Method::DELETE,
        "/api/v1/leagues/harvest",
        json!({}),
    )
    .await;
    let (status, _) = take(&tracker, &orchard.url, digest).await;
    assert_eq!(status.as_u16(), 200);
}

#[tokio::test]
async fn the_terminal_shows_a_league_and_takes_it() {
    let orchard = Village::start().await;
    let tracker = member(&orchard).await;
    let digest = orchard.supplies(&rules(40)).to_string();
    let (ok, said, complaint) = run(&tracker, &["leagues", "offers", &orchard.url]).await;
    assert!(ok, "{complaint}");
    assert!(
        said.contains("base_coins.toil: 40 (your farm's rules: 15)"),
        "{said}"
    );
    let command = format!("leagues take {} harvest --digest {digest}", orchard.url);
    assert!(said.contains(&command), "{said}");
    let args: Vec<&str> = command.split(' ').collect();
    let (ok, said, complaint) = run(&tracker, &args).await;
    assert!(ok && said.contains("Harvest league"), "{said} {complaint}");
    let (_, said, _) = run(&tracker, &["leagues", "offers", &orchard.url]).await;
    assert!(said.contains("in it by these rules"), "{said}");
}
