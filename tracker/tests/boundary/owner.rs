//! What is the owner's stays the owner's.

use farmops_protocol::proof::Category;
use reqwest::{Method, StatusCode, header::COOKIE};

use crate::{
    publishing::with_coins,
    server::{Tracker, now},
};

#[tokio::test]
async fn visitors_see_totals_and_never_a_proof() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let proof = agent.work(Category::Toil, now());
    tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    let coins = tracker.get("/api/v1/farm").await["total_coins"].as_u64();
    with_coins(&tracker, coins.unwrap()).await;
    let private = [
        proof.body().proof_id.to_string(),
        proof.body().action.description.clone(),
        agent.id.to_string(),
        agent.alias.clone(),
    ];
    for path in [
        "/",
        "/login",
        "/farm.svg",
        "/api/v1/public/profile",
        "/api/v1/public/snapshot",
        "/ap/actor",
        "/ap/actor/outbox",
        "/nodeinfo/2.1",
        "/readyz",
    ] {
        let answer = tracker.anyone(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let text = answer.text().await.unwrap();
        for secret in &private {
            assert!(!text.contains(secret.as_str()), "{path} shows {secret}");
        }
    }
}

#[tokio::test]
async fn the_owner_logs_in_approves_and_logs_out() {
    let tracker = Tracker::begin().await;
    let agent = crate::cast::TestAgent::new(1);
    tracker.enrol(&agent).await;
    let login = |token: &str| {
        tracker
            .anyone(Method::POST, "/login")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("token={token}"))
            .send()
    };
    assert_eq!(
        login("wrong").await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    let answer = login(&tracker.token).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let home = || {
        tracker
            .anyone(Method::GET, "/agents")
            .header(COOKIE, &cookie)
            .send()
    };
    let page = home().await.unwrap();
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    let text = page.text().await.unwrap();
    assert!(text.contains(&agent.id.to_string()));
    assert!(text.contains(&agent.key.public().fingerprint().to_string()));
    let marker = "name=\"form_token\" value=\"";
    let at = text.find(marker).unwrap() + marker.len();
    let form_token = text[at..at + 64].to_owned();
    let submit = |path: String, body: String| {
        tracker
            .anyone(Method::POST, &path)
            .header(COOKIE, &cookie)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
    };
    let path = format!("/agents/{}/approve", agent.id);
    let fingerprint = agent
        .key
        .public()
        .fingerprint()
        .to_string()
        .replace(' ', "+");
    let forged = submit(
        path.clone(),
        format!("form_token=x&fingerprint={fingerprint}"),
    )
    .await;
    assert_eq!(forged.unwrap().status(), StatusCode::FORBIDDEN);
    let mistyped = submit(
        path.clone(),
        format!("form_token={form_token}&fingerprint=1234"),
    )
    .await;
    let mistyped = mistyped.unwrap();
    assert_eq!(mistyped.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(mistyped.text().await.unwrap().contains("role=\"alert\""));
    let good = submit(
        path,
        format!("form_token={form_token}&fingerprint={fingerprint}"),
    )
    .await;
    assert_eq!(good.unwrap().status(), StatusCode::SEE_OTHER);
    assert_eq!(
        tracker.get("/api/v1/agents").await["agents"][0]["status"],
        "active"
    );
    let out = submit("/logout".to_owned(), format!("form_token={form_token}"))
        .await
        .unwrap();
    assert!(
        out.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    assert!(is_closed(&tracker, &cookie, &form_token).await);
    let visitor = tracker
        .anyone(Method::GET, "/")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(!visitor.contains(&agent.id.to_string()));
}

#[tokio::test]
async fn token_and_farm_survive_a_restart() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let proof = agent.work(Category::Toil, now());
    tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    let (token, before) = (tracker.token.clone(), tracker.projections().await);
    let tracker = tracker.restart().await;
    assert_eq!(tracker.token, token);
    assert_eq!(tracker.projections().await, before);
    let next = agent.work(Category::Toil, now());
    assert_eq!(
        tracker
            .post("/api/v1/proofs", next.bytes().to_vec())
            .await
            .0,
        201
    );
}

/// Whether a copy of a session's cookie opens nothing any more, neither a page nor a form.
async fn is_closed(tracker: &Tracker, cookie: &str, form_token: &str) -> bool {
    let page = tracker
        .anyone(Method::GET, "/agents")
        .header(COOKIE, cookie);
    let page = page.send().await.unwrap();
    let form = tracker
        .anyone(Method::POST, "/settings/sessions/end")
        .header(COOKIE, cookie)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("form_token={form_token}"));
    let form = form.send().await.unwrap();
    page.headers()
        .get("location")
        .is_some_and(|to| to == "/login")
        && form.status() == StatusCode::FORBIDDEN
}
