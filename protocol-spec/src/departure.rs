//! Departure: how a farmer's tracker tells a village that she leaves.
//!
//! It is signed and addressed like a registration, so nobody else can end a membership, and a
//! village cannot use it against another one (`REG-AUD-001`).

use serde::{Deserialize, Serialize};

use crate::{
    field::FieldError,
    key::{PublicKey, SecretKey, Signature},
    signed_request::{NamesItsKey, SignedRequest, check_audience, open, seal},
    time::Timestamp,
};

/// Bytes of one departure request in canonical form.
pub const DEPARTURE_BYTES_MAX: usize = 2048;

/// What a tracker says to a village that its farmer leaves. Members stand in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepartureRequest {
    /// The farmer's actor, as it was registered.
    pub actor: String,
    /// The key that was registered; it signs this request.
    pub farmer_key: PublicKey,
    /// When it was made; it stays fresh for an hour.
    pub requested_at: Timestamp,
    /// Over the canonical bytes of all other members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<Signature>,
    /// The village this is meant for: scheme and authority, without a trailing slash.
    pub village_url: String,
}

impl DepartureRequest {
    /// The canonical bytes of a signed request.
    ///
    /// # Errors
    /// A [`FieldError`] when it does not serialise.
    pub fn sign(
        actor: &str,
        village_url: &str,
        key: &SecretKey,
        now: Timestamp,
    ) -> Result<Vec<u8>, FieldError> {
        let request = Self {
            actor: actor.to_owned(),
            farmer_key: key.public(),
            requested_at: now,
            signature: None,
            village_url: village_url.to_owned(),
        };
        seal(request, key)
    }

    /// Reads a request and checks its form, freshness, signature and that it is meant for
    /// `village_url`. Whether `farmer_key` is the registered one is the caller's to check.
    ///
    /// # Errors
    /// A [`FieldError`] naming the member that breaks a rule.
    pub fn verify(bytes: &[u8], village_url: &str, now: Timestamp) -> Result<Self, FieldError> {
        open(bytes, now, |request: &Self| {
            check_audience(&request.village_url, village_url)
        })
    }
}

impl SignedRequest for DepartureRequest {
    const NAME: &'static str = "a departure request";
    const BYTES_MAX: usize = DEPARTURE_BYTES_MAX;

    fn check(&self) -> Result<(), FieldError> {
        Ok(())
    }

    fn requested_at(&self) -> Timestamp {
        self.requested_at
    }

    fn signature_mut(&mut self) -> &mut Option<Signature> {
        &mut self.signature
    }
}

impl NamesItsKey for DepartureRequest {
    fn key(&self) -> &PublicKey {
        &self.farmer_key
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const VILLAGE: &str = "https://orchard.example";

    fn now() -> Timestamp {
        "2026-02-21T09:30:00Z".parse().unwrap()
    }

    fn signed() -> Vec<u8> {
        let key = SecretKey::from_bytes([7; 32]);
        DepartureRequest::sign("https://farm.example/ap/actor", VILLAGE, &key, now()).unwrap()
    }

    #[test]
    fn a_signed_departure_is_canonical_and_verifies() {
        assert!(crate::canonical::is_canonical(&signed(), 4));
        let read = DepartureRequest::verify(&signed(), VILLAGE, now()).unwrap();
        assert_eq!(read.actor, "https://farm.example/ap/actor");
    }

    #[test]
    fn what_is_changed_late_or_meant_for_another_is_refused() {
        let refused = |bytes: &[u8], village: &str, at| {
            DepartureRequest::verify(bytes, village, at)
                .unwrap_err()
                .field
        };
        let bytes = signed();
        assert_eq!(
            refused(&bytes, "https://harbour.example", now()),
            "village_url"
        );
        let late = now().saturating_add(3601);
        assert_eq!(refused(&bytes, VILLAGE, late), "requested_at");
        let text = String::from_utf8(bytes).unwrap();
        let other = text.replace("farm.example", "evil.example");
        assert_eq!(refused(other.as_bytes(), VILLAGE, now()), "signature");
        let spaced = text.replacen(':', ": ", 1);
        assert_eq!(refused(spaced.as_bytes(), VILLAGE, now()), "$");
    }
}
