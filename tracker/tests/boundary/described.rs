//! Every answer that a test gets is held against the tracker's description of itself.

use std::{
    collections::HashMap,
    fmt::Display,
    sync::{Arc, LazyLock, Mutex},
};

use farmops_tracker::http::openapi;
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use jsonschema::Validator;
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

static DESCRIPTION: LazyLock<Description> = LazyLock::new(|| Description {
    document: serde_json::from_str(openapi::TEXT).unwrap(),
    validators: Mutex::default(),
});

struct Description {
    document: Value,
    /// By the place of the schema in the document.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// A request whose answer is checked.
pub struct Asking(pub RequestBuilder);

impl Asking {
    pub fn header<V>(self, name: impl AsRef<str>, value: V) -> Self
    where
        HeaderValue: TryFrom<V, Error: Into<http::Error>>,
    {
        Self(self.0.header(name.as_ref(), value))
    }

    pub fn query(self, pairs: &(impl Serialize + ?Sized)) -> Self {
        Self(self.0.query(pairs))
    }

    pub fn bearer_auth(self, token: impl Display) -> Self {
        Self(self.0.bearer_auth(token))
    }

    pub fn body(self, body: impl Into<Body>) -> Self {
        Self(self.0.body(body))
    }

    pub fn json(self, body: &(impl Serialize + ?Sized)) -> Self {
        Self(self.0.json(body))
    }

    pub async fn send(self) -> reqwest::Result<Response> {
        let (client, request) = self.0.build_split();
        let request = request?;
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let answer = client.execute(request).await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await?;
        DESCRIPTION.check(&method, &path, status, &headers, &body);
        let mut rebuilt = http::Response::new(body);
        *rebuilt.status_mut() = status;
        *rebuilt.headers_mut() = headers;
        Ok(Response::from(rebuilt))
    }
}

impl Description {
    fn check(
        &self,
        method: &Method,
        path: &str,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) {
        // Pages and the federation's documents are described elsewhere.
        let Some(template) = self.template(path) else {
            return;
        };
        let asked = format!("{method} {path}");
        let place = format!("/paths/{}", template.replace('~', "~0").replace('/', "~1"));
        let verb = method.as_str().to_lowercase();
        let operation = format!("{place}/{}", if verb == "head" { "get" } else { &verb });
        if self.document.pointer(&operation).is_none() {
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{asked}");
            return;
        }
        let response = self.deref(&format!("{operation}/responses/{}", status.as_u16()));
        let (response, described) = response.unwrap_or_else(|| {
            let text = String::from_utf8_lossy(body);
            panic!("{asked} answers {status}, which is not described: {text}")
        });
        let content = described.get("content").and_then(Value::as_object);
        if body.is_empty() {
            assert!(
                content.is_none() || verb == "head",
                "{asked}: {status} without a body"
            );
            return;
        }
        let declared = headers.get(CONTENT_TYPE).map(|v| v.to_str().unwrap());
        let essence = declared
            .and_then(|d| d.split(';').next())
            .unwrap_or_default();
        assert!(
            content.is_some_and(|types| types.contains_key(essence)),
            "{asked}: {status} with {essence}, which is not described"
        );
        if essence.ends_with("json") {
            let kind = essence.replace('/', "~1");
            let schema = format!("{response}/content/{kind}/schema");
            let value: Value = serde_json::from_slice(body).unwrap();
            let validator = self.validator(&schema);
            let faults: Vec<String> = validator
                .iter_errors(&value)
                .map(|e| format!("{}: {e}", e.instance_path()))
                .collect();
            assert_eq!(faults, [""; 0], "{asked}: {status} {value}");
        }
    }

    /// The described path that this one is an instance of.
    fn template(&self, path: &str) -> Option<&str> {
        let fits = |template: &str| {
            let (mut wanted, mut given) = (template.split('/'), path.split('/'));
            loop {
                match (wanted.next(), given.next()) {
                    // `path` is the one parameter that may have slashes in it.
                    (None, None) | (Some("{path}"), Some(_)) => return true,
                    (Some(w), Some(g)) if w == g || w.starts_with('{') => (),
                    _ => return false,
                }
            }
        };
        let paths = self.document["paths"].as_object().unwrap().keys();
        let mut fitting: Vec<&String> = paths.filter(|template| fits(template)).collect();
        // A word fits better than a parameter.
        fitting.sort_by_key(|template| template.matches('{').count());
        fitting.first().map(|template| template.as_str())
    }

    /// What is at a place, or where that leads, with its own place.
    fn deref(&self, place: &str) -> Option<(String, &Value)> {
        let value = self.document.pointer(place)?;
        match value.get("$ref").and_then(Value::as_str) {
            Some(target) => self.deref(target.strip_prefix('#')?),
            None => Some((place.to_owned(), value)),
        }
    }

    fn validator(&self, place: &str) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let made = validators.entry(place.to_owned()).or_insert_with(|| {
            let schema = json!({
                "allOf": [self.document.pointer(place).unwrap()],
                "components": self.document["components"],
            });
            Arc::new(jsonschema::draft202012::new(&schema).unwrap())
        });
        made.clone()
    }
}

/// The committed document is the one that the routes give.
#[test]
fn generated_description_is_up_to_date() {
    let now = openapi::describe().unwrap();
    assert!(
        now == DESCRIPTION.document,
        "the routes have changed: cargo run -p farmops-tracker --example openapi"
    );
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let paths = DESCRIPTION.document["paths"].as_object().unwrap();
    let mut names: Vec<&str> = paths
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .filter_map(|operation| operation["operationId"].as_str())
        .collect();
    let all = names.len();
    assert!(all > 40, "{all}");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn every_reference_leads_somewhere() {
    fn follow(value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if let (Some(target), "$ref") = (member.as_str(), name.as_str()) {
                        let place = target.strip_prefix('#').unwrap();
                        assert!(DESCRIPTION.document.pointer(place).is_some(), "{target}");
                    }
                    follow(member);
                }
            }
            Value::Array(items) => items.iter().for_each(follow),
            _ => (),
        }
    }
    follow(&DESCRIPTION.document);
}
