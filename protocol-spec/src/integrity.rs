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
    let Value::Object(mut options) = proof else {
        return Err(FieldError::new("proof", "expected one object"));
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
    check_context(&options, &object)?;
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

/// The object carries exactly the context that was signed (`SNP-PROOF-004`).
///
/// Data Integrity `EdDSA` Cryptosuites 1.0, §3.3.2, would also take a longer one and count only what was
/// signed; but then a relay could add to an object that others keep and pass on.
fn check_context(
    options: &Map<String, Value>,
    object: &Map<String, Value>,
) -> Result<(), FieldError> {
    match options.get("@context") {
        Some(signed) if object.get("@context") != Some(signed) => Err(FieldError::new(
            "@context",
            "is not the context that was signed",
        )),
        _ => Ok(()),
    }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const METHOD: &str = "https://server.example/users/alice#ed25519-key";

    fn created() -> Timestamp {
        "2023-02-24T23:36:38Z".parse().unwrap()
    }

    proptest! {
        #[test]
        fn what_is_signed_verifies_and_any_change_does_not(
            members in prop::collection::btree_map("[a-z]{1,6}", 0..1000_u64, 1..6),
            added in 0..1000_u64,
        ) {
            let key = SecretKey::from_bytes([5; 32]);
            let object = json!(members);
            let signed = sign(&object, &key, METHOD, created()).unwrap();
            let proof = verify(&signed, &key.public()).unwrap();
            prop_assert_eq!(proof.verification_method, METHOD);
            for name in members.keys() {
                let mut changed = signed.clone();
                changed[name] = json!(members[name] + 1 + added);
                prop_assert!(verify(&changed, &key.public()).is_err());
                changed.as_object_mut().unwrap().remove(name);
                prop_assert!(verify(&changed, &key.public()).is_err());
            }
        }
    }

    #[test]
    fn signing_again_replaces_the_proof() {
        let key = SecretKey::from_bytes([5; 32]);
        let once = sign(&json!({ "a": 1 }), &key, METHOD, created()).unwrap();
        assert_eq!(sign(&once, &key, METHOD, created()).unwrap(), once);
    }
}
