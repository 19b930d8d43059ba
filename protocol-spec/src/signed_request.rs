//! What all signed requests have in common: a small canonical document, fresh for an hour. Enrolment,
//! registration and departure name the key that signs them; rotation and chain reset name an agent,
//! and the reader knows its key.

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
    /// When it was made.
    fn requested_at(&self) -> Timestamp;
    /// The signature over the canonical bytes of all other members.
    fn signature_mut(&mut self) -> &mut Option<Signature>;
}

/// A request that says which key signs it.
pub(crate) trait NamesItsKey: SignedRequest {
    /// The key that signs it.
    fn key(&self) -> &PublicKey;
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
pub(crate) fn open<T: NamesItsKey>(
    bytes: &[u8],
    now: Timestamp,
    expects: impl FnOnce(&T) -> Result<(), FieldError>,
) -> Result<T, FieldError> {
    let mut request: T = parse(bytes)?;
    expects(&request)?;
    check_fresh(request.requested_at(), now)?;
    let key = *request.key();
    check_signature(&mut request, &key)?;
    Ok(request)
}

/// Reads a request's form: size, canonical form and the members' rules. Nobody has signed it yet.
pub(crate) fn parse<T: SignedRequest>(bytes: &[u8]) -> Result<T, FieldError> {
    if bytes.len() > T::BYTES_MAX {
        let (name, max) = (T::NAME, T::BYTES_MAX);
        return Err(FieldError::document(format!(
            "{name} has at most {max} bytes"
        )));
    }
    let request: T = field::from_slice(bytes)?;
    if canonical(&request)? != bytes {
        return Err(not_canonical());
    }
    request.check()?;
    Ok(request)
}

/// Refuses a request from another hour (`ENR-FRESH-001`).
pub(crate) fn check_fresh(requested_at: Timestamp, now: Timestamp) -> Result<(), FieldError> {
    let age = now.seconds_since(requested_at);
    if !(-CLOCK_AHEAD_SECONDS_MAX..=REQUEST_AGE_SECONDS_MAX).contains(&age) {
        return Err(FieldError::new(
            "requested_at",
            "not within the last hour; is the sender's clock right?",
        ));
    }
    Ok(())
}

/// Refuses a request that `key` did not sign.
pub(crate) fn check_signature<T: SignedRequest>(
    request: &mut T,
    key: &PublicKey,
) -> Result<(), FieldError> {
    let signature = request.signature_mut().take();
    let unsigned = canonical(request)?;
    *request.signature_mut() = signature;
    check_one("signature", signature.as_ref(), key, &unsigned)
}

/// Refuses the signature in the member `field` unless `key` made it over `message`.
pub(crate) fn check_one(
    field: &str,
    signature: Option<&Signature>,
    key: &PublicKey,
    message: &[u8],
) -> Result<(), FieldError> {
    let signature = signature.ok_or_else(|| FieldError::new(field, "missing"))?;
    key.verify(message, signature)
        .map_err(|e| FieldError::new(field, e.to_string()))
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

/// The canonical bytes of a document whose members are declared in canonical order.
pub(crate) fn canonical<T: Serialize>(request: &T) -> Result<Vec<u8>, FieldError> {
    serde_json::to_vec(request).map_err(|e| FieldError::document(e.to_string()))
}
