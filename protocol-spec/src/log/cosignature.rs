//! Cosignatures of witnesses (C2SP `tlog-cosignature`, Ed25519): who saw a log grow to this head, and when.
//!
//! A witness signs only a head that extends the one it signed last; whether it does is decided with
//! [`super::verify_consistency`] before [`sign`].

use super::note::{Algorithm, NoteSignature, SignedNote};
use crate::{
    field::FieldError,
    key::{PublicKey, SecretKey, Signature},
    time::Timestamp,
};

/// The time of the signature, then the signature.
const BYTES: usize = 8 + 64;

/// What a witness signs: never the bare text, so that a cosignature is not a log's own signature.
fn message(text: &str, seconds: u64) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

/// The line by which the witness `name` says that at `now` it knew no larger head of this log.
///
/// # Errors
/// A [`FieldError`] when the name is none, or the time lies before 1970.
pub fn sign(
    note: &SignedNote,
    name: &str,
    key: &SecretKey,
    now: Timestamp,
) -> Result<NoteSignature, FieldError> {
    let seconds = u64::try_from(now.second())
        .map_err(|_| FieldError::new("time", "a cosignature's time is not before 1970"))?;
    let signature = key.sign(message(note.text(), seconds).as_bytes());
    let bytes = [&seconds.to_be_bytes()[..], signature.as_bytes()].concat();
    NoteSignature::new(name, Algorithm::Cosignature, &key.public(), bytes)
}

/// When the witness `name` with this key last cosigned the note; lines of others are left alone
/// (`CHK-COSIGN-001`).
///
/// Whether the time is recent enough, or in the future, is the caller's to judge.
///
/// # Errors
/// A [`FieldError`] when no cosignature of the key verifies.
pub fn verify(note: &SignedNote, name: &str, key: &PublicKey) -> Result<Timestamp, FieldError> {
    note.signatures()
        .iter()
        .filter(|line| line.is_by(name, Algorithm::Cosignature, key))
        .filter_map(|line| verified(line.signature(), note.text(), key))
        .max()
        .ok_or_else(|| FieldError::document("no cosignature of the witness verifies"))
}

fn verified(bytes: &[u8], text: &str, key: &PublicKey) -> Option<Timestamp> {
    let bytes: &[u8; BYTES] = bytes.try_into().ok()?;
    let (seconds, signature) = bytes.split_first_chunk::<8>()?;
    let seconds = u64::from_be_bytes(*seconds);
    let signature = Signature::from_bytes(signature.try_into().ok()?);
    key.verify(message(text, seconds).as_bytes(), &signature)
        .ok()?;
    Timestamp::from_second(i64::try_from(seconds).ok()?)
}
