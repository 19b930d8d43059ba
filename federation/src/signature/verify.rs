//! From a request to a [`Claim`]: which key says it signed this very request, made just now, for
//! this very server. Whether the key belongs to the actor is the inbox's question.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use farmops_protocol::time::Timestamp;
use http::{HeaderMap, Method, Uri};
use http_signature_normalization::Config;
use rsa::Pkcs1v15Sign;
use sha2_10::{Digest as _, Sha256};
use url::Url;

use super::{cavage::SignatureHeader, digest};
use crate::protocol::actor::read_rsa;

/// How old a signature may be, in seconds.
pub const AGE_MAX_S: i64 = 3600;
/// How far ahead of ours the signer's clock may be, in seconds.
pub const AHEAD_MAX_S: i64 = 300;
/// The library's own window. Ours is checked before; this one only must not be narrower.
const LIBRARY_WINDOW: Duration = Duration::from_hours(100 * 365 * 24);

/// A request's signature does not say enough, or not the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is none.
    #[error("the request has no Signature header")]
    Missing,
    /// It cannot be read, or says something it must not.
    #[error("the Signature header {0}")]
    Malformed(&'static str),
    /// Something that must be covered is not.
    #[error("the signature does not cover `{0}`")]
    Uncovered(&'static str),
    /// A covered header is missing or there more than once.
    #[error("a header that the signature covers is missing, repeated or not text")]
    Header,
    /// The request is for another host.
    #[error("the Host header names another server")]
    Host,
    /// The body is not the one that was signed.
    #[error("the Digest header does not match the body")]
    Digest,
    /// It was made too long ago, or not yet.
    #[error("the signature was made too long ago, or is ahead of the clock here")]
    Clock,
}

impl SignatureError {
    /// The member of the request that is wrong.
    pub fn field(self) -> &'static str {
        match self {
            Self::Missing | Self::Malformed(_) | Self::Uncovered(_) | Self::Header => "signature",
            Self::Host => "host",
            Self::Digest => "digest",
            Self::Clock => "date",
        }
    }
}

/// A request as it came in.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// POST, or GET.
    pub method: &'a Method,
    /// The request target.
    pub uri: &'a Uri,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body.
    pub body: &'a [u8],
}

/// A key is said to have signed these bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key's id.
    pub key_id: Url,
    signed: String,
    signature: Vec<u8>,
}

impl Claim {
    /// Reads and checks everything that needs no key.
    pub fn read(
        request: Request<'_>,
        local_authority: &str,
        now: Timestamp,
    ) -> Result<Self, SignatureError> {
        let header = one(request.headers, "signature")?.ok_or(SignatureError::Missing)?;
        let header = SignatureHeader::parse(header)?;
        check_coverage(&header, request.method)?;
        let covered = covered_headers(&header, request.headers)?;
        check_host(&covered, local_authority)?;
        check_time(&header, &covered, now)?;
        let is_signed = header.covers("digest");
        if is_signed
            && !covered
                .get("digest")
                .is_some_and(|d| digest::matches(d, request.body))
        {
            return Err(SignatureError::Digest);
        }
        let signed = signed_text(&header, covered, request)?;
        Ok(Self {
            key_id: header.key_id,
            signed,
            signature: header.signature,
        })
    }

    /// Whether the RSA key `pem` made the signature. A tenth of a millisecond.
    pub fn is_by(&self, pem: &str) -> bool {
        let hash = Sha256::digest(self.signed.as_bytes());
        read_rsa(pem).is_some_and(|key| {
            key.verify(Pkcs1v15Sign::new::<Sha256>(), &hash, &self.signature)
                .is_ok()
        })
    }
}

fn check_coverage(header: &SignatureHeader, method: &Method) -> Result<(), SignatureError> {
    let required = ["(request-target)", "host"].into_iter();
    let digest = (method == Method::POST).then_some("digest");
    for name in required.chain(digest) {
        if !header.covers(name) {
            return Err(SignatureError::Uncovered(name));
        }
    }
    if header.covers("date") || header.covers("(created)") {
        Ok(())
    } else {
        Err(SignatureError::Uncovered("date"))
    }
}

/// The values of the covered headers, each there exactly once.
fn covered_headers(
    header: &SignatureHeader,
    headers: &HeaderMap,
) -> Result<BTreeMap<String, String>, SignatureError> {
    let real = header.covered.iter().filter(|name| !name.starts_with('('));
    real.map(|name| {
        let value = one(headers, name)?.ok_or(SignatureError::Header)?;
        Ok((name.clone(), value.trim().to_owned()))
    })
    .collect()
}

/// The one value of a header; two are an error, whatever they say.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| SignatureError::Header),
        (Some(_), Some(_)) => Err(SignatureError::Header),
    }
}

fn check_host(covered: &BTreeMap<String, String>, local: &str) -> Result<(), SignatureError> {
    let host = covered
        .get("host")
        .map(|host| host.to_ascii_lowercase())
        .unwrap_or_default();
    // Some senders write the port that the scheme implies.
    let plain = host.strip_suffix(":443").unwrap_or(&host);
    if host == local || plain == local {
        Ok(())
    } else {
        Err(SignatureError::Host)
    }
}

fn check_time(
    header: &SignatureHeader,
    covered: &BTreeMap<String, String>,
    now: Timestamp,
) -> Result<(), SignatureError> {
    let date = covered.get("date").map(|date| {
        jiff::fmt::rfc2822::DateTimeParser::new()
            .parse_timestamp(date)
            .map(jiff::Timestamp::as_second)
            .map_err(|_| SignatureError::Clock)
    });
    let now = now.second();
    let created = header
        .covers("(created)")
        .then_some(header.created)
        .flatten()
        .map(Ok);
    for made in date.into_iter().chain(created) {
        let age = now - made?;
        if !(-AHEAD_MAX_S..=AGE_MAX_S).contains(&age) {
            return Err(SignatureError::Clock);
        }
    }
    if header.expires.is_some_and(|expires| expires < now) {
        return Err(SignatureError::Clock);
    }
    Ok(())
}

/// The text that was signed, as the library composes it from a header in our own spelling.
fn signed_text(
    header: &SignatureHeader,
    mut covered: BTreeMap<String, String>,
    request: Request<'_>,
) -> Result<String, SignatureError> {
    let mut ours = format!(
        "keyId=\"key\",algorithm=\"hs2019\",headers=\"{}\",signature=\"signature\"",
        header.covered.join(" ")
    );
    for (name, second) in [("created", header.created), ("expires", header.expires)] {
        if let Some(second) = second {
            // Writing into a String cannot fail.
            let _ = write!(ours, ",{name}=\"{second}\"");
        }
    }
    covered.insert("signature".to_owned(), ours);
    let target = request
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let unverified = Config::new()
        .set_expiration(LIBRARY_WINDOW)
        .begin_verify(request.method.as_str(), target, covered)
        .map_err(|_| SignatureError::Header)?;
    Ok(unverified.signing_string().to_owned())
}
