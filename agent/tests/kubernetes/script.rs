//! An API server that answers by a script: first what the script says, then as a healthy one would.

#![allow(dead_code)] // Not every test that takes it in scripts everything.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::{StreamExt as _, stream};
use http::StatusCode;
use serde_json::{Value, json};

/// An answer to a list or a watch.
pub(crate) enum Answer {
    /// Objects, the list's version, and the token for more.
    Page(Vec<Value>, &'static str, Option<&'static str>),
    /// An error, and when to come back.
    Refusal(u16, Option<u64>),
    /// A stream of pieces.
    Stream(Vec<Piece>),
}

/// A piece of a stream.
pub(crate) enum Piece {
    /// An event.
    Event(&'static str, Value),
    /// Anything.
    Raw(String),
    /// The connection breaks in the middle of a chunk.
    Break,
    /// Nothing more comes, and the connection stays.
    Silence,
}

#[derive(Default)]
struct Script {
    lists: VecDeque<Answer>,
    watches: VecDeque<Answer>,
    asked: Vec<(std::time::Instant, String)>,
    allowed: bool,
    /// Lists without a script have so many objects.
    many: usize,
}

/// A server at work.
#[derive(Clone)]
pub(crate) struct Server {
    script: Arc<Mutex<Script>>,
    folder: Arc<tempfile::TempDir>,
}

impl Server {
    pub(crate) async fn start(lists: Vec<Answer>, watches: Vec<Answer>) -> Self {
        let script = Script {
            lists: lists.into(),
            watches: watches.into(),
            asked: Vec::new(),
            allowed: true,
            many: 0,
        };
        let server = Self {
            script: Arc::new(Mutex::new(script)),
            folder: Arc::new(tempfile::tempdir().unwrap()),
        };
        let router = Router::new()
            .route("/api/v1", get(resources))
            .route("/api/v1/pods", get(pods))
            .route(
                "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                post(review),
            )
            .with_state(server.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": format!("http://{}", listener.local_addr().unwrap())}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {}}],
        });
        std::fs::write(server.kubeconfig(), kubeconfig.to_string()).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Whether the agent may list and watch.
    pub(crate) fn allow(&self, allowed: bool) {
        self.script.lock().unwrap().allowed = allowed;
    }

    /// From now on lists have so many objects, each of several kilobytes.
    pub(crate) fn fill(&self, many: usize) {
        self.script.lock().unwrap().many = many;
    }

    /// The next watch is answered so.
    pub(crate) fn then_watch(&self, answer: Answer) {
        self.script.lock().unwrap().watches.push_back(answer);
    }

    /// The queries so far, with the time since the one before.
    pub(crate) fn asked(&self) -> Vec<(Duration, String)> {
        let script = self.script.lock().unwrap();
        let mut before = None;
        let since = |(at, query): &(std::time::Instant, String)| {
            let pause = before.map_or(Duration::ZERO, |before| *at - before);
            before = Some(*at);
            (pause, query.clone())
        };
        script.asked.iter().map(since).collect()
    }
}

/// A pod whose phase is `phase`, at `version`.
pub(crate) fn pod(uid: &str, phase: &str, version: u64) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("pod-{uid}"), "namespace": "shop", "uid": uid,
            "resourceVersion": version.to_string(), "creationTimestamp": "2026-02-01T08:00:00Z",
        },
        "status": {"phase": phase},
    })
}

async fn resources() -> Json<Value> {
    Json(
        json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": [
            {"name": "pods", "namespaced": true, "kind": "Pod", "verbs": ["get", "list", "watch"]},
            {"name": "pods/status", "namespaced": true, "kind": "Pod", "verbs": ["get"]},
        ]}),
    )
}

async fn review(State(server): State<Server>) -> Json<Value> {
    let allowed = server.script.lock().unwrap().allowed;
    Json(json!({"kind": "SelfSubjectAccessReview", "status": {"allowed": allowed}}))
}

async fn pods(State(server): State<Server>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let watch = query.contains("watch=1");
    let (answer, many) = {
        let mut script = server.script.lock().unwrap();
        script
            .asked
            .push((std::time::Instant::now(), query.clone()));
        let answer = if watch {
            script.watches.pop_front()
        } else {
            script.lists.pop_front()
        };
        (answer, script.many)
    };
    match answer {
        Some(answer) => give(answer),
        None if watch => give(Answer::Stream(vec![Piece::Silence])),
        None => page_of_many(many, &query),
    }
}

/// The page that `query` asks for, of `many` objects.
fn page_of_many(many: usize, query: &str) -> Response {
    let number = |name: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name));
        value.and_then(|value| value.parse().ok())
    };
    let from: usize = number("continue=").unwrap_or(0);
    let to = many.min(from + number("limit=").unwrap_or(many));
    let items: Vec<Value> = (from..to)
        .map(|uid| {
            let mut pod = pod(&format!("u{uid}"), "Running", 1);
            pod["metadata"]["managedFields"] = json!("f:x ".repeat(1500));
            pod
        })
        .collect();
    let next = (to < many).then(|| to.to_string());
    Json(json!({
        "kind": "PodList", "apiVersion": "v1",
        "metadata": {"resourceVersion": "1", "continue": next}, "items": items,
    }))
    .into_response()
}

fn give(answer: Answer) -> Response {
    match answer {
        Answer::Page(items, version, next) => Json(json!({
            "kind": "PodList", "apiVersion": "v1",
            "metadata": {"resourceVersion": version, "continue": next}, "items": items,
        }))
        .into_response(),
        Answer::Refusal(code, after) => {
            let status = json!({"kind": "Status", "code": code, "reason": "Scripted", "message": "pod-secret-name"});
            let mut response = (StatusCode::from_u16(code).unwrap(), Json(status)).into_response();
            if let Some(after) = after {
                let headers = response.headers_mut();
                headers.insert(http::header::RETRY_AFTER, after.into());
            }
            response
        }
        Answer::Stream(pieces) => {
            let pieces = stream::iter(pieces).then(|piece| async move {
                match piece {
                    Piece::Event(kind, object) => {
                        let event = json!({"type": kind, "object": object});
                        Ok(Bytes::from(format!("{event}\n")))
                    }
                    Piece::Raw(text) => Ok(Bytes::from(text)),
                    Piece::Break => {
                        // What was said before goes out first.
                        tokio::task::yield_now().await;
                        Err(std::io::Error::other("broken"))
                    }
                    Piece::Silence => std::future::pending().await,
                }
            });
            Response::new(Body::from_stream(pieces))
        }
    }
}
