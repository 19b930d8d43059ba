//! How commands talk to a running tracker.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, bail};
use farmops_service::{
    outbound::{Bounds, Outbound, reqwest::RequestBuilder},
    token::Token,
};
use http::{
    Method,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

/// A page of 1,000 ledger entries of 4 KiB each, with room to spare.
const BOUNDS: Bounds = Bounds {
    deadline: Duration::from_mins(1),
    body_bytes_max: 16 * 1024 * 1024,
};

/// The owner, talking to a tracker.
pub(super) struct Client {
    base: Url,
    token: Token,
    outbound: Outbound,
}

impl Client {
    pub(super) fn new(base: &Url, token_file: &Path, outbound: Outbound) -> anyhow::Result<Self> {
        let token = Token::read_file(token_file)
            .with_context(|| format!("reading the owner's token from {}", token_file.display()))?;
        if token.expose().is_empty() {
            bail!(
                "{} is empty: the owner's token belongs there",
                token_file.display()
            );
        }
        Ok(Self {
            base: base.clone(),
            token,
            outbound,
        })
    }

    /// GETs a path below `/api/v1/`, which may have a query.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.exchange(Method::GET, path, &[], None::<&()>).await
    }

    /// GETs a text below `/api/v1/`.
    pub(super) async fn get_text(&self, path: &str) -> anyhow::Result<String> {
        let body = self.answer(Method::GET, path, &[], None::<&()>).await?;
        String::from_utf8(body).context("the tracker's answer is no text")
    }

    /// GETs bytes below `/api/v1/`.
    pub(super) async fn get_bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        self.answer(Method::GET, path, &[], None::<&()>).await
    }

    /// POSTs bytes to a path below `/api/v1/`, for bytes.
    pub(super) async fn post_bytes(&self, path: &str, bytes: Vec<u8>) -> anyhow::Result<Vec<u8>> {
        let request = self.request(Method::POST, path)?;
        let request = request.header(CONTENT_TYPE, "application/octet-stream");
        self.send(request.body(bytes)).await
    }

    /// POSTs JSON to a path below `/api/v1/`.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.exchange(Method::POST, path, &[], Some(body)).await
    }

    /// POSTs JSON under a key with which it happens once.
    pub(super) async fn post_once(
        &self,
        path: &str,
        key: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<Value> {
        let headers = [("Idempotency-Key", key)];
        self.exchange(Method::POST, path, &headers, Some(body))
            .await
    }

    /// PUTs JSON to a path below `/api/v1/`.
    pub(super) async fn put(&self, path: &str, body: &impl Serialize) -> anyhow::Result<Value> {
        self.exchange(Method::PUT, path, &[], Some(body)).await
    }

    /// DELETEs a path below `/api/v1/`.
    pub(super) async fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.exchange(Method::DELETE, path, &[], None::<&()>).await
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&impl Serialize>,
    ) -> anyhow::Result<T> {
        let answer = self.answer(method, path, headers, body).await?;
        // 204 has no body.
        let body = match &answer[..] {
            [] => b"null",
            body => body,
        };
        serde_json::from_slice(body).context("the tracker's answer does not parse")
    }

    async fn answer(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&impl Serialize>,
    ) -> anyhow::Result<Vec<u8>> {
        let mut request = self.request(method, path)?;
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(request).await
    }

    fn request(&self, method: Method, path: &str) -> anyhow::Result<RequestBuilder> {
        let url = self.base.join(&format!("/api/v1/{path}"))?;
        let token = format!("Bearer {}", self.token.expose());
        let request = self.outbound.request(method, url);
        Ok(request.header(AUTHORIZATION, token))
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Vec<u8>> {
        let answer = self.outbound.execute(request.build()?, BOUNDS).await;
        let answer = answer.with_context(|| format!("asking the tracker at {}", self.base))?;
        if !answer.status.is_success() {
            bail!("{}", reason(answer.status, &answer.body));
        }
        Ok(answer.body.to_vec())
    }
}

/// What a problem document says to a person.
fn reason(status: http::StatusCode, body: &[u8]) -> String {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| problem.get(name).and_then(Value::as_str);
    let detail = text("detail")
        .or(text("title"))
        .unwrap_or("no reason given");
    match text("field") {
        Some(field) => format!("{detail} ({field}; status {})", status.as_u16()),
        None => format!("{detail} (status {})", status.as_u16()),
    }
}
