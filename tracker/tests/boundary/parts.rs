//! Parts of a running tracker that die, and callers who go away before they have their answer.

use std::{future::Future, pin::pin, time::Duration};

use farmops_service::token::Holder;
use farmops_tracker::{
    keyring::{TokenScope, Wanted},
    serve::start,
};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::server::{Tracker, config, now};

#[tokio::test]
async fn a_dead_writer_is_seen_and_ends_the_tracker() {
    let tracker = Tracker::begin().await;
    let ready = async || {
        let answer = tracker.anyone(Method::GET, "/readyz").send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    let (status, body) = ready().await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["checks"]["writer"]["status"], "ok");
    tracker.running().writer().abort();
    let (status, body) = until(ready, |(status, _)| *status != StatusCode::OK).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["checks"]["writer"]["reason"], "the writer is gone");
    assert_eq!(body["checks"]["store"]["status"], "ok");
    let ended = tokio::time::timeout(Duration::from_secs(10), tracker.ended()).await;
    let error = ended.expect("it waits for nobody").unwrap_err();
    assert!(error.to_string().contains("the writer has died"), "{error}");
}

#[tokio::test]
async fn a_change_of_tokens_is_seen_to_its_end_when_nobody_waits_for_it() {
    let tracker = Tracker::begin().await;
    let app = tracker.running().app.clone();
    let wanted = || Wanted::new("script", [TokenScope::Read], None).unwrap();
    let issue = || {
        app.keyring
            .issue(&app.writer, &Holder::Master, wanted(), now())
    };
    abandon(issue()).await;
    until(async || app.keyring.tokens(), |tokens| tokens.len() == 1).await;
    assert!(issue().await.is_err(), "the label is taken");
    abandon(app.keyring.revoke(&app.writer, "script")).await;
    until(async || app.keyring.tokens(), Vec::is_empty).await;
    issue().await.unwrap();
    let sessions = app.keyring.sessions();
    abandon(app.keyring.end_sessions(&app.writer)).await;
    let cookie = sessions.open(now(), &mut rand::rng()).unwrap();
    let headers = http::HeaderMap::from_iter([(http::header::COOKIE, cookie)]);
    let closed = async || app.keyring.session(&headers, now()).is_none();
    until(closed, |closed| *closed).await;
    // The store has it all as well.
    drop(app);
    let tracker = tracker.restart().await;
    assert_eq!(
        tracker.get("/api/v1/tokens").await["tokens"][0]["label"],
        "script"
    );
}

#[tokio::test]
async fn a_public_url_that_cannot_be_one_is_said_with_the_setting_and_a_good_one() {
    let folder = tempfile::tempdir().unwrap();
    for url in [
        "http://127.0.0.1:8443",
        "https://[::1]",
        "https://farm.example/path",
    ] {
        let mut config = config(&folder);
        config.public_url = url.parse().unwrap();
        let error = start(&config, CancellationToken::new())
            .await
            .err()
            .unwrap();
        let said = format!("{error:#}");
        for word in [
            url,
            "--public-url",
            "https://farm.example",
            "http://localhost:8443",
        ] {
            assert!(said.contains(word), "{said}");
        }
    }
}

/// Lets a caller begin and go away.
pub async fn abandon(work: impl Future) {
    let mut work = pin!(work);
    assert!(futures::poll!(work.as_mut()).is_pending());
}

/// Asks until the answer is good.
pub async fn until<T>(ask: impl AsyncFn() -> T, good: impl Fn(&T) -> bool) -> T {
    for _ in 0..3000 {
        let answer = ask().await;
        if good(&answer) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came");
}
