//! Verifying a signed POST, strictly, or overlooking one thing on purpose.

use std::collections::HashSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderMap;
use rsa::{Pkcs1v15Sign, RsaPublicKey, pkcs8::DecodePublicKey};
use sha2_10::{Digest, Sha256};

use super::{Forgery, digest};

/// A POST as it came in.
#[derive(Debug, Clone)]
pub struct Received {
    /// The path it was sent to.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Received {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let header = self.header("signature")?;
        header.split(',').find_map(|part| {
            let (known, value) = part.trim().split_once('=')?;
            (known == name).then(|| value.trim_matches('"'))
        })
    }
}

/// The names of the `Signature` header's parameters.
fn parameter_names(request: &Received) -> Vec<&str> {
    let header = request.header("signature").unwrap_or_default();
    let pairs = header
        .split(',')
        .filter_map(|part| part.trim().split_once('='));
    pairs.map(|(name, _)| name).collect()
}

/// The key that the request says it is signed with.
pub fn key_id(request: &Received) -> Option<&str> {
    request.parameter("keyId")
}

/// Whether `pem` signed this very request, for `host`, just now. `overlooked` is let pass.
pub fn verify(
    request: &Received,
    host: &str,
    pem: &str,
    now: i64,
    overlooked: Option<Forgery>,
) -> Result<(), &'static str> {
    let strict = |forgery| overlooked != Some(forgery);
    let covered = request
        .parameter("headers")
        .ok_or("there is no Signature header with headers")?;
    let covered: Vec<&str> = covered.split(' ').collect();
    for (name, forgery) in [
        ("(request-target)", Forgery::NoTarget),
        ("host", Forgery::NoHost),
        ("digest", Forgery::NoDigest),
        ("date", Forgery::NoTime),
    ] {
        let is_covered =
            covered.contains(&name) || (name == "date" && covered.contains(&"(created)"));
        if strict(forgery) && !is_covered {
            return Err("the signature covers too little");
        }
    }
    if strict(Forgery::OtherHost) && request.header("host") != Some(host) {
        return Err("it was signed for another host");
    }
    if strict(Forgery::OtherBody) && request.header("digest") != Some(&digest(&request.body)) {
        return Err("the digest is not that of the body");
    }
    check_unambiguous(request, &covered, overlooked)?;
    check_time(request, now, overlooked)?;
    let text = signed_text(request, &covered, overlooked)?;
    let signature = request
        .parameter("signature")
        .and_then(|s| BASE64_STANDARD.decode(s).ok())
        .ok_or("the signature is not base64")?;
    let key = RsaPublicKey::from_public_key_pem(pem).map_err(|_| "the key is no RSA key in PEM")?;
    let verified = key.verify(
        Pkcs1v15Sign::new::<Sha256>(),
        &Sha256::digest(text.as_bytes()),
        &signature,
    );
    let unread = [Forgery::OtherPath, Forgery::StolenKeyId, Forgery::Empty];
    if verified.is_err() && unread.into_iter().all(strict) {
        return Err("the signature does not verify");
    }
    Ok(())
}

/// No two readers may see different requests: each parameter and each covered header stands once.
fn check_unambiguous(
    request: &Received,
    covered: &[&str],
    overlooked: Option<Forgery>,
) -> Result<(), &'static str> {
    let names = parameter_names(request);
    let distinct: HashSet<&&str> = names.iter().collect();
    if distinct.len() != names.len() && overlooked != Some(Forgery::RepeatedParameter) {
        return Err("a parameter of the signature is repeated");
    }
    let repeated = |name: &&str| request.headers.get_all(*name).iter().count() > 1;
    let headers = covered.iter().filter(|name| !name.starts_with('('));
    if headers.copied().any(|name| repeated(&name)) && overlooked != Some(Forgery::RepeatedHeader) {
        return Err("a covered header is repeated");
    }
    Ok(())
}

fn check_time(
    request: &Received,
    now: i64,
    overlooked: Option<Forgery>,
) -> Result<(), &'static str> {
    let date = request.header("date").and_then(|date| {
        jiff::fmt::rfc2822::DateTimeParser::new()
            .parse_timestamp(date)
            .ok()
    });
    let created = request.parameter("created").and_then(|c| c.parse().ok());
    let made = date
        .map(jiff::Timestamp::as_second)
        .or(created)
        .ok_or("it carries no time")?;
    if made < now - 3600 && overlooked != Some(Forgery::Stale) {
        return Err("it was signed more than an hour ago");
    }
    if made > now + 300 && overlooked != Some(Forgery::Ahead) {
        return Err("it was signed in the future");
    }
    Ok(())
}

fn signed_text(
    request: &Received,
    covered: &[&str],
    overlooked: Option<Forgery>,
) -> Result<String, &'static str> {
    let line = |name: &&str| match *name {
        "(request-target)" => Ok(format!("(request-target): post {}", request.path)),
        "(created)" | "(expires)" => {
            let plain = name.trim_matches(['(', ')']);
            let value = request
                .parameter(plain)
                .ok_or("a covered time is missing")?;
            Ok(format!("{name}: {value}"))
        }
        name => {
            let absent = (overlooked == Some(Forgery::AbsentHeader)).then_some("");
            let value = request
                .header(name)
                .or(absent)
                .ok_or("a covered header is missing")?;
            Ok(format!("{name}: {value}"))
        }
    };
    let lines: Result<Vec<String>, &'static str> = covered.iter().map(line).collect();
    Ok(lines?.join("\n"))
}
