//! An API server that answers by a script: first what the script says, then as a healthy one would.

#![allow(dead_code)] // Not every test that takes it in scripts everything.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
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

/// What is said of one resource.
#[derive(Default)]
struct Lines {
    lists: VecDeque<Answer>,
    watches: VecDeque<Answer>,
    /// What a list has once the script is over.
    rest: Vec<Value>,
}

struct Script {
    /// By plural and group, as plugins declare it.
    resources: BTreeMap<String, Lines>,
    asked: Vec<(std::time::Instant, String)>,
    allowed: bool,
    /// Lists without a script have so many objects.
    many: usize,
    /// What each error says in words.
    message: String,
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
            resources: BTreeMap::new(),
            asked: Vec::new(),
            allowed: true,
            many: 0,
            message: "pod-secret-name".to_owned(),
        };
        let server = Self {
            script: Arc::new(Mutex::new(script)),
            folder: Arc::new(tempfile::tempdir().unwrap()),
        };
        server.serve("pods", lists, watches);
        let router = Router::new()
            .route("/{*path}", get(answer))
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

    /// Has another resource, in version 1 of its group: `deployments.apps`.
    pub(crate) fn serve(&self, resource: &str, lists: Vec<Answer>, watches: Vec<Answer>) {
        let lines = Lines {
            lists: lists.into(),
            watches: watches.into(),
            rest: Vec::new(),
        };
        let mut script = self.script.lock().unwrap();
        script.resources.insert(resource.to_owned(), lines);
    }

    /// Once its script is over, a resource has these objects.
    pub(crate) fn rest(&self, resource: &str, objects: &[Value]) {
        let mut script = self.script.lock().unwrap();
        let lines = script.resources.entry(resource.to_owned()).or_default();
        lines.rest = objects.to_vec();
    }

    /// From now on each error says so in words.
    pub(crate) fn mutter(&self, message: &str) {
        message.clone_into(&mut self.script.lock().unwrap().message);
    }

    /// Whether the agent may list and watch.
    pub(crate) fn allow(&self, allowed: bool) {
        self.script.lock().unwrap().allowed = allowed;
    }

    /// From now on lists have so many objects, each of several kilobytes.
    pub(crate) fn fill(&self, many: usize) {
        self.script.lock().unwrap().many = many;
    }

    /// The next watch of pods is answered so.
    pub(crate) fn then_watch(&self, answer: Answer) {
        let mut script = self.script.lock().unwrap();
        let pods = script.resources.entry("pods".to_owned()).or_default();
        pods.watches.push_back(answer);
    }

    /// The queries for objects so far, with the time since the one before.
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

/// `api/v1/pods` and `apis/apps/v1/deployments`, and what leads there.
async fn answer(
    State(server): State<Server>,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        ["api", "v1"] => server.discovery(""),
        ["apis", group] if server.has(group) => {
            let version = json!({"groupVersion": format!("{group}/v1"), "version": "v1"});
            Json(json!({"kind": "APIGroup", "name": group, "versions": [version]})).into_response()
        }
        ["apis", group, "v1"] if server.has(group) => server.discovery(group),
        ["api", "v1", plural] => server.objects(plural, &query.unwrap_or_default()),
        ["apis", group, "v1", plural] => {
            server.objects(&format!("{plural}.{group}"), &query.unwrap_or_default())
        }
        _ => server.refusal(404, None),
    }
}

async fn review(State(server): State<Server>) -> Json<Value> {
    let allowed = server.script.lock().unwrap().allowed;
    Json(json!({"kind": "SelfSubjectAccessReview", "status": {"allowed": allowed}}))
}

impl Server {
    fn has(&self, group: &str) -> bool {
        !self.plurals(group).is_empty()
    }

    fn plurals(&self, group: &str) -> Vec<String> {
        let script = self.script.lock().unwrap();
        let named = script.resources.keys();
        let split = named.map(|name| name.split_once('.').unwrap_or((name, "")));
        let of_group = split.filter(|(_, of)| *of == group);
        of_group.map(|(plural, _)| plural.to_owned()).collect()
    }

    fn discovery(&self, group: &str) -> Response {
        let resource = |name: &str, verbs: &[&str]| json!({"name": name, "namespaced": true, "kind": "Kind", "verbs": verbs});
        let resources: Vec<Value> = self
            .plurals(group)
            .iter()
            .flat_map(|plural| {
                let status = format!("{plural}/status");
                let all = ["get", "list", "watch"];
                [resource(plural, &all), resource(&status, &["get"])]
            })
            .collect();
        Json(json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": resources}))
            .into_response()
    }

    fn objects(&self, resource: &str, query: &str) -> Response {
        let watch = query.contains("watch=1");
        let (answer, many) = {
            let mut script = self.script.lock().unwrap();
            let now = std::time::Instant::now();
            script.asked.push((now, query.to_owned()));
            let many = script.many;
            let Some(lines) = script.resources.get_mut(resource) else {
                drop(script);
                return self.refusal(404, None);
            };
            let answer = if watch {
                lines.watches.pop_front()
            } else {
                let rest = &lines.rest;
                let over = || (!rest.is_empty()).then(|| Answer::Page(rest.clone(), "1", None));
                lines.lists.pop_front().or_else(over)
            };
            (answer, many)
        };
        match answer {
            Some(Answer::Refusal(code, after)) => self.refusal(code, after),
            Some(Answer::Page(items, version, next)) => page(&items, version, next),
            Some(Answer::Stream(pieces)) => stream_of(pieces),
            None if watch => stream_of(vec![Piece::Silence]),
            None => page_of_many(many, query),
        }
    }

    fn refusal(&self, code: u16, after: Option<u64>) -> Response {
        let message = self.script.lock().unwrap().message.clone();
        let status = json!({"kind": "Status", "code": code, "reason": "Scripted",
            "message": message, "details": {"name": message}});
        let mut response = (StatusCode::from_u16(code).unwrap(), Json(status)).into_response();
        if let Some(after) = after {
            let headers = response.headers_mut();
            headers.insert(http::header::RETRY_AFTER, after.into());
        }
        response
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
    page(&items, "1", next.as_deref())
}

fn page(items: &[Value], version: &str, next: Option<&str>) -> Response {
    Json(json!({
        "kind": "List", "apiVersion": "v1",
        "metadata": {"resourceVersion": version, "continue": next}, "items": items,
    }))
    .into_response()
}

fn stream_of(pieces: Vec<Piece>) -> Response {
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
