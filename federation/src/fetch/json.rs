//! Plain JSON of other servers: WebFinger's JRD and NodeInfo. Redirects are followed by hand, at
//! most five, each hop through the same gate.

use http::{StatusCode, header};
use reqwest::Response;
use serde_json::Value;
use url::Url;

use super::{Cause, DEADLINE, FetchError, Fetcher, innermost, refused, unreachable_because};
use crate::protocol::tolerant::{self, BODY_BYTES_MAX};

/// Redirects followed for one document.
pub(super) const REDIRECTS_MAX: u32 = 5;

impl Fetcher {
    /// Fetches a JSON document whose media type is one of `media_types`.
    pub async fn json(
        &self,
        url: &Url,
        media_types: &[&str],
        cause: &Cause,
    ) -> Result<Value, FetchError> {
        let now = (self.clock)();
        self.gate.check(url)?;
        self.admit(url, now)?;
        let fetched =
            tokio::time::timeout(DEADLINE, self.follow_redirects(url, media_types, cause))
                .await
                .unwrap_or_else(|_| Err(unreachable_because(url, "too slow")));
        match &fetched {
            Ok(_) => self.sites.note_success(url),
            Err(error) => self.note(url, error, now),
        }
        fetched
    }

    async fn follow_redirects(
        &self,
        url: &Url,
        types: &[&str],
        cause: &Cause,
    ) -> Result<Value, FetchError> {
        let mut hop = url.clone();
        for _ in 0..=REDIRECTS_MAX {
            self.gate.check(&hop)?;
            cause.spend(&hop)?;
            let response = self
                .client
                .get(hop.clone())
                .header(header::ACCEPT, types.join(", "))
                .send()
                .await
                .map_err(|e| unreachable_because(&hop, innermost(&e)))?;
            if !response.status().is_redirection() {
                return read(&hop, response, types).await;
            }
            let location = response
                .headers()
                .get(header::LOCATION)
                .and_then(|l| l.to_str().ok());
            hop = location
                .and_then(|location| hop.join(location).ok())
                .ok_or_else(|| refused(&hop, "it redirects to nowhere"))?;
        }
        Err(refused(url, "it redirects more than five times"))
    }
}

async fn read(url: &Url, mut response: Response, types: &[&str]) -> Result<Value, FetchError> {
    match response.status() {
        StatusCode::GONE => return Err(FetchError::Gone(url.to_string())),
        status if status.is_server_error() => {
            return Err(unreachable_because(url, format!("status {status}")));
        }
        status if !status.is_success() => {
            return Err(refused(url, format!("status {status}")));
        }
        _ => {}
    }
    let media_type = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|t| t.to_str().ok());
    let essence = media_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if !types
        .iter()
        .any(|wanted| essence.eq_ignore_ascii_case(wanted))
    {
        return Err(refused(url, "its media type is another one"));
    }
    let mut body = Vec::new();
    let broken = |e: reqwest::Error| unreachable_because(url, innermost(&e));
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(refused(url, "its body is longer than 256 KiB"));
        }
        body.extend_from_slice(&chunk);
    }
    tolerant::document(&body).map_err(|source| FetchError::Document {
        url: url.to_string(),
        source,
    })
}
