//! The suite's HTTP client: no redirects, a deadline, a cap on bodies.

use std::{net::SocketAddr, time::Duration};

use reqwest::{
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, LOCATION},
    redirect::Policy,
};
use serde_json::Value;
use url::Url;

/// The media type of `ActivityPub` documents.
pub const ACTIVITY_JSON: &str = "application/activity+json";
const DEADLINE: Duration = Duration::from_secs(15);
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Sends requests to the server under test.
#[derive(Clone)]
pub struct Client(reqwest::Client);

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The media type, without parameters, in lower case.
    pub media_type: String,
    /// The `Location`, made absolute.
    pub location: Option<Url>,
    /// The body.
    pub body: Vec<u8>,
}

/// A server did not answer.
#[derive(Debug, thiserror::Error)]
#[error("{url} did not answer: {reason}")]
pub struct Unreachable {
    url: Url,
    reason: String,
}

impl Client {
    /// A client; `loopback` resolves `localhost` and every name below it to 127.0.0.1.
    pub fn new(loopback: bool) -> Result<Self, reqwest::Error> {
        // A second installation is refused, and the first one serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .user_agent(concat!("farmops-conformance/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .timeout(DEADLINE);
        let builder = if loopback {
            builder.dns_resolver(Localhost)
        } else {
            builder
        };
        Ok(Self(builder.build()?))
    }

    /// Asks for `url`, unsigned.
    pub async fn get(&self, url: &Url, accept: &str) -> Result<Answer, Unreachable> {
        answer(url, self.0.get(url.clone()).header(ACCEPT, accept)).await
    }

    /// Posts `body` with `headers`.
    pub async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer, Unreachable> {
        answer(url, self.0.post(url.clone()).headers(headers).body(body)).await
    }

    /// Deletes `url`, with JSON as the body.
    pub async fn delete_json(&self, url: &Url, body: Vec<u8>) -> Result<Answer, Unreachable> {
        let request = self.0.delete(url.clone());
        answer(
            url,
            request.header(CONTENT_TYPE, "application/json").body(body),
        )
        .await
    }

    /// Posts JSON, unsigned.
    pub async fn post_json(&self, url: &Url, body: Vec<u8>) -> Result<Answer, Unreachable> {
        answer(
            url,
            self.0
                .post(url.clone())
                .header(CONTENT_TYPE, "application/json")
                .body(body),
        )
        .await
    }
}

async fn answer(url: &Url, request: reqwest::RequestBuilder) -> Result<Answer, Unreachable> {
    let gone = |e: reqwest::Error| {
        let mut reason = e.to_string();
        let mut cause = std::error::Error::source(&e);
        while let Some(deeper) = cause {
            reason = format!("{reason}: {deeper}");
            cause = deeper.source();
        }
        Unreachable {
            url: url.clone(),
            reason,
        }
    };
    let mut response = request.send().await.map_err(gone)?;
    let media_type = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|t| t.to_str().ok());
    let media_type = media_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    let location = response
        .headers()
        .get(LOCATION)
        .and_then(|l| url.join(l.to_str().ok()?).ok());
    let mut answer = Answer {
        location,
        status: response.status().as_u16(),
        media_type: media_type.trim().to_ascii_lowercase(),
        body: Vec::new(),
    };
    while let Some(chunk) = response.chunk().await.map_err(gone)? {
        if answer.body.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(Unreachable {
                url: url.clone(),
                reason: "the answer is longer than 1 MiB".into(),
            });
        }
        answer.body.extend_from_slice(&chunk);
    }
    Ok(answer)
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

struct Localhost;

impl Resolve for Localhost {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().trim_end_matches('.').to_ascii_lowercase();
        Box::pin(async move {
            if name == "localhost" || name.ends_with(".localhost") {
                let addresses: Addrs =
                    Box::new(std::iter::once(SocketAddr::from(([127, 0, 0, 1], 0))));
                return Ok(addresses);
            }
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}
