//! Nothing of raw work data leaves the agent: not in proofs, not in the log at its usual level, not in metrics,
//! not in answers of the API. Thousands of objects, real plugins, and one that tries every way out it has.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use farmops_service::outbound::Bounds;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Map, Value, json};

use crate::programs;
use crate::world::{SECRET, ask, client, deliver, until};

const SEED: u64 = 20_260_221;
/// Objects of a cluster, ended alerts, and reviews.
const OBJECTS: usize = 1500;
const ALERTS: usize = 600;
const REVIEWS: usize = 200;
/// What the leak guard takes for telling.
const TOKEN_CHARS_MIN: usize = 4;

/// Makes objects and remembers every marker that it put into them.
struct Press {
    rng: StdRng,
    markers: BTreeSet<String>,
}

impl Press {
    fn marker(&mut self) -> String {
        let mut text = String::from("zq");
        for _ in 0..10 {
            text.push(char::from(self.rng.random_range(b'g'..=b'z')));
        }
        self.markers.insert(text.clone());
        text
    }

    /// An object as an API server has it, with a marker wherever an operator writes something.
    fn object(&mut self) -> Value {
        let mut words = |count: usize| -> Map<String, Value> {
            let word = |_| (self.marker(), json!(self.marker()));
            (0..count).map(word).collect()
        };
        let (labels, annotations) = (words(3), words(2));
        let kind = ["Pod", "Deployment", "StatefulSet", "Certificate"][self.rng.random_range(0..4)];
        let ready = if self.rng.random() { "True" } else { "False" };
        json!({
            "apiVersion": "v1", "kind": kind,
            "metadata": {
                "name": format!("{}-{}", self.marker(), self.rng.random_range(0..9)),
                "namespace": self.marker(), "labels": labels, "annotations": annotations,
                "resourceVersion": self.rng.random_range(1..99_999).to_string(),
            },
            "spec": {"containers": [{
                "name": self.marker(), "image": format!("registry.{}.example/{}:v1", self.marker(), self.marker()),
                "env": [{"name": self.marker().to_uppercase(), "value": self.marker()}],
                "args": [format!("--{}={}", self.marker(), self.marker())],
            }]},
            "status": {
                "phase": self.marker(), "podIP": "10.20.30.40",
                "conditions": [{"type": "Ready", "status": ready, "reason": self.marker(),
                    "message": format!("back-off restarting {} in {}", self.marker(), self.marker())}],
            },
        })
    }

    fn alert(&mut self, number: usize) -> Value {
        let severity = ["critical", "warning", "info"][self.rng.random_range(0..3)];
        let minutes = self.rng.random_range(1..59);
        json!({
            "event": "alert.ended", "fingerprint": format!("f{number}"), "suppressed": false, "instances": 1,
            "startsAt": "2026-02-21T09:00:00Z", "endsAt": format!("2026-02-21T09:{minutes:02}:00Z"),
            "labels": {"alertname": self.marker(), "severity": severity, "instance": self.marker(),
                (self.marker()): self.marker()},
            "annotations": {"summary": format!("{} is {}", self.marker(), self.marker())},
        })
    }

    fn review(&mut self, number: usize) -> Value {
        let payload = crate::world::review(number);
        let mut payload: Value = serde_json::from_slice(&payload).unwrap();
        let body = format!(
            "{} and {}, as {} said",
            self.marker(),
            self.marker(),
            self.marker()
        );
        payload["review"]["body"] = json!(body);
        payload["pull_request"]["title"] = json!(self.marker());
        payload["pull_request"]["head"]["ref"] = json!(self.marker());
        payload["repository"]["full_name"] = json!(format!("{}/{}", self.marker(), self.marker()));
        payload
    }
}

/// Every object in the plugins' fixtures.
fn fixtures() -> Vec<Value> {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .join("plugins");
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = std::fs::read_dir(plugins)
        .unwrap()
        .map(|plugin| plugin.unwrap().path().join("fixtures"))
        .filter(|folder| folder.is_dir())
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "json") {
                let text = std::fs::read(&path).unwrap();
                found.extend(serde_json::from_slice::<Value>(&text));
            } else if path.extension().is_some_and(|end| end == "yaml") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.extend(
                    serde_saphyr::from_multiple::<Value>(&text)
                        .into_iter()
                        .flatten(),
                );
            }
        }
    }
    // A record of a file is an object.
    found.retain(Value::is_object);
    found
}

/// Everything that came out of the agent.
#[derive(Default)]
struct Outside {
    log: Mutex<Vec<String>>,
    answers: Mutex<Vec<String>>,
}

impl Outside {
    fn all(&self) -> String {
        let log = self.log.lock().unwrap().join("\n");
        log + "\n" + &self.answers.lock().unwrap().join("\n")
    }
}

/// The words that tell something: a marker, or a word that is no number and no piece of a hash.
fn tokens(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|token| token.chars().count() >= TOKEN_CHARS_MIN)
        .filter(|token| token.chars().any(|c| !c.is_ascii_hexdigit()))
        .map(str::to_lowercase)
}

/// Texts of an object and the names of its members: operators choose those of labels.
fn texts(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => into.extend(tokens(text)),
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            into.extend(tokens(name));
            texts(member, into);
        }),
        _ => {}
    }
}

fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

struct Stage {
    folder: tempfile::TempDir,
    metrics: SocketAddr,
    outside: Arc<Outside>,
}

impl Stage {
    /// A configured agent whose tracker is away, so that every proof stays where the API shows it.
    fn new(loud: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (programs, metrics) = (programs::folder(), free_address());
        let path = |name: &str| folder.path().join(name);
        let config = json!({
            "cluster_alias": "test", "tracker_url": "http://127.0.0.1:9", "data_dir": path("data"),
            "listen": "127.0.0.1:0", "metrics_listen": metrics,
            "farmer": {"name": "alice", "on_call": true, "identities": {"github": ["monalisa"]}},
            "sources": {
                "webhook": {"listen": "127.0.0.1:0",
                    "hooks": [{"name": "github", "provider": "github", "secret": SECRET}]},
                "file": [
                    {"name": "alerts", "path": path("alerts.jsonl"), "source_type": "alertmanager"},
                    {"name": "objects", "path": path("objects.jsonl")},
                ],
            },
            "log": {"format": "json"},
        });
        let program = programs::example(folder.path(), "babbler", &format!("babbler@{loud}"));
        let plugin = |id: &str, program: PathBuf, source: &str, config: Value| json!({"id": id, "source": {"binary": program}, "grants": [{"source": source}], "config": config});
        let manifest = json!({"plugins": [
            plugin("farmops/git-pr-review", programs.join("farmops-plugin-git-pr-review"), "github", json!({})),
            plugin("farmops/prometheus-alert-resolve", programs.join("farmops-plugin-prometheus-alert-resolve"),
                "alerts", json!({"min_firing_seconds": 5})),
            plugin("mallory/babbler", program, "objects", json!({})),
        ]});
        std::fs::write(path("agent.yaml"), config.to_string()).unwrap();
        std::fs::write(path("farmops-plugins.yaml"), manifest.to_string()).unwrap();
        Self {
            folder,
            metrics,
            outside: Arc::default(),
        }
    }

    /// Starts the program; every line of its log is kept.
    fn start(&self) -> (Killed, SocketAddr, SocketAddr) {
        let mut agent = Command::new(env!("CARGO_BIN_EXE_farmops-agent"))
            .arg("--config")
            .arg(self.folder.path().join("agent.yaml"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(agent.stderr.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let outside = Arc::clone(&self.outside);
        let ready = loop {
            let line = lines.next().expect("the agent came up");
            outside.log.lock().unwrap().push(line.clone());
            if line.contains("the agent is at work") {
                break serde_json::from_str::<Value>(&line).unwrap();
            }
        };
        std::thread::spawn(move || lines.for_each(|line| outside.log.lock().unwrap().push(line)));
        let address = |text: &Value| {
            let text = text.as_str().unwrap().trim_start_matches("Some(");
            text.trim_end_matches(')').parse().unwrap()
        };
        (
            Killed(agent),
            address(&ready["api"]),
            address(&ready["webhooks"]),
        )
    }

    /// Asks everything that can be asked, page by page; gives the proofs.
    async fn ask_all(&self, api: SocketAddr) -> Vec<Value> {
        let mut proofs = Vec::new();
        for path in ["/healthz", "/readyz", "/api/v1/status", "/api/v1/plugins"] {
            self.get(&format!("http://{api}{path}")).await;
        }
        self.get(&format!("http://{}/metrics", self.metrics)).await;
        let mut after = 0;
        loop {
            let url = format!("http://{api}/api/v1/proofs/pending?limit=500&after={after}");
            let page: Value = serde_json::from_str(&self.get(&url).await).unwrap();
            proofs.extend(page["proofs"].as_array().unwrap().iter().cloned());
            match page["next"].as_i64() {
                Some(next) => after = next,
                None => return proofs,
            }
        }
    }

    async fn get(&self, url: &str) -> String {
        let bounds = Bounds {
            body_bytes_max: 16 * 1024 * 1024,
            ..Bounds::default()
        };
        let answer = client().get(url.parse().unwrap(), bounds).await.unwrap();
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        self.outside.answers.lock().unwrap().push(text.clone());
        text
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_what_was_seen_leaves_the_agent() {
    let mut press = Press {
        rng: StdRng::seed_from_u64(SEED),
        markers: BTreeSet::new(),
    };
    let loud = press.marker();
    let stage = Stage::new(&loud);
    let (_agent, api, webhooks) = stage.start();
    let running = |status: &Value| {
        let plugins = status["plugins"].as_array().unwrap();
        plugins.iter().all(|plugin| plugin["state"] == "running")
    };
    until(api, "/api/v1/status", running).await;
    stage.ask_all(api).await;
    let mut seen: Vec<Value> = fixtures();
    let fixtures = seen.len();
    assert!(fixtures >= 3, "{fixtures} fixtures");
    seen.extend((0..OBJECTS).map(|_| press.object()));
    let lines = |objects: &[Value]| {
        let lines: Vec<String> = objects.iter().map(Value::to_string).collect();
        lines.join("\n") + "\n"
    };
    std::fs::write(stage.folder.path().join("objects.jsonl"), lines(&seen)).unwrap();
    let alerts: Vec<Value> = (0..ALERTS).map(|number| press.alert(number)).collect();
    std::fs::write(stage.folder.path().join("alerts.jsonl"), lines(&alerts)).unwrap();
    for number in 0..REVIEWS {
        let review = press.review(number);
        let body = review.to_string().into_bytes();
        let answer = deliver(webhooks, &format!("d{number}"), body, SECRET)
            .await
            .unwrap();
        assert!(answer.status.is_success(), "{}", answer.status);
        seen.push(review);
    }
    seen.extend(alerts);
    let all = u64::try_from(seen.len()).unwrap();
    let begin = std::time::Instant::now();
    loop {
        let status = ask(api, "/api/v1/status").await;
        let kept = status["sources"].as_object().unwrap().values();
        let kept: u64 = kept.map(|source| source["kept"].as_u64().unwrap()).sum();
        if kept == all && status["queue"]["waiting"] == 0 {
            break;
        }
        assert!(
            begin.elapsed().as_secs() < 300,
            "{kept} of {all} seen: {status:#}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let proofs = stage.ask_all(api).await;
    let outside = stage.outside.all().to_lowercase();
    let status: Value =
        serde_json::from_str(&stage.get(&format!("http://{api}/api/v1/status")).await).unwrap();
    println!(
        "{all} observations, {} markers, {} proofs, {}",
        press.markers.len(),
        proofs.len(),
        status["counters"]
    );
    // It was no empty exercise.
    assert!(
        proofs.len() > REVIEWS + ALERTS / 2,
        "{} proofs",
        proofs.len()
    );
    assert!(status["counters"]["leaks_refused"].as_u64().unwrap() > 100);
    for marker in &press.markers {
        assert!(
            !outside.contains(marker.as_str()),
            "{marker} came out: {}",
            around(&outside, marker)
        );
    }
    // Real objects have no markers. What a proof says in words is of its templates, or of no object.
    let declared = "did something nothing times reviewed pull request approved asked for changes merged small medium \
                    large resolved critical warning info alert after minutes hours days";
    let declared = [
        declared,
        "farmops git pr review prometheus alert resolve mallory babbler",
    ]
    .join(" ");
    let declared: BTreeSet<String> = tokens(&declared).collect();
    let mut raw = BTreeSet::new();
    for object in &seen {
        texts(object, &mut raw);
    }
    for proof in &proofs {
        let action = &proof["proof"]["action"];
        for member in ["description", "plugin", "subcategory"] {
            let text = action[member].as_str().unwrap_or_default();
            let leaked = tokens(text).find(|word| raw.contains(word) && !declared.contains(word));
            assert_eq!(leaked, None, "{action}");
        }
    }
}

fn around(text: &str, marker: &str) -> String {
    let at = text.find(marker).unwrap_or_default();
    let line = text[..at].rfind('\n').map_or(0, |line| line + 1);
    text[line..]
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(400)
        .collect()
}
