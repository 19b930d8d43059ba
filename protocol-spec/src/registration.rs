//! Registration: how a farmer's tracker asks a village to take her in.
//!
//! The farm key signs the request, so a village learns which key her snapshots must carry, and
//! nobody can register her from outside. The request names the one village it is meant for: a
//! village that received it cannot pass it on to another in her name (`REG-AUD-001`).

use serde::{Deserialize, Serialize};

use crate::{
    field::FieldError,
    key::{PublicKey, SecretKey, Signature},
    signed_request::{NamesItsKey, SignedRequest, check_audience, open, seal},
    time::Timestamp,
};

/// Bytes of one registration request in canonical form.
pub const REGISTRATION_BYTES_MAX: usize = 4096;
/// Characters of a handle.
pub const HANDLE_CHARS_MAX: usize = 32;
/// Characters of a display name.
pub const DISPLAY_NAME_CHARS_MAX: usize = 80;
/// Characters of an invite code.
pub const INVITE_CHARS_MAX: usize = 64;
/// Bytes of a URL.
const URL_BYTES_MAX: usize = 512;

/// What a tracker says to a village it wants to join. Members stand in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrationRequest {
    /// The farmer's actor; it lives below `tracker_url`.
    pub actor: String,
    /// The name people read; one line of at most 80 characters.
    pub display_name: String,
    /// The key that signs this request and every snapshot of the farm.
    pub farmer_key: PublicKey,
    /// The name before the `@`: `a-z`, `0-9`, `_` and `-`.
    pub handle: String,
    /// The invite code, where the village asks for one.
    pub invite: Option<String>,
    /// When it was made; it stays fresh for an hour.
    pub requested_at: Timestamp,
    /// Over the canonical bytes of all other members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<Signature>,
    /// The tracker's public URL: scheme and authority, without a trailing slash.
    pub tracker_url: String,
    /// The village this is meant for, in the same form.
    pub village_url: String,
}

/// Who asks, and where: what a request is made of, besides its key and time.
#[derive(Debug, Clone, Copy)]
pub struct Applicant<'a> {
    /// The farmer's actor.
    pub actor: &'a str,
    /// The name people read.
    pub display_name: &'a str,
    /// The name before the `@`.
    pub handle: &'a str,
    /// The invite code, where there is one.
    pub invite: Option<&'a str>,
    /// The tracker's public URL.
    pub tracker_url: &'a str,
    /// The village's public URL.
    pub village_url: &'a str,
}

/// How far a membership has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MembershipStatus {
    /// A member (answered with 201, or 200 when she was one already).
    Active,
    /// The village's people decide (answered with 202).
    Pending,
}

/// What a village answers. Further members are allowed, so that the answer can grow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationAnswer {
    /// The account at the village, like `alice@orchard.example`.
    pub account: String,
    /// How far it has come.
    pub status: MembershipStatus,
    /// The village's actor.
    pub village: String,
}

impl RegistrationRequest {
    /// The canonical bytes of a signed request.
    ///
    /// # Errors
    /// A [`FieldError`] when a member breaks a rule: what we would not accept, we do not sign.
    pub fn sign(
        applicant: Applicant<'_>,
        key: &SecretKey,
        now: Timestamp,
    ) -> Result<Vec<u8>, FieldError> {
        let request = Self {
            actor: applicant.actor.to_owned(),
            display_name: applicant.display_name.to_owned(),
            farmer_key: key.public(),
            handle: applicant.handle.to_owned(),
            invite: applicant.invite.map(str::to_owned),
            requested_at: now,
            signature: None,
            tracker_url: applicant.tracker_url.to_owned(),
            village_url: applicant.village_url.to_owned(),
        };
        seal(request, key)
    }

    /// Reads a request and checks its form, freshness, signature and that it is meant for
    /// `village_url`.
    ///
    /// # Errors
    /// A [`FieldError`] naming the member that breaks a rule.
    pub fn verify(bytes: &[u8], village_url: &str, now: Timestamp) -> Result<Self, FieldError> {
        open(bytes, now, |request: &Self| {
            check_audience(&request.village_url, village_url)
        })
    }
}

impl SignedRequest for RegistrationRequest {
    const NAME: &'static str = "a registration request";
    const BYTES_MAX: usize = REGISTRATION_BYTES_MAX;

    fn check(&self) -> Result<(), FieldError> {
        check_handle(&self.handle)?;
        check_display_name(&self.display_name)?;
        for (field, url) in [
            ("tracker_url", &self.tracker_url),
            ("village_url", &self.village_url),
        ] {
            if !is_origin(url) {
                return Err(FieldError::new(
                    field,
                    "expected a URL like https://farm.example, without a path",
                ));
            }
        }
        let below = self
            .actor
            .strip_prefix(&self.tracker_url)
            .and_then(|rest| rest.strip_prefix('/'));
        if self.actor.len() > URL_BYTES_MAX || !below.is_some_and(is_plain_path) {
            return Err(FieldError::new("actor", "expected a URL below tracker_url"));
        }
        let is_code = |code: &String| {
            (1..=INVITE_CHARS_MAX).contains(&code.len())
                && code
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        match &self.invite {
            Some(code) if !is_code(code) => Err(FieldError::new(
                "invite",
                "expected null or 1 to 64 letters, digits, - or _",
            )),
            _ => Ok(()),
        }
    }

    fn requested_at(&self) -> Timestamp {
        self.requested_at
    }

    fn signature_mut(&mut self) -> &mut Option<Signature> {
        &mut self.signature
    }
}

impl NamesItsKey for RegistrationRequest {
    fn key(&self) -> &PublicKey {
        &self.farmer_key
    }
}

/// Checks a handle: 1 to 32 of `a-z`, `0-9`, `_` and `-`, beginning with a letter or digit.
///
/// # Errors
/// A [`FieldError`] naming `handle`.
pub fn check_handle(handle: &str) -> Result<(), FieldError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if (1..=HANDLE_CHARS_MAX).contains(&handle.len())
        && handle.bytes().all(|b| plain(b) || matches!(b, b'_' | b'-'))
        && handle.bytes().next().is_some_and(plain)
    {
        Ok(())
    } else {
        Err(FieldError::new(
            "handle",
            "expected 1 to 32 of a-z, 0-9, _ and -, beginning with a letter or digit",
        ))
    }
}

/// Checks a display name: one line of 1 to 80 characters, without control characters.
///
/// # Errors
/// A [`FieldError`] naming `display_name`.
pub fn check_display_name(name: &str) -> Result<(), FieldError> {
    let reorders = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if (1..=DISPLAY_NAME_CHARS_MAX).contains(&name.chars().count())
        && name.trim() == name
        && !name.chars().any(|c| c.is_control() || reorders(c))
    {
        Ok(())
    } else {
        Err(FieldError::new(
            "display_name",
            "expected one line of 1 to 80 characters, without control characters",
        ))
    }
}

/// `https://host`, `http://host:port`: a scheme and an authority and nothing else.
fn is_origin(url: &str) -> bool {
    let authority = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    url.len() <= URL_BYTES_MAX
        && authority.is_some_and(|host| {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
        })
}

/// A path of unreserved characters and slashes (RFC 3986 §2.3).
fn is_plain_path(path: &str) -> bool {
    !path.is_empty()
        && path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~/".contains(&b))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ALICE: Applicant<'static> = Applicant {
        actor: "https://farm.example/ap/actor",
        display_name: "Alice's farm",
        handle: "alice",
        invite: Some("welcome-1"),
        tracker_url: "https://farm.example",
        village_url: "https://orchard.example",
    };

    fn now() -> Timestamp {
        "2026-02-21T09:30:00Z".parse().unwrap()
    }

    fn signed(applicant: Applicant<'_>) -> Result<Vec<u8>, FieldError> {
        RegistrationRequest::sign(applicant, &SecretKey::from_bytes([7; 32]), now())
    }

    fn field_refused(bytes: &[u8], village: &str, at: Timestamp) -> String {
        RegistrationRequest::verify(bytes, village, at)
            .unwrap_err()
            .field
    }

    #[test]
    fn a_signed_request_is_canonical_and_verifies() {
        let bytes = signed(ALICE).unwrap();
        assert!(crate::canonical::is_canonical(&bytes, 4));
        let read = RegistrationRequest::verify(&bytes, ALICE.village_url, now()).unwrap();
        assert_eq!(read.handle, "alice");
        assert_eq!(read.farmer_key, SecretKey::from_bytes([7; 32]).public());
    }

    #[test]
    fn another_village_and_another_hour_refuse_it() {
        let bytes = signed(ALICE).unwrap();
        let village = ALICE.village_url;
        assert_eq!(
            field_refused(&bytes, "https://harbour.example", now()),
            "village_url"
        );
        for off in [3601, -301] {
            assert_eq!(
                field_refused(&bytes, village, now().saturating_add(off)),
                "requested_at"
            );
        }
        let text = String::from_utf8(bytes).unwrap();
        let renamed = text.replace("\"alice\"", "\"mallory\"");
        assert_eq!(
            field_refused(renamed.as_bytes(), village, now()),
            "signature"
        );
        let spaced = text.replacen(':', ": ", 1);
        assert_eq!(field_refused(spaced.as_bytes(), village, now()), "$");
        assert_eq!(field_refused(b"{}", village, now()), "$");
    }

    #[test]
    fn each_member_has_its_rule() {
        for (applicant, field) in [
            (
                Applicant {
                    handle: "Alice",
                    ..ALICE
                },
                "handle",
            ),
            (
                Applicant {
                    handle: "",
                    ..ALICE
                },
                "handle",
            ),
            (
                Applicant {
                    display_name: "two\nlines",
                    ..ALICE
                },
                "display_name",
            ),
            (
                Applicant {
                    actor: "https://other.example/ap/actor",
                    ..ALICE
                },
                "actor",
            ),
            (
                Applicant {
                    actor: "https://farm.example.evil/ap",
                    ..ALICE
                },
                "actor",
            ),
            (
                Applicant {
                    tracker_url: "https://farm.example/",
                    ..ALICE
                },
                "tracker_url",
            ),
            (
                Applicant {
                    village_url: "ftp://orchard.example",
                    ..ALICE
                },
                "village_url",
            ),
            (
                Applicant {
                    invite: Some("no spaces"),
                    ..ALICE
                },
                "invite",
            ),
        ] {
            assert_eq!(signed(applicant).unwrap_err().field, field);
        }
    }
}
