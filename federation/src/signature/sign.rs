//! Signing what we send.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use farmops_protocol::time::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_signature_normalization::Config;
use url::Url;

use crate::{
    account::authority, actor::ActorKeys, protocol::context::ACTIVITY_JSON, signature::digest,
};

/// A request could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The RSA operation failed.
    #[error("the RSA operation failed")]
    Rsa(#[from] rsa::Error),
    /// A value does not fit into a header.
    #[error("a value does not fit into a header")]
    Header(#[from] http::header::InvalidHeaderValue),
    /// The URL has no host, or the time has no date.
    #[error("the request cannot be described: {0}")]
    Request(&'static str),
}

/// The headers that make a request to `url` signed: `Host`, `Date` and `Signature`, with a body
/// also `Digest` and `Content-Type`.
pub fn sign(
    method: &str,
    url: &Url,
    body: Option<&[u8]>,
    key_id: &str,
    keys: &ActorKeys,
    now: Timestamp,
) -> Result<HeaderMap, SignError> {
    let host = authority(url).ok_or(SignError::Request("the URL has no host"))?;
    let mut named = BTreeMap::from([("host".to_owned(), host), ("date".to_owned(), date(now)?)]);
    if let Some(body) = body {
        named.insert("digest".to_owned(), digest::of(body));
        named.insert("content-type".to_owned(), ACTIVITY_JSON.to_owned());
    }
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let signature = Config::new()
        .mastodon_compat()
        .begin_sign(method, &target, named.clone())
        .map_err(|_| SignError::Request("a required header is missing"))?
        .sign(key_id.to_owned(), |text| {
            keys.sign(text.as_bytes())
                .map(|signed| BASE64_STANDARD.encode(signed))
        })?
        .signature_header();
    let mut headers = HeaderMap::new();
    for (name, value) in named {
        let name = HeaderName::try_from(name).map_err(|_| SignError::Request("a header name"))?;
        headers.insert(name, HeaderValue::try_from(value)?);
    }
    headers.insert("signature", HeaderValue::try_from(signature)?);
    Ok(headers)
}

fn date(now: Timestamp) -> Result<String, SignError> {
    let outside = SignError::Request("the time has no date");
    let Ok(now) = jiff::Timestamp::from_second(now.second()) else {
        return Err(outside);
    };
    jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&now)
        .map_err(|_| outside)
}
