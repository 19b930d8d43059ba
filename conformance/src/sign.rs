//! The `Signature` header of draft-cavage, in the suite's own small writing.
//!
//! One function signs, and can do so wrongly in every way of [`Forgery`]; one function verifies, and can
//! overlook any of them. Both are written from the draft, not from the code of a server.

mod verify;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha2_10::{Digest, Sha256};
use url::Url;

pub use self::verify::{Received, key_id, verify};
use crate::http::ACTIVITY_JSON;

/// A way of signing wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgery {
    /// No `Signature` header at all.
    Unsigned,
    /// `(request-target)` is not covered.
    NoTarget,
    /// `host` is not covered.
    NoHost,
    /// `digest` is not covered.
    NoDigest,
    /// Neither `date` nor `(created)` is covered.
    NoTime,
    /// The body is not the one whose digest was signed.
    OtherBody,
    /// Signed two hours ago.
    Stale,
    /// Signed ten minutes ahead.
    Ahead,
    /// Signed for another host.
    OtherHost,
    /// Signed for another path.
    OtherPath,
    /// A good signature by another actor's key.
    ForeignKey,
    /// The actor's key id over another key's signature.
    StolenKeyId,
    /// The signature's bytes are left out.
    Empty,
    /// A parameter of the `Signature` header stands there twice.
    RepeatedParameter,
    /// A second `Digest` header, of another body, behind the one that is signed.
    RepeatedHeader,
    /// A header is covered that the request does not have.
    AbsentHeader,
}

/// A request to be signed.
pub struct Draft<'a> {
    /// Where it goes.
    pub url: &'a Url,
    /// Its body.
    pub body: &'a [u8],
    /// The id of the key.
    pub key_id: &'a str,
    /// The key.
    pub key: &'a RsaPrivateKey,
    /// The time, in Unix seconds.
    pub now: i64,
    /// What is to be wrong with it.
    pub forgery: Option<Forgery>,
}

impl Draft<'_> {
    /// The headers of the signed POST.
    pub fn headers(&self) -> HeaderMap {
        let is = |forgery| self.forgery == Some(forgery);
        let made = match self.forgery {
            Some(Forgery::Stale) => self.now - 7200,
            Some(Forgery::Ahead) => self.now + 600,
            _ => self.now,
        };
        let host = if is(Forgery::OtherHost) {
            "elsewhere.example".to_owned()
        } else {
            authority(self.url)
        };
        let path = if is(Forgery::OtherPath) {
            "/elsewhere"
        } else {
            self.url.path()
        };
        let digested: &[u8] = if is(Forgery::OtherBody) {
            b"{}"
        } else {
            self.body
        };
        let mut headers = HeaderMap::new();
        let mut covered = Vec::new();
        let mut lines = Vec::new();
        if !is(Forgery::NoTarget) {
            covered.push("(request-target)");
            lines.push(format!("(request-target): post {path}"));
        }
        for (name, value, left_out) in [
            ("host", host, Forgery::NoHost),
            ("date", http_date(made), Forgery::NoTime),
            ("digest", digest(digested), Forgery::NoDigest),
            ("content-type", ACTIVITY_JSON.to_owned(), Forgery::Unsigned),
        ] {
            if !is(left_out) {
                covered.push(name);
                lines.push(format!("{name}: {value}"));
            }
            put(&mut headers, name, &value);
        }
        if is(Forgery::AbsentHeader) {
            covered.push("x-absent");
            lines.push("x-absent: ".to_owned());
        }
        if is(Forgery::RepeatedHeader) {
            put(&mut headers, "digest", &digest(b"{}"));
        }
        if !is(Forgery::Unsigned) {
            let value = self.signature(&covered, &lines.join("\n"));
            put(&mut headers, "signature", &value);
        }
        headers
    }

    /// The value of the `Signature` header over `text`.
    fn signature(&self, covered: &[&str], text: &str) -> String {
        let bytes = match self.forgery {
            Some(Forgery::Empty) => Vec::new(),
            _ => rsa_sign(self.key, text.as_bytes()),
        };
        let key_id = format!("keyId=\"{}\"", self.key_id);
        let value = format!(
            "{key_id},algorithm=\"rsa-sha256\",headers=\"{}\",signature=\"{}\"",
            covered.join(" "),
            BASE64_STANDARD.encode(bytes)
        );
        match self.forgery {
            // Even the same value twice: a reader of the first and one of the last may be told apart later.
            Some(Forgery::RepeatedParameter) => format!("{value},{key_id}"),
            _ => value,
        }
    }
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    // What stands here is ASCII of our own making; if a URL makes it otherwise, the header is left out.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.append(HeaderName::from_static(name), value);
    }
}

fn rsa_sign(key: &RsaPrivateKey, message: &[u8]) -> Vec<u8> {
    // It fails only for keys too short for the hash; ours have 2,048 bits. An empty signature fails anywhere.
    key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message))
        .unwrap_or_default()
}

/// The value of a `Digest` header.
pub fn digest(body: &[u8]) -> String {
    format!("SHA-256={}", BASE64_STANDARD.encode(Sha256::digest(body)))
}

/// Host, and port where one is written.
pub fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn http_date(second: i64) -> String {
    let moment = jiff::Timestamp::from_second(second).unwrap_or_default();
    jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&moment)
        .unwrap_or_default()
}
