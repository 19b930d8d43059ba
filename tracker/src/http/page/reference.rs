//! The interface for reading: what `/api/v1/openapi.json` says, as a page for everyone.

use std::sync::LazyLock;

use askama::Template;
use axum::response::Response;
use farmops_service::problem::Problem;
use http::StatusCode;
use serde_json::Value;

use super::plain;
use crate::http::openapi;

#[derive(Template)]
#[template(path = "reference.html")]
struct ReferencePage {
    about: Vec<String>,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
}

/// The operations of one tag.
struct Group {
    name: String,
    description: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    /// What a token needs to reach; none for what everyone may ask.
    scope: Option<String>,
    parameters: Vec<Parameter>,
    body: Option<Kind>,
    answers: Vec<Answer>,
    /// Refusals that it has in common with others: statuses.
    refusals: Vec<String>,
}

struct Parameter {
    name: String,
    place: String,
    required: bool,
    about: String,
    kind: Kind,
}

struct Answer {
    status: String,
    description: String,
    kind: Option<Kind>,
}

/// What a value is, in a word, and the schema that tells more.
struct Kind {
    text: String,
    schema: Option<String>,
}

struct Schema {
    name: String,
    about: String,
    members: Vec<Parameter>,
    /// What it is, if it has no members.
    kind: Option<Kind>,
    /// As it stands in the description.
    text: String,
}

static PAGE: LazyLock<ReferencePage> = LazyLock::new(|| {
    // The file is ours, and a test reads it.
    let description: Value = serde_json::from_str(openapi::TEXT).unwrap_or_default();
    ReferencePage::of(&description)
});

/// Shows the interface.
pub(in crate::http) async fn show() -> Result<Response, Problem> {
    plain(&*PAGE, StatusCode::OK)
}

impl ReferencePage {
    fn of(description: &Value) -> Self {
        let about = text(&description["info"]["description"]);
        let tags = description["tags"].as_array().into_iter().flatten();
        let schemas = description["components"]["schemas"].as_object();
        Self {
            about: about.split("\n\n").map(str::to_owned).collect(),
            groups: tags
                .map(|tag| Group {
                    name: text(&tag["name"]),
                    description: text(&tag["description"]),
                    operations: operations(description, &tag["name"]),
                })
                .collect(),
            schemas: schemas
                .into_iter()
                .flatten()
                .map(|(name, schema)| Schema::of(name, schema))
                .collect(),
        }
    }
}

fn operations(description: &Value, tag: &Value) -> Vec<Operation> {
    let paths = description["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flatten();
            methods.map(move |(method, operation)| (path, method, operation))
        })
        .filter(|(_, _, operation)| operation["tags"][0] == *tag)
        .map(|(path, method, operation)| Operation::of(path, method, operation))
        .collect()
}

impl Operation {
    fn of(path: &str, method: &str, operation: &Value) -> Self {
        let token = operation["security"][0]["token"].as_array();
        let responses = || operation["responses"].as_object().into_iter().flatten();
        Self {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(&operation["summary"]),
            description: text(&operation["description"]),
            scope: token.map(|scopes| scopes.first().map_or_else(String::new, text)),
            parameters: operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|parameter| Parameter {
                    name: text(&parameter["name"]),
                    place: text(&parameter["in"]),
                    required: parameter["required"] == true,
                    about: text(&parameter["description"]),
                    kind: Kind::of(&parameter["schema"]),
                })
                .collect(),
            body: content(&operation["requestBody"]),
            answers: responses()
                .filter(|(_, response)| response.get("$ref").is_none())
                .map(|(status, response)| Answer {
                    status: status.clone(),
                    description: text(&response["description"]),
                    kind: content(response),
                })
                .collect(),
            refusals: responses()
                .filter(|(_, response)| response.get("$ref").is_some())
                .map(|(status, _)| status.clone())
                .collect(),
        }
    }
}

/// What a body is, if there is one.
fn content(of: &Value) -> Option<Kind> {
    let (media_type, body) = of["content"].as_object()?.iter().next()?;
    let mut kind = Kind::of(&body["schema"]);
    if kind.schema.is_none() || media_type != "application/json" {
        kind.text.clone_from(media_type);
    }
    Some(kind)
}

impl Kind {
    fn of(schema: &Value) -> Self {
        if let Some(name) = reference(schema) {
            return Self {
                text: name.clone(),
                schema: Some(name),
            };
        }
        for choice in ["oneOf", "anyOf"] {
            let choices = schema[choice].as_array().into_iter().flatten();
            let mut others = choices.filter(|choice| choice["type"] != "null");
            if let Some(first) = others.next() {
                let kind = Self::of(first);
                return Self {
                    text: format!("{} or null", kind.text),
                    ..kind
                };
            }
        }
        if schema["type"] == "array" {
            let item = Self::of(&schema["items"]);
            return Self {
                text: format!("list of {}", item.text),
                ..item
            };
        }
        let words = match &schema["type"] {
            Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" or "),
            one => text(one),
        };
        Self {
            text: words,
            schema: None,
        }
    }
}

impl Schema {
    fn of(name: &str, schema: &Value) -> Self {
        // A schema that adds to another one has its own members last.
        let parts = schema["allOf"].as_array();
        let own = parts.and_then(|parts| parts.last()).unwrap_or(schema);
        let required = own["required"].as_array();
        let is_required =
            |member: &str| required.is_some_and(|all| all.iter().any(|name| name == member));
        let members: Vec<Parameter> = own["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(member, schema)| Parameter {
                name: member.clone(),
                place: String::new(),
                required: is_required(member),
                about: text(&schema["description"]),
                kind: Kind::of(schema),
            })
            .collect();
        Self {
            name: name.to_owned(),
            about: text(&schema["description"]),
            kind: members.is_empty().then(|| Kind::of(schema)),
            members,
            text: serde_json::to_string_pretty(schema).unwrap_or_default(),
        }
    }
}

fn reference(schema: &Value) -> Option<String> {
    let target = schema["$ref"].as_str()?;
    let name = target.strip_prefix("#/components/schemas/")?;
    name.split('/').next().map(str::to_owned)
}

/// Without the marks of code, which the description has for other readers.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().replace('`', "")
}
