//! The stage: villages in this process, and a client that talks to them.

use std::{sync::OnceLock, time::Duration};

use farmops_federation::system_clock;
use farmops_service::outbound::{Outbound, Reach};
use farmops_village::{config::Config, serve, village::Village};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Longest time anything is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn client() -> reqwest::Client {
    static CLIENT: OnceLock<Outbound> = OnceLock::new();
    CLIENT
        .get_or_init(|| Outbound::new(Reach::Loopback, "farmops-test/1").unwrap())
        .client()
}

/// A listener and the URL that `name` has on it.
pub(crate) async fn listener(name: &str) -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, format!("http://{name}.localhost:{port}"))
}

/// Waits until `look` finds something.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "never happened: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A village that runs until it is dropped.
pub(crate) struct TestVillage {
    pub(crate) url: String,
    pub(crate) village: Village,
    token: String,
    _directory: TempDir,
    _stop: DropGuard,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// Asserts a problem document with this status, and answers its field.
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(
            self.headers["content-type"], "application/problem+json",
            "{}",
            self.text
        );
        let document = self.json();
        assert_eq!(document["status"], status);
        document["field"].as_str().unwrap_or_default().to_owned()
    }
}

impl TestVillage {
    pub(crate) async fn start(name: &str) -> Self {
        Self::with(name, json!({})).await
    }

    /// A village with further keys of configuration.
    pub(crate) async fn with(name: &str, settings: Value) -> Self {
        let (listener, url) = listener(&name.to_lowercase()).await;
        let directory = tempfile::tempdir().unwrap();
        let mut flags = json!({
            "db": format!("sqlite://{}", directory.path().join("village.db").display()),
            "name": name,
            "public_url": url,
            "allow_loopback": true,
        });
        for (key, value) in settings.as_object().unwrap() {
            flags[key] = value.clone();
        }
        let config: Config =
            farmops_service::config::load(None, "FARMOPS_", Vec::new(), flags).unwrap();
        let stop = CancellationToken::new();
        let (village, router) = serve::assemble(&config, system_clock(), stop.clone())
            .await
            .unwrap();
        let token = std::fs::read_to_string(config.token_file())
            .unwrap()
            .trim()
            .to_owned();
        tokio::spawn(serve::run(village.clone(), router, listener, stop.clone()));
        Self {
            url,
            village,
            token,
            _directory: directory,
            _stop: stop.drop_guard(),
        }
    }

    pub(crate) fn host(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(client().get(self.at(path))).await
    }

    pub(crate) async fn get_with(&self, path: &str, header: &str, value: &str) -> Answer {
        send(client().get(self.at(path)).header(header, value)).await
    }

    pub(crate) async fn post_bytes(&self, path: &str, body: Vec<u8>) -> Answer {
        let request = client()
            .post(self.at(path))
            .header("content-type", "application/json");
        send(request.body(body)).await
    }

    pub(crate) async fn delete_with(&self, path: &str, body: Vec<u8>) -> Answer {
        send(client().delete(self.at(path)).body(body)).await
    }

    /// As the village's people.
    pub(crate) async fn admin(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let method = method.parse().unwrap();
        let mut request = client()
            .request(method, self.at(path))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        send(request).await
    }

    /// The lines of a board.
    pub(crate) async fn board(&self, query: &str) -> Vec<Value> {
        let answer = self.get(&format!("/api/v1/leaderboard?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()["items"].as_array().unwrap().clone()
    }

    /// The handles and values of a board, once it has `lines` of them.
    pub(crate) async fn board_of(&self, query: &str, lines: usize) -> Vec<(String, u64)> {
        let what = format!("{} has {lines} lines on {query}", self.url);
        eventually(&what, async || {
            let board = self.board(query).await;
            (board.len() == lines).then(|| {
                board
                    .iter()
                    .map(|line| {
                        let handle = line["farmer"]["handle"].as_str().unwrap();
                        (handle.to_owned(), line["value"].as_u64().unwrap())
                    })
                    .collect()
            })
        })
        .await
    }

    /// The admin's token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

async fn send(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}
