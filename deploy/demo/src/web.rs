//! Asking the services as anybody could: over HTTP, by their public names.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use farmops_service::outbound::{BoundedResponse, Bounds, Outbound, Reach};
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;
use url::Url;

const BOUNDS: Bounds = Bounds {
    deadline: Duration::from_secs(10),
    body_bytes_max: 4 * 1024 * 1024,
};

/// The demo's own HTTP client; names under `localhost` are this machine.
#[derive(Debug, Clone)]
pub struct Web {
    outbound: Outbound,
}

impl Web {
    /// A client for loopback.
    ///
    /// # Errors
    /// When the client cannot be set up.
    pub fn new() -> Result<Self> {
        let agent = concat!("farmops-demo/", env!("CARGO_PKG_VERSION"));
        Ok(Self {
            outbound: Outbound::new(Reach::Loopback, agent)?,
        })
    }

    /// Sends a request as it is; any status is an answer.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(
        &self,
        method: Method,
        url: &Url,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<BoundedResponse> {
        let mut request = self.outbound.request(method, url.clone()).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.outbound.execute(request.build()?, BOUNDS).await;
        answer.with_context(|| url.to_string())
    }

    /// The JSON document at `url`.
    ///
    /// # Errors
    /// When the answer is not a JSON document with a 2xx status.
    pub async fn json(&self, url: &Url) -> Result<Value> {
        self.json_as(url, None).await
    }

    /// The JSON document at `url` for whoever holds `token`.
    ///
    /// # Errors
    /// When the answer is not a JSON document with a 2xx status.
    pub async fn json_as(&self, url: &Url, token: Option<&str>) -> Result<Value> {
        let bytes = self.bytes_as(url, token).await?;
        serde_json::from_slice(&bytes).with_context(|| url.to_string())
    }

    /// The bytes of the JSON document at `url` for whoever holds `token`.
    ///
    /// # Errors
    /// When the status is not 2xx.
    pub async fn bytes_as(&self, url: &Url, token: Option<&str>) -> Result<Vec<u8>> {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![(
            ACCEPT.as_str(),
            "application/json, application/activity+json",
        )];
        if let Some(bearer) = &bearer {
            headers.push((AUTHORIZATION.as_str(), bearer));
        }
        let answer = self.send(Method::GET, url, &headers, Vec::new()).await?;
        demand_success(url, &answer)?;
        Ok(answer.body.to_vec())
    }

    /// POSTs a JSON document and answers with the one that comes back, `Null` if none does.
    ///
    /// # Errors
    /// When the status is not 2xx.
    pub async fn post(&self, url: &Url, body: &Value) -> Result<Value> {
        let headers = [(CONTENT_TYPE.as_str(), "application/json")];
        let body = serde_json::to_vec(body)?;
        let answer = self.send(Method::POST, url, &headers, body).await?;
        demand_success(url, &answer)?;
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body).with_context(|| url.to_string())
    }

    /// The page at `url` as a browser gets it.
    ///
    /// # Errors
    /// When the answer is not a page with a 2xx status.
    pub async fn page(&self, url: &Url) -> Result<String> {
        let headers = [(ACCEPT.as_str(), "text/html")];
        let answer = self.send(Method::GET, url, &headers, Vec::new()).await?;
        demand_success(url, &answer)?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }
}

fn demand_success(url: &Url, answer: &BoundedResponse) -> Result<()> {
    if !answer.status.is_success() {
        let said = String::from_utf8_lossy(&answer.body);
        let said: String = said.chars().take(300).collect();
        bail!("{url}: {} {said}", answer.status);
    }
    Ok(())
}
