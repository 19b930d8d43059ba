//! Tokens that the owner makes: what each opens, for how long, and who may make them.

use farmops_protocol::time::Timestamp;
use farmops_service::token::Token;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    cli::run,
    doors::{OWNERS, filled},
    server::{Tracker, database, now},
};

const SCOPES: [&str; 5] = ["read", "agents", "farm", "social", "admin"];

impl Tracker {
    /// Makes a token by the owner's.
    async fn token(&self, label: &str, scopes: &[&str], expires_at: Option<Timestamp>) -> String {
        let wish = json!({ "label": label, "scopes": scopes, "expires_at": expires_at });
        let answer = self.make(&self.token, &wish).await;
        assert_eq!(answer.status(), StatusCode::CREATED, "{wish}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let made: Value = answer.json().await.unwrap();
        made["token"].as_str().unwrap().to_owned()
    }

    async fn make(&self, by: &str, wish: &Value) -> Response {
        let request = self.anyone(Method::POST, "/api/v1/tokens").bearer_auth(by);
        request.json(wish).send().await.unwrap()
    }

    async fn ask(&self, method: &str, path: &str, token: &str) -> Response {
        let request = self.anyone(method.parse().unwrap(), &filled(path));
        request.bearer_auth(token).send().await.unwrap()
    }

    async fn status(&self, method: &str, path: &str, token: &str) -> u16 {
        self.ask(method, path, token).await.status().as_u16()
    }
}

/// Each route of the owner is refused to a token that has every scope but its own, with that scope named,
/// and opened by a token that has nothing else.
#[tokio::test]
async fn every_route_asks_for_its_scope() {
    let tracker = Tracker::begin().await;
    for scope in SCOPES {
        let others: Vec<&str> = SCOPES.into_iter().filter(|other| *other != scope).collect();
        let without = tracker
            .token(&format!("all but {scope}"), &others, None)
            .await;
        let with = tracker
            .token(&format!("only {scope}"), &[scope], None)
            .await;
        let mut routes = 0;
        for (method, path, _) in OWNERS.into_iter().filter(|(_, _, asks)| *asks == scope) {
            let answer = tracker.ask(method, path, &without).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{method} {path}");
            let asked = answer.headers()["www-authenticate"].to_str().unwrap();
            let lacks = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
            assert_eq!(asked, lacks, "{method} {path}");
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["code"], "insufficient-scope", "{method} {path}");
            assert_eq!(problem["scope"], scope, "{method} {path}");
            let answer = tracker.ask(method, path, &with).await;
            assert_ne!(answer.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
            let text = answer.text().await.unwrap();
            assert!(
                !text.contains("insufficient-scope"),
                "{method} {path}: {text}"
            );
            routes += 1;
        }
        assert!(routes > 3, "{scope}");
    }
}

#[tokio::test]
async fn a_token_is_shown_once_and_listed_without_its_secret() {
    let tracker = Tracker::begin().await;
    let end = now().saturating_add(86_400);
    let token = tracker
        .token("my shell", &["farm", "read"], Some(end))
        .await;
    assert_eq!(tracker.status("GET", "/api/v1/farm", &token).await, 200);
    let list = tracker.get("/api/v1/tokens").await;
    assert!(!list.to_string().contains(&token));
    let listed = &list["tokens"][0];
    assert_eq!(listed["label"], "my shell");
    assert_eq!(listed["scopes"], json!(["read", "farm"]));
    assert_eq!(listed["expires_at"], json!(end));
    assert_eq!(listed["expired"], false);
    let used: Timestamp = serde_json::from_value(listed["last_used"].clone()).unwrap();
    assert!((0..=600).contains(&(now().second() - used.second())));
    // Only its hash is in the database, and it counts after a restart.
    let tracker = tracker.restart().await;
    assert_eq!(tracker.get("/api/v1/tokens").await, list);
    assert_eq!(tracker.status("GET", "/api/v1/farm", &token).await, 200);
    for file in std::fs::read_dir(tracker.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(
            !bytes
                .windows(token.len())
                .any(|part| part == token.as_bytes())
        );
    }
}

#[tokio::test]
async fn a_revoked_or_expired_token_opens_nothing() {
    let tracker = Tracker::begin().await;
    let brief = tracker
        .token("brief", &["read"], Some(now().saturating_add(2)))
        .await;
    let gone = tracker.token("a/b ä", &["read"], None).await;
    assert_eq!(tracker.status("GET", "/api/v1/farm", &gone).await, 200);
    let revoke = "/api/v1/tokens/a%2Fb%20%C3%A4";
    assert_eq!(tracker.status("DELETE", revoke, &tracker.token).await, 204);
    assert_eq!(tracker.status("DELETE", revoke, &tracker.token).await, 404);
    assert_eq!(tracker.status("GET", "/api/v1/farm", &gone).await, 401);
    while tracker.status("GET", "/api/v1/farm", &brief).await == 200 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let answer = tracker.ask("GET", "/api/v1/farm", &brief).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let asked = answer.headers()["www-authenticate"].to_str().unwrap();
    assert!(asked.contains("the token has expired"), "{asked}");
    let list = tracker.get("/api/v1/tokens").await;
    assert_eq!(list["tokens"][0]["expired"], true);
    let tracker = tracker.restart().await;
    assert_eq!(tracker.status("GET", "/api/v1/farm", &gone).await, 401);
    assert_eq!(tracker.status("GET", "/api/v1/farm", &brief).await, 401);
}

#[tokio::test]
async fn a_token_gives_no_more_than_it_has() {
    let tracker = Tracker::begin().await;
    let end = now().saturating_add(3600);
    let maker = tracker.token("maker", &["admin", "read"], Some(end)).await;
    let reader = tracker.token("reader", &["read"], None).await;
    let after = end.saturating_add(1);
    let past = now().saturating_add(-1);
    for (by, wish, status, code, field) in [
        (
            &reader,
            json!({"label": "x", "scopes": ["read"]}),
            403,
            "insufficient-scope",
            "",
        ),
        (
            &maker,
            json!({"label": "x", "scopes": ["read", "farm"], "expires_at": end}),
            403,
            "insufficient-scope",
            "scopes",
        ),
        (
            &maker,
            json!({"label": "x", "scopes": ["read"]}),
            403,
            "forbidden",
            "expires_at",
        ),
        (
            &maker,
            json!({"label": "x", "scopes": ["read"], "expires_at": after}),
            403,
            "forbidden",
            "expires_at",
        ),
        (
            &tracker.token,
            json!({"label": "x", "scopes": ["read"], "expires_at": past}),
            422,
            "unprocessable",
            "expires_at",
        ),
        (
            &tracker.token,
            json!({"label": "x", "scopes": []}),
            422,
            "unprocessable",
            "scopes",
        ),
        (
            &tracker.token,
            json!({"label": "x", "scopes": ["all"]}),
            422,
            "unprocessable",
            "scopes[0]",
        ),
        (
            &tracker.token,
            json!({"label": "..", "scopes": ["read"]}),
            422,
            "unprocessable",
            "label",
        ),
        (
            &tracker.token,
            json!({"label": "reader", "scopes": ["read"]}),
            409,
            "label-taken",
            "label",
        ),
    ] {
        let answer = tracker.make(by, &wish).await;
        assert_eq!(answer.status(), status, "{wish}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(
            problem["field"].as_str().unwrap_or_default(),
            field,
            "{problem}"
        );
    }
    let wish = json!({"label": "x", "scopes": ["read"], "expires_at": end});
    assert_eq!(tracker.make(&maker, &wish).await.status(), 201);
}

#[tokio::test]
async fn there_are_so_many_tokens_and_no_more() {
    let tracker = Tracker::begin().await;
    let making = (0..100).map(|number| {
        let tracker = &tracker;
        async move {
            tracker
                .token(&format!("token {number}"), &["read"], None)
                .await
        }
    });
    futures::future::join_all(making).await;
    let wish = json!({"label": "one more", "scopes": ["read"]});
    let answer = tracker.make(&tracker.token, &wish).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "too-many-tokens");
    tracker
        .status("DELETE", "/api/v1/tokens/token%207", &tracker.token)
        .await;
    assert_eq!(tracker.make(&tracker.token, &wish).await.status(), 201);
}

impl Tracker {
    async fn replace(&self, by: &str, token: &str) -> (u16, Value) {
        let request = self
            .anyone(Method::PUT, "/api/v1/owner-token")
            .bearer_auth(by);
        let answer = request
            .json(&json!({ "token": token }))
            .send()
            .await
            .unwrap();
        (
            answer.status().as_u16(),
            answer.json().await.unwrap_or_default(),
        )
    }
}

#[tokio::test]
async fn the_owners_new_token_takes_the_place_of_the_old_one() {
    let tracker = Tracker::begin().await;
    let old = tracker.token.clone();
    let kept = tracker.token("kept", &["read"], None).await;
    let all = tracker.token("all", &SCOPES, None).await;
    let next = Token::generate(&mut rand::rng());
    // Not even one with every scope replaces the owner's.
    assert_eq!(tracker.replace(&all, next.expose()).await.0, 403);
    let (status, problem) = tracker.replace(&old, "password").await;
    assert_eq!((status, &problem["field"]), (422, &json!("token")));
    assert_eq!(tracker.replace(&old, next.expose()).await.0, 204);
    assert_eq!(tracker.status("GET", "/api/v1/tokens", &old).await, 401);
    assert_eq!(
        tracker.status("GET", "/api/v1/tokens", next.expose()).await,
        200
    );
    let tracker = tracker.restart().await;
    assert_eq!(tracker.status("GET", "/api/v1/tokens", &old).await, 401);
    assert_eq!(
        tracker.status("GET", "/api/v1/tokens", next.expose()).await,
        200
    );
    assert_eq!(tracker.status("GET", "/api/v1/farm", &kept).await, 200);
}

#[tokio::test]
async fn tokens_are_made_and_revoked_from_the_command_line() {
    let tracker = Tracker::begin().await;
    let made = run(
        &tracker,
        &[
            "tokens",
            "create",
            "night shift",
            "--scope",
            "read",
            "--scope",
            "agents",
            "--expires",
            "12h",
        ],
    )
    .await;
    let (ok, token, complaint) = made;
    assert!(ok, "{complaint}");
    assert_eq!(
        tracker.status("GET", "/api/v1/agents", token.trim()).await,
        200
    );
    let (_, listed, _) = run(&tracker, &["tokens", "list"]).await;
    assert!(
        listed.starts_with("night shift  read agents  ends "),
        "{listed}"
    );
    assert!(!listed.contains(token.trim()));
    let (_, listed, _) = run(&tracker, &["tokens", "list", "--json"]).await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["tokens"][0]["scopes"], json!(["read", "agents"]));
    let (ok, _, complaint) = run(&tracker, &["tokens", "create", "x", "--scope", "all"]).await;
    assert!(
        !ok && complaint.contains("read, agents, farm, social, admin"),
        "{complaint}"
    );
    assert!(run(&tracker, &["tokens", "revoke", "night shift"]).await.0);
    assert_eq!(
        tracker.status("GET", "/api/v1/agents", token.trim()).await,
        401
    );
    let (ok, _, complaint) = run(&tracker, &["tokens", "revoke", "night shift"]).await;
    assert!(!ok && complaint.contains("no such token"), "{complaint}");
    assert!(run(&tracker, &["sessions", "end"]).await.0);
}

#[tokio::test]
async fn the_owners_token_is_replaced_from_the_command_line() {
    let tracker = Tracker::begin().await;
    let old = tracker.token.clone();
    let (ok, _, complaint) = run(&tracker, &["owner-token", "rotate", "--json"]).await;
    assert!(ok, "{complaint}");
    assert_eq!(tracker.status("GET", "/api/v1/tokens", &old).await, 401);
    // The file has the new one, and nothing is left beside it.
    assert!(run(&tracker, &["tokens", "list"]).await.0);
    assert!(!tracker.folder.path().join("owner.token.new").exists());
    let file = tracker.folder.path().join("owner.token");
    let lost = std::fs::read_to_string(&file).unwrap();
    let url = database(tracker.folder.path());
    let to = file.display().to_string();
    let reset = ["owner-token", "reset", "--db", &url, "--to", &to];
    let (ok, _, complaint) = run(&tracker, &reset).await;
    assert!(
        !ok && complaint.contains("a tracker is running"),
        "{complaint}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), lost);
    let folder = tracker.end().await;
    let reset = tokio::process::Command::new(env!("CARGO_BIN_EXE_farmops-tracker"))
        .args(reset)
        .output()
        .await
        .unwrap();
    assert!(reset.status.success(), "{reset:?}");
    let tracker = Tracker::at(folder).await;
    assert_eq!(
        tracker.status("GET", "/api/v1/tokens", lost.trim()).await,
        401
    );
    assert_eq!(
        tracker
            .status("GET", "/api/v1/tokens", &tracker.token)
            .await,
        200
    );
}
