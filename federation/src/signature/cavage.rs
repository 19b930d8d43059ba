//! The `Signature` header of draft-cavage, read strictly: every parameter once, every covered
//! header named once, and at least those covered without which a signature proves too little.

use std::collections::HashSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use url::Url;

use super::verify::SignatureError;

const HEADER_BYTES_MAX: usize = 4096;
const COVERED_MAX: usize = 32;
/// Beyond the year 9999, in Unix seconds.
const SECOND_MAX: i64 = 253_402_300_799;

/// A `Signature` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureHeader {
    /// The key's id, with its fragment.
    pub key_id: Url,
    /// What is covered, in order, in lower case.
    pub covered: Vec<String>,
    /// The signature's bytes.
    pub signature: Vec<u8>,
    /// When it was made, in Unix seconds.
    pub created: Option<i64>,
    /// Until when it holds, in Unix seconds.
    pub expires: Option<i64>,
}

impl SignatureHeader {
    /// Reads the header's value.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        if text.len() > HEADER_BYTES_MAX {
            return Err(SignatureError::Malformed("is longer than 4096 bytes"));
        }
        let parameters = parameters(text)?;
        let named = |name: &str| {
            parameters
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
        };
        let algorithm = named("algorithm").unwrap_or("hs2019");
        if !matches!(algorithm, "rsa-sha256" | "hs2019") {
            return Err(SignatureError::Malformed(
                "names an algorithm other than RSA-SHA256",
            ));
        }
        let key_id = named("keyId").ok_or(SignatureError::Malformed("has no keyId"))?;
        let key_id = Url::parse(key_id)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or(SignatureError::Malformed("has a keyId that is not a URL"))?;
        let signature = named("signature").ok_or(SignatureError::Malformed("has no signature"))?;
        let signature = BASE64_STANDARD
            .decode(signature)
            .map_err(|_| SignatureError::Malformed("has a signature that is not base64"))?;
        let header = Self {
            key_id,
            covered: covered(named("headers").unwrap_or_default())?,
            signature,
            created: second(named("created"))?,
            expires: second(named("expires"))?,
        };
        header.check_pseudo_headers(algorithm)?;
        Ok(header)
    }

    /// Whether `name` is covered.
    pub fn covers(&self, name: &str) -> bool {
        self.covered.iter().any(|covered| covered == name)
    }

    /// The draft's §2.3: `(created)` and `(expires)` need their parameter, and do not go with an
    /// algorithm named `rsa-…`.
    fn check_pseudo_headers(&self, algorithm: &str) -> Result<(), SignatureError> {
        for (name, value) in [("(created)", self.created), ("(expires)", self.expires)] {
            if self.covers(name) && (value.is_none() || algorithm == "rsa-sha256") {
                return Err(SignatureError::Malformed(
                    "covers a time that it does not carry",
                ));
            }
        }
        match (self.created, self.expires) {
            (Some(created), Some(expires)) if expires < created => {
                Err(SignatureError::Malformed("expires before it was created"))
            }
            _ => Ok(()),
        }
    }
}

/// The parameters in order, each name once.
fn parameters(text: &str) -> Result<Vec<(String, String)>, SignatureError> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let malformed = SignatureError::Malformed("is not a list of name=\"value\"");
        let (name, after) = rest.split_once('=').ok_or(malformed)?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or(malformed)?,
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        let name = name.trim();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
        if !is_name || value.contains(['\\', '"']) {
            return Err(malformed);
        }
        if found.iter().any(|(known, _)| known == name) {
            return Err(SignatureError::Malformed("names a parameter twice"));
        }
        found.push((name.to_owned(), value.to_owned()));
        rest = match after.trim_start().strip_prefix(',') {
            Some(more) if !more.trim().is_empty() => more.trim_start(),
            None if after.trim().is_empty() => "",
            _ => return Err(malformed),
        };
    }
    Ok(found)
}

fn covered(text: &str) -> Result<Vec<String>, SignatureError> {
    let names: Vec<String> = text
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    if names.is_empty() {
        return Err(SignatureError::Malformed("covers nothing"));
    }
    if names.len() > COVERED_MAX {
        return Err(SignatureError::Malformed("covers more than 32 headers"));
    }
    let distinct: HashSet<&String> = names.iter().collect();
    if distinct.len() != names.len() {
        return Err(SignatureError::Malformed("covers a header twice"));
    }
    Ok(names)
}

fn second(text: Option<&str>) -> Result<Option<i64>, SignatureError> {
    let malformed = SignatureError::Malformed("has a time that is not a number of seconds");
    text.map(|text| match text.parse::<i64>() {
        Ok(second) if (0..=SECOND_MAX).contains(&second) => Ok(second),
        _ => Err(malformed),
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GOOD: &str = "keyId=\"https://a.example/u#main-key\",algorithm=\"rsa-sha256\",\
        headers=\"(request-target) host date digest\",signature=\"AAAA\"";

    #[test]
    fn the_usual_header_is_read() {
        let header = SignatureHeader::parse(GOOD).unwrap();
        assert_eq!(header.key_id.as_str(), "https://a.example/u#main-key");
        assert_eq!(
            header.covered,
            ["(request-target)", "host", "date", "digest"]
        );
        assert_eq!(header.signature, [0, 0, 0]);
        let spaced = GOOD.replace(",algorithm", " , algorithm");
        assert_eq!(SignatureHeader::parse(&spaced).unwrap(), header);
    }

    proptest::proptest! {
        /// Whatever a stranger writes there: an answer, never a panic.
        #[test]
        fn no_header_panics(text in ".{0,300}", at in 0..150_usize, junk in "[\"=,\\PC]{0,6}") {
            let _ = SignatureHeader::parse(&text);
            let mut spoilt = GOOD.to_owned();
            spoilt.insert_str(at.min(GOOD.len()), &junk);
            let _ = SignatureHeader::parse(&spoilt);
        }
    }

    /// Advisory 2 (CVE-2026-28432), and the traps of the libraries below.
    #[test]
    fn doubtful_headers_are_refused() {
        let with = |extra: &str| format!("{GOOD}{extra}");
        for header in [
            String::new(),
            "Signature".to_owned(),
            with(",keyId=\"https://b.example/u\""),
            with(",signature=\"BBBB\""),
            with(",created=18446744073709551615,x=1"),
            with(",created=-1"),
            with(",created=99999999999999999999999"),
            with(",expires=9223372036854775807"),
            with(","),
            with(",,x=1"),
            with(",created=20,expires=10"),
            GOOD.replace("rsa-sha256", "hmac-sha256"),
            GOOD.replace("rsa-sha256", "rsa-sha1"),
            GOOD.replace("(request-target) host date digest", ""),
            GOOD.replace("host date", "host host date"),
            GOOD.replace("host date", "host (created)"),
            GOOD.replace("host date", "host (created)") + ",created=5",
            GOOD.replace("https://a.example/u#main-key", "javascript:1"),
            GOOD.replace("AAAA", "****"),
            GOOD.replace("keyId", "keyid"),
            format!("{GOOD},x=\"{}\"", "y".repeat(5000)),
        ] {
            assert!(SignatureHeader::parse(&header).is_err(), "{header}");
        }
    }
}
