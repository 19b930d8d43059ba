//! What enrolment, registration and departure have in common: a small canonical document, signed by
//! the key that it names, fresh for an hour.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    canonical::not_canonical,
    field::{self, FieldError},
    key::{PublicKey, SecretKey, Signature},
    limits::{CLOCK_AHEAD_SECONDS_MAX, REQUEST_AGE_SECONDS_MAX},
    time::Timestamp,
};

/// A request that carries its own signature. Members are declared in canonical order, as in
/// [`crate::proof`], so plain serialisation is the canonical form.
pub(crate) trait SignedRequest: Serialize + DeserializeOwned {
    /// What it is called in a refusal, with its article.
    const NAME: &'static str;
    /// Bytes of one request in canonical form.
    const BYTES_MAX: usize;

    /// The rules of the members that their types do not hold.
    fn check(&self) -> Result<(), FieldError>;
    /// The key that signs it.
    fn key(&self) -> &PublicKey;
    /// When it was made.
    fn requested_at(&self) -> Timestamp;
    /// The signature over the canonical bytes of all other members.
    fn signature_mut(&mut self) -> &mut Option<Signature>;
}

/// The canonical bytes of `request`, signed with `key`: what would be refused is not signed.
pub(crate) fn seal<T: SignedRequest>(
    mut request: T,
    key: &SecretKey,
) -> Result<Vec<u8>, FieldError> {
    request.check()?;
    *request.signature_mut() = None;
    let signature = key.sign(&canonical(&request)?);
    *request.signature_mut() = Some(signature);
    canonical(&request)
}

/// Reads a request: size, canonical form, the members' rules, what the reader `expects` of it,
/// freshness, and that its own key signed it.
pub(crate) fn open<T: SignedRequest>(
    bytes: &[u8],
    now: Timestamp,
    expects: impl FnOnce(&T) -> Result<(), FieldError>,
) -> Result<T, FieldError> {
    if bytes.len() > T::BYTES_MAX {
        let (name, max) = (T::NAME, T::BYTES_MAX);
        return Err(FieldError::document(format!(
            "{name} has at most {max} bytes"
        )));
    }
    let mut request: T = field::from_slice(bytes)?;
    if canonical(&request)? != bytes {
        return Err(not_canonical());
    }
    request.check()?;
    expects(&request)?;
    let age = now.seconds_since(request.requested_at());
    if !(-CLOCK_AHEAD_SECONDS_MAX..=REQUEST_AGE_SECONDS_MAX).contains(&age) {
        return Err(FieldError::new(
            "requested_at",
            "not within the last hour; is the sender's clock right?",
        ));
    }
    let signature = request
        .signature_mut()
        .take()
        .ok_or_else(|| FieldError::new("signature", "missing"))?;
    request
        .key()
        .verify(&canonical(&request)?, &signature)
        .map_err(|e| FieldError::new("signature", e.to_string()))?;
    *request.signature_mut() = Some(signature);
    Ok(request)
}

/// Refuses a request that names another village than the one that was asked (`REG-AUD-001`).
pub(crate) fn check_audience(named: &str, asked: &str) -> Result<(), FieldError> {
    if named == asked {
        return Ok(());
    }
    Err(FieldError::new(
        "village_url",
        format!("expected {asked}, the village that was asked"),
    ))
}

fn canonical<T: Serialize>(request: &T) -> Result<Vec<u8>, FieldError> {
    serde_json::to_vec(request).map_err(|e| FieldError::document(e.to_string()))
}
