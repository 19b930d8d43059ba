//! Schemas of the shared types, for services that describe themselves with `OpenAPI` 3.1.
//!
//! A type that is a document of its own has its JSON Schema in `schemas/`; utoipa only names it, and
//! [`complete`] puts the file's text in its place.

use serde_json::{Map, Value};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr,
        schema::{KnownFormat, Schema, SchemaFormat, SchemaType, Type},
    },
};

use crate::{
    chain::ChainHead,
    digest::Digest,
    enrolment::{AgentStatus, EnrolmentAnswer},
    int::SafeUint,
    key::{Fingerprint, PublicKey},
    limits::INTEGER_MAX,
    proof::{ActionType, Category},
    registration::MembershipStatus,
    scoring::{RuleSet, Score},
    time::Timestamp,
};

/// An agent's signed proof, as it is sent.
#[derive(Debug)]
pub struct Proof;
/// An agent's signed request to be enrolled.
#[derive(Debug)]
pub struct EnrolmentRequest;
/// An agent's hand-over to a new key.
#[derive(Debug)]
pub struct KeyRotation;
/// An agent's request that its chain resume earlier.
#[derive(Debug)]
pub struct ChainResetRequest;
/// A signed snapshot of a farm.
#[derive(Debug)]
pub struct FarmSnapshot;
/// A refusal.
#[derive(Debug)]
pub struct Problem;

macro_rules! documents {
    ($($type:ty: $name:literal, $file:literal);+ $(;)?) => {
        /// The documents by their names in a description.
        const DOCUMENTS: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../schemas/", $file, ".schema.json")))),+
        ];
        $(impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().into()
            }
        }
        impl ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        })+
    };
}

documents! {
    Proof: "Proof", "proof";
    EnrolmentRequest: "EnrolmentRequest", "enrolment-request";
    EnrolmentAnswer: "EnrolmentAnswer", "enrolment-answer";
    KeyRotation: "KeyRotation", "key-rotation";
    ChainResetRequest: "ChainResetRequest", "chain-reset-request";
    FarmSnapshot: "FarmSnapshot", "snapshot";
    RuleSet: "RuleSet", "rule-set";
    Problem: "Problem", "problem";
}

/// Puts the documents' schemas into an `OpenAPI` description that names them.
///
/// # Errors
/// When a schema's file is no JSON object.
pub fn complete(description: &mut Value) -> Result<(), serde_json::Error> {
    for (name, text) in DOCUMENTS {
        let Some(place) = description.pointer_mut(&format!("/components/schemas/{name}")) else {
            continue;
        };
        let mut schema: Map<String, Value> = serde_json::from_str(text)?;
        // The description says which dialect it is in, and has its own base for references.
        schema.remove("$schema");
        schema.remove("$id");
        let mut schema = Value::Object(schema);
        rebase(&mut schema, &format!("#/components/schemas/{name}/$defs/"));
        *place = schema;
    }
    Ok(())
}

/// Lets references within a file lead to where the file now is.
fn rebase(value: &mut Value, base: &str) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(target) if name == "$ref" => {
                        if let Some(rest) = target.strip_prefix("#/$defs/") {
                            *target = format!("{base}{rest}");
                        }
                    }
                    other => rebase(other, base),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rebase(item, base)),
        _ => (),
    }
}

fn text(pattern: &str, example: &str, about: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .pattern(Some(pattern))
        .examples([example])
        .description(Some(about))
}

macro_rules! texts {
    ($($type:ty: $name:literal, $pattern:literal, $example:literal, $about:literal);+ $(;)?) => {
        $(impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                text($pattern, $example, $about).into()
            }
        }
        impl ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        })+
    };
}

texts! {
    Timestamp: "Timestamp", "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
        "2026-02-21T09:30:00Z", "Whole seconds, UTC.";
    Digest: "Digest", "^[0-9a-f]{64}$",
        "18b816057c8949dc550e56f53d877e7efc8fb769def571d0e19bbe304d038936", "A SHA-256 digest.";
    PublicKey: "PublicKey", "^z6Mk[1-9A-HJ-NP-Za-km-z]{44}$",
        "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", "An Ed25519 public key as a Multikey.";
    Fingerprint: "Fingerprint", "^[0-9a-f]{4}( [0-9a-f]{4}){15}$",
        "fe81 2c12 f3ab 4ce6 ac5d b69a c352 f906 cb1b 11ef 43fb 33e2 52ef 7ff5 5226 3889",
        "The SHA-256 digest of an agent's public key.";
}

macro_rules! words {
    ($($type:ty: $name:literal, $words:expr, $about:literal);+ $(;)?) => {
        $(impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(SchemaType::new(Type::String))
                    .enum_values(Some($words))
                    .description(Some($about))
                    .into()
            }
        }
        impl ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        })+
    };
}

words! {
    Category: "Category", Category::ALL.iter().map(|c| c.as_str()), "Which kind of work it was.";
    ActionType: "ActionType", ActionType::ALL.iter().map(|a| a.as_str()), "What kind of act it was.";
    AgentStatus: "AgentStatus", ["pending", "active", "revoked"], "Where an agent stands.";
    MembershipStatus: "MembershipStatus", ["active", "pending"], "How far a membership has come.";
}

impl PartialSchema for SafeUint {
    fn schema() -> RefOr<Schema> {
        count().into()
    }
}

impl ToSchema for SafeUint {
    fn name() -> std::borrow::Cow<'static, str> {
        "SafeUint".into()
    }
}

fn count() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Integer))
        .minimum(Some(0))
        .maximum(Some(INTEGER_MAX))
}

fn counts(names: &[&str]) -> ObjectBuilder {
    names.iter().fold(ObjectBuilder::new(), |object, name| {
        object.property(*name, count()).required(*name)
    })
}

impl PartialSchema for Score {
    fn schema() -> RefOr<Schema> {
        let members = [
            "coins",
            "capped",
            "base_coins",
            "complexity_bp",
            "impact_bp",
            "streak_bp",
            "upgrade_bp",
            "repetition_bp",
        ];
        counts(&members)
            .description(Some(
                "A score and how it came about; factors are in basis points, 10,000 to one.",
            ))
            .into()
    }
}

impl ToSchema for Score {
    fn name() -> std::borrow::Cow<'static, str> {
        "Score".into()
    }
}

impl PartialSchema for ChainHead {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .property("hash", Digest::schema())
            .required("hash")
            .property("length", count())
            .required("length")
            .property(
                "proof_id",
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))),
            )
            .required("proof_id")
            .property("timestamp", Timestamp::schema())
            .required("timestamp")
            .description(Some("The last proof of an agent's chain."))
            .into()
    }
}

impl ToSchema for ChainHead {
    fn name() -> std::borrow::Cow<'static, str> {
        "ChainHead".into()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_documents_references_lead_into_the_description() {
        let mut description = json!({ "components": { "schemas": { "Proof": {} } } });
        complete(&mut description).unwrap();
        let proof = &description["components"]["schemas"]["Proof"];
        assert_eq!(proof["title"], "Proof");
        assert_eq!(proof.get("$id"), None);
        let reference = proof["properties"]["prev_proof_id"]["anyOf"][0]["$ref"].as_str();
        let place = reference.unwrap().strip_prefix('#').unwrap();
        assert!(description.pointer(place).is_some(), "{place}");
    }
}
