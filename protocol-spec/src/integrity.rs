//! Object integrity proofs: FEP-8b32 with the cryptosuite `eddsa-jcs-2022` (W3C Data Integrity).
//!
//! The proof travels inside the object, so anyone may relay the object and nobody can change it.
//! The signed bytes are SHA-256(JCS(proof options)) ‖ SHA-256(JCS(object without `proof`)).

use serde_json::{Map, Value, json};

use crate::{
    canonical,
    digest::sha256,
    field::FieldError,
    key::{PublicKey, SecretKey, Signature},
    time::Timestamp,
};

/// What a checked proof says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrityProof {
    /// The IRI of the key that signed, as the proof names it.
    pub verification_method: String,
    /// When it was signed.
    pub created: Timestamp,
}

/// `object` with an `eddsa-jcs-2022` proof by `key`.
///
/// # Errors
/// A [`FieldError`] when `object` is no JSON object or holds a number that is no safe integer.
pub fn sign(
    object: &Value,
    key: &SecretKey,
    verification_method: &str,
    created: Timestamp,
) -> Result<Value, FieldError> {
    let mut object = members(object)?.clone();
    object.remove("proof");
    let mut options = Map::new();
    if let Some(context) = object.get("@context") {
        options.insert("@context".into(), context.clone());
    }
    for (name, text) in [
        ("type", "DataIntegrityProof".to_owned()),
        ("cryptosuite", "eddsa-jcs-2022".to_owned()),
        ("proofPurpose", "assertionMethod".to_owned()),
        ("verificationMethod", verification_method.to_owned()),
        ("created", created.to_string()),
    ] {
        options.insert(name.into(), Value::String(text));
    }
    let signature = key.sign(&signed_bytes(&options, &object)?);
    let text = format!("z{}", bs58::encode(signature.as_bytes()).into_string());
    options.insert("proofValue".into(), Value::String(text));
    object.insert("proof".into(), Value::Object(options));
    Ok(Value::Object(object))
}

/// Checks the proof inside `object` under `key`.
///
/// Whose key it must be is the caller's to decide: this says only that `key` signed this object.
///
/// # Errors
/// A [`FieldError`] naming the member of the proof that is missing, foreign or wrong.
pub fn verify(object: &Value, key: &PublicKey) -> Result<IntegrityProof, FieldError> {
    let mut object = members(object)?.clone();
    let proof = object
        .remove("proof")
        .ok_or_else(|| FieldError::new("proof", "missing"))?;
    let mut options = match proof {
        Value::Object(options) => options,
        _ => return Err(FieldError::new("proof", "expected one object")),
    };
    for (name, expected) in [
        ("type", "DataIntegrityProof"),
        ("cryptosuite", "eddsa-jcs-2022"),
        ("proofPurpose", "assertionMethod"),
    ] {
        if options.get(name).and_then(Value::as_str) != Some(expected) {
            return Err(FieldError::new(
                format!("proof.{name}"),
                format!("expected {expected}"),
            ));
        }
    }
    let signature = match options.remove("proofValue") {
        Some(Value::String(text)) => parse_signature(&text),
        _ => None,
    }
    .ok_or_else(|| FieldError::new("proof.proofValue", "expected z and 64 bytes in base58btc"))?;
    bind_context(&options, &mut object)?;
    let method = text_of(&options, "verificationMethod")?.to_owned();
    let created = text_of(&options, "created")?
        .parse::<Timestamp>()
        .map_err(|e| FieldError::new("proof.created", e.to_string()))?;
    key.verify(&signed_bytes(&options, &object)?, &signature)
        .map_err(|e| FieldError::new("proof.proofValue", e.to_string()))?;
    Ok(IntegrityProof {
        verification_method: method,
        created,
    })
}

/// The object's context must begin with the one that was signed; what was signed is what counts
/// (Data Integrity EdDSA Cryptosuites 1.0, §3.3.2 step 4).
fn bind_context(
    options: &Map<String, Value>,
    object: &mut Map<String, Value>,
) -> Result<(), FieldError> {
    let Some(signed) = options.get("@context") else {
        return Ok(());
    };
    let list = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    };
    let (signed_list, carried) = (
        list(signed),
        object.get("@context").map(list).unwrap_or_default(),
    );
    if !carried.starts_with(&signed_list) {
        return Err(FieldError::new(
            "@context",
            "does not begin with the context that was signed",
        ));
    }
    object.insert("@context".into(), signed.clone());
    Ok(())
}

fn members(object: &Value) -> Result<&Map<String, Value>, FieldError> {
    object
        .as_object()
        .ok_or_else(|| FieldError::document("expected a JSON object"))
}

fn text_of<'a>(options: &'a Map<String, Value>, name: &str) -> Result<&'a str, FieldError> {
    options
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| FieldError::new(format!("proof.{name}"), "expected text"))
}

fn parse_signature(text: &str) -> Option<Signature> {
    let mut bytes = [0; 64];
    let length = bs58::decode(text.strip_prefix('z')?)
        .onto(&mut bytes)
        .ok()?;
    (length == 64).then(|| Signature::from_bytes(bytes))
}

fn signed_bytes(
    options: &Map<String, Value>,
    object: &Map<String, Value>,
) -> Result<Vec<u8>, FieldError> {
    let options = sha256(&canonical::to_vec(&json!(options))?);
    let object = sha256(&canonical::to_vec(&json!(object))?);
    Ok([*options.as_bytes(), *object.as_bytes()].concat())
}
