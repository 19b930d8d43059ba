//! A tracker in this process, with everything that the real program does, and a client of it.

use std::path::Path;

use farmops_service::outbound::{Outbound, Reach};
use farmops_tracker::{
    config::Config,
    serve::{Running, start},
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// A tracker that listens on the loopback interface, and whose limits nobody meets.
pub(crate) struct Served {
    pub(crate) base: String,
    pub(crate) client: reqwest::Client,
    pub(crate) running: Running,
    pub(crate) token: String,
    stop: CancellationToken,
}

impl Served {
    /// Serves the database at `url`; the owner's token goes to `folder`.
    pub(crate) async fn begin(url: &str, folder: &Path) -> Self {
        let token_file = folder.join("owner.token");
        let config: Config = serde_json::from_value(json!({
            "db": url,
            "owner_token_path": token_file,
            "port": 0,
            "public_url": "http://alice.localhost:8443",
            "handle": "alice",
            "allow_loopback": true,
            "publish": { "snapshot_delay_seconds": 0 },
            "rate_limits": { "requests_per_minute": u32::MAX, "agents_per_minute": u32::MAX },
        }))
        .unwrap();
        let stop = CancellationToken::new();
        let running = start(&config, stop.clone()).await.unwrap();
        let token = std::fs::read_to_string(token_file).unwrap();
        Self {
            base: format!("http://{}", running.address),
            client: Outbound::new(Reach::Operator, "bench").unwrap().client(),
            token: token.trim().to_owned(),
            running,
            stop,
        }
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.running.wait().await.unwrap();
    }

    /// A request of the owner.
    pub(crate) fn owner(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.base);
        self.client.request(method, url).bearer_auth(&self.token)
    }

    /// What the owner is answered.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.owner(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }
}
