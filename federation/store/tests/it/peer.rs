//! A peer of another make, or an enemy: answers what a test tells it to, and signs what it likes.

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body, extract::Request, response::Response};
use base64::{Engine, prelude::BASE64_STANDARD};
use farmops_federation::{Timestamp, account::authority, actor::ActorKeys, signature::digest};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use url::Url;

use super::cast::{PATIENCE, client, keys};

pub const ACTIVITY_JSON: &str = "application/activity+json";

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn of(media_type: &str, document: &Value) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", media_type.to_owned())],
            body: document.to_string().into_bytes(),
        }
    }

    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// What a peer received.
#[derive(Clone, Debug)]
pub struct Seen {
    pub target: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Script {
    answers: HashMap<String, Vec<Answer>>,
}

/// A server under a test's control.
pub struct Peer {
    pub url: Url,
    pub keys: ActorKeys,
    script: Arc<Mutex<Script>>,
    seen: watch::Receiver<Vec<Seen>>,
    task: JoinHandle<()>,
}

impl Peer {
    /// Starts `{name}.localhost`, which answers 404 to everything.
    pub async fn start(name: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Arc::new(Mutex::new(Script::default()));
        let (sender, seen) = watch::channel(Vec::new());
        let app = Router::new().fallback({
            let script = script.clone();
            move |request: Request| answer(script.clone(), sender.clone(), request)
        });
        Self {
            url: Url::parse(&format!("http://{name}.localhost:{port}/")).unwrap(),
            keys: keys(name),
            script,
            seen,
            task: tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }),
        }
    }

    /// Starts a peer with one actor of the usual kind at `/users/{name}`.
    pub async fn with_actor(name: &str) -> Self {
        let peer = Self::start(name).await;
        peer.show(&format!("/users/{name}"), &peer.actor(name));
        peer.on(&format!("/users/{name}/inbox"), &[Answer::status(202)]);
        peer
    }

    pub fn at(&self, path: &str) -> Url {
        self.url.join(path).unwrap()
    }

    /// A plain actor document for `/users/{name}`.
    pub fn actor(&self, name: &str) -> Value {
        let id = self.at(&format!("/users/{name}"));
        json!({
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": id,
            "type": "Person",
            "preferredUsername": name,
            "inbox": format!("{id}/inbox"),
            "outbox": format!("{id}/outbox"),
            "publicKey": {
                "id": format!("{id}#main-key"),
                "owner": id,
                "publicKeyPem": self.keys.public_pem(),
            },
        })
    }

    /// Answers `path` with an ActivityPub document.
    pub fn show(&self, path: &str, document: &Value) {
        self.on(path, &[Answer::of(ACTIVITY_JSON, document)]);
    }

    /// Answers `path` (with its query, if given) in turn; the last answer stays.
    pub fn on(&self, path: &str, answers: &[Answer]) {
        self.script
            .lock()
            .unwrap()
            .answers
            .insert(path.to_owned(), answers.to_vec());
    }

    /// Everything received so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    /// Waits for `count` requests to `path`.
    pub async fn received(&self, path: &str, count: usize) -> Vec<Seen> {
        let mut seen = self.seen.clone();
        let to = |all: &[Seen]| {
            all.iter()
                .filter(|s| s.target == path)
                .cloned()
                .collect::<Vec<_>>()
        };
        let waited = tokio::time::timeout(PATIENCE, seen.wait_for(|all| to(all).len() >= count));
        match waited.await {
            Ok(all) => to(&all.unwrap()),
            Err(error) => panic!("{error}; received only {:?}", self.seen()),
        }
    }

    /// Sends `activity`, signed as the actor of the usual kind.
    pub async fn send(&self, inbox: &Url, activity: &Value) -> (StatusCode, Value) {
        let name = self
            .url
            .host_str()
            .unwrap()
            .split('.')
            .next()
            .unwrap()
            .to_owned();
        let key_id = format!("{}#main-key", self.at(&format!("/users/{name}")));
        self.send_signed(inbox, activity, &key_id, |_| {}).await
    }

    /// Sends `activity` signed with `key_id`; `spoil` may change the request after signing.
    pub async fn send_signed(
        &self,
        inbox: &Url,
        activity: &Value,
        key_id: &str,
        spoil: impl FnOnce(&mut Letter),
    ) -> (StatusCode, Value) {
        let mut letter =
            Letter::signed(inbox, activity.to_string().into_bytes(), key_id, &self.keys);
        spoil(&mut letter);
        letter.post(inbox).await
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A request on its way to an inbox.
#[derive(Clone)]
pub struct Letter {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Letter {
    pub fn signed(inbox: &Url, body: Vec<u8>, key_id: &str, keys: &ActorKeys) -> Self {
        let now = jiff::Timestamp::now().as_second();
        let covered = ["(request-target)", "host", "date", "digest"];
        Self::covering(inbox, body, key_id, keys, &covered, now)
    }

    /// Signs exactly what `covered` names, as of `second`.
    pub fn covering(
        inbox: &Url,
        body: Vec<u8>,
        key_id: &str,
        keys: &ActorKeys,
        covered: &[&str],
        second: i64,
    ) -> Self {
        let date = jiff::fmt::rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&jiff::Timestamp::from_second(second).unwrap())
            .unwrap();
        let values = [
            ("(request-target)", format!("post {}", inbox.path())),
            ("host", authority(inbox).unwrap()),
            ("date", date),
            ("digest", digest::of(&body)),
            ("(created)", second.to_string()),
            ("content-type", ACTIVITY_JSON.to_owned()),
        ];
        let value = |name: &str| values.iter().find(|(n, _)| *n == name).unwrap().1.clone();
        let text: Vec<_> = covered
            .iter()
            .map(|n| format!("{n}: {}", value(n)))
            .collect();
        let signature = BASE64_STANDARD.encode(keys.sign(text.join("\n").as_bytes()).unwrap());
        let created = if covered.contains(&"(created)") {
            format!("created={second},")
        } else {
            String::new()
        };
        let header = format!(
            "keyId=\"{key_id}\",algorithm=\"hs2019\",{created}headers=\"{}\",signature=\"{signature}\"",
            covered.join(" ")
        );
        let mut headers: Vec<(String, String)> = ["host", "date", "digest", "content-type"]
            .into_iter()
            .map(|name| (name.to_owned(), value(name)))
            .collect();
        headers.push(("signature".to_owned(), header));
        Self { headers, body }
    }

    pub fn header(&mut self, name: &str) -> &mut String {
        &mut self.headers.iter_mut().find(|(n, _)| n == name).unwrap().1
    }

    pub fn without(&mut self, name: &str) {
        self.headers.retain(|(n, _)| n != name);
    }

    pub fn add(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub async fn post(self, inbox: &Url) -> (StatusCode, Value) {
        self.post_with(&client(), inbox).await
    }

    /// As [`Self::post`], for a test that sends hundreds and need not make a client for each.
    pub async fn post_with(self, client: &reqwest::Client, inbox: &Url) -> (StatusCode, Value) {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            let name = HeaderName::try_from(name).unwrap();
            headers.append(name, HeaderValue::try_from(value).unwrap());
        }
        let request = client.post(inbox.clone()).headers(headers).body(self.body);
        let response = request.send().await.unwrap();
        let status = response.status();
        let media_type = response.headers().get("content-type").cloned();
        let body = response.bytes().await.unwrap();
        if status.is_client_error() || status.is_server_error() {
            assert_eq!(media_type.unwrap(), "application/problem+json");
            let problem: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(problem["status"], status.as_u16());
            return (status, problem);
        }
        (status, Value::Null)
    }
}

async fn answer(
    script: Arc<Mutex<Script>>,
    sender: watch::Sender<Vec<Seen>>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec();
    let target = parts.uri.path_and_query().unwrap().as_str().to_owned();
    let found = {
        let mut script = script.lock().unwrap();
        let key = [target.clone(), parts.uri.path().to_owned()]
            .into_iter()
            .find(|key| script.answers.contains_key(key));
        key.map(|key| {
            let answers = script.answers.get_mut(&key).unwrap();
            if answers.len() > 1 {
                answers.remove(0)
            } else {
                answers[0].clone()
            }
        })
    };
    let found = found.unwrap_or_else(|| Answer::status(404));
    sender.send_modify(|seen| {
        seen.push(Seen {
            target,
            headers: parts.headers,
            body,
        });
    });
    let mut response = Response::builder().status(found.status);
    for (name, value) in found.headers {
        if name == "x-test-delay-ms" {
            tokio::time::sleep(Duration::from_millis(value.parse().unwrap())).await;
            continue;
        }
        response = response.header(name, value);
    }
    response.body(Body::from(found.body)).unwrap()
}

/// The time now, as documents write it.
pub fn now() -> Timestamp {
    Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap()
}
