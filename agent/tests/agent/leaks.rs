//! Nothing of raw work data leaves the agent: not in proofs, not in the log at its usual level, not in metrics,
//! not in answers of the API. Thousands of objects, real plugins, and one that tries every way out it has.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use farmops_service::outbound::Bounds;
use serde_json::{Value, json};

use crate::press::Press;
use crate::programs;
use crate::script::{Answer, Piece, Server};
use crate::world::{SECRET, ask, client, deliver, until};

const SEED: u64 = 20_260_221;
/// Objects of a cluster, ended alerts, and reviews.
const OBJECTS: usize = 1500;
const ALERTS: usize = 600;
const REVIEWS: usize = 200;
/// Settled changes, a quarter for each of the plugins that read Kubernetes.
const SETTLED: usize = 200;
/// Objects of each resource in the cluster.
const LISTED: usize = 60;
/// What the plugins that read Kubernetes read in the cluster.
const RESOURCES: [&str; 6] = [
    "pods",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "cronjobs.batch",
    "certificates.cert-manager.io",
];
const HOSTILE: &str = "farmops/hostile";
const BY_COMPONENTS: [&str; 4] = [
    "farmops/k8s-resource-audit",
    "farmops/k8s-pod-health",
    "farmops/certificate-renewal",
    "farmops/k8s-deprecated-api",
];
/// How many plugins read each of them, summed up.
const READERS: usize = HEARD_AT_ONCE.len() + 4 + 4 + 1 + 4;
/// What the hostile one hears of at once.
const HEARD_AT_ONCE: [&str; 2] = ["pods", "deployments.apps"];
/// What the leak guard takes for telling.
const TOKEN_CHARS_MIN: usize = 4;

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

/// A cluster whose objects change, whose watches end in errors with many words, and which refuses things.
struct Town {
    server: Server,
    /// All that was ever in it.
    objects: Vec<Value>,
    /// What a plugin hears that waits for nothing.
    told: usize,
}

impl Town {
    async fn start(press: &mut Press) -> Self {
        let mut town = Self {
            server: Server::start(Vec::new(), Vec::new()).await,
            objects: Vec::new(),
            told: 0,
        };
        // Until everybody is there who listens.
        town.server.allow(false);
        town.server
            .mutter(&format!("{} is not yours to see", press.marker()));
        for resource in RESOURCES {
            let changes = town.fill(press, resource);
            if HEARD_AT_ONCE.contains(&resource) {
                town.told += changes;
            }
        }
        town
    }

    /// Answers how many changes there will be.
    fn fill(&mut self, press: &mut Press, resource: &str) -> usize {
        let first: Vec<Value> = (0..LISTED).map(|_| press.object()).collect();
        let next: Vec<Value> = first.iter().map(|object| press.altered(object)).collect();
        let last: Vec<Value> = next.iter().map(|object| press.altered(object)).collect();
        let told = |objects: &[Value]| -> Vec<Piece> {
            let events = objects.iter().cloned();
            events
                .map(|object| Piece::Event("MODIFIED", object))
                .collect()
        };
        let unreadable = json!({"metadata": press.marker()});
        let rubbish = || format!("{{\"type\": \"{}\"\n", press.markers.first().unwrap());
        let rubbish = [rubbish(), rubbish()];
        let mut ends = told(&next[..LISTED / 2]);
        ends.push(Piece::Event("MODIFIED", unreadable.clone()));
        ends.push(Piece::Event("ERROR", press.error(500)));
        let mut gone = told(&next[LISTED / 2..]);
        gone.push(Piece::Event("ERROR", press.error(410)));
        let mut lists = vec![
            Answer::Refusal(403, None),
            Answer::Page(first[1..].to_vec(), "10", Some("more")),
            Answer::Page(vec![first[0].clone(), unreadable], "10", None),
            Answer::Page(last.clone(), "20", None),
        ];
        let watches = vec![
            Answer::Refusal(500, None),
            Answer::Stream(ends),
            Answer::Stream(vec![Piece::Raw(rubbish[0].clone())]),
            Answer::Stream(gone),
            Answer::Stream(vec![Piece::Silence]),
        ];
        if resource == "daemonsets.apps" {
            // Refused whenever it is asked.
            lists = (0..100).map(|_| Answer::Refusal(403, None)).collect();
        }
        self.server.serve(resource, lists, watches);
        self.server.rest(resource, &last);
        self.objects.extend([first, next, last].concat());
        2 * LISTED
    }
}

struct Stage {
    folder: tempfile::TempDir,
    metrics: SocketAddr,
    outside: Arc<Outside>,
}

/// A component that reads the cluster, and the file in which changes have settled already.
fn component(id: &str, name: &str, resources: &[&str], config: &Value) -> Value {
    let grant = |source: &str| json!({"source": source, "resources": resources});
    let mut grants = vec![grant("cluster")];
    if name != "hostile" {
        grants.push(grant("settled"));
    }
    json!({"id": id, "source": {"component": programs::component(name)}, "grants": grants, "config": config})
}

impl Stage {
    /// A configured agent whose tracker is away, so that every proof stays where the API shows it.
    fn new(loud: &str, town: &Town) -> Self {
        let folder = tempfile::tempdir().unwrap();
        programs::compiler();
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
                    {"name": "settled", "path": path("settled.jsonl"), "source_type": "kubernetes"},
                ],
                "kubernetes": [{"name": "cluster", "kubeconfig": town.server.kubeconfig()}],
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
            component(HOSTILE, "hostile", &HEARD_AT_ONCE, &json!({})),
            component(BY_COMPONENTS[0], "k8s-resource-audit", &RESOURCES[1..5], &json!({})),
            component(BY_COMPONENTS[1], "k8s-pod-health", &RESOURCES[..4], &json!({})),
            component(BY_COMPONENTS[2], "certificate-renewal", &RESOURCES[5..], &json!({})),
            component(BY_COMPONENTS[3], "k8s-deprecated-api", &RESOURCES[1..5], &json!({})),
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
    let mut press = Press::new(SEED);
    let loud = press.marker();
    let town = Town::start(&mut press).await;
    let stage = Stage::new(&loud, &town);
    let (_agent, api, webhooks) = stage.start();
    let running = |status: &Value| {
        let plugins = status["plugins"].as_array().unwrap();
        plugins.iter().all(|plugin| plugin["state"] == "running")
    };
    until(api, "/api/v1/status", running).await;
    until(api, "/api/v1/status", everybody_listens).await;
    stage.ask_all(api).await;
    town.server.allow(true);
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
    let settled: Vec<Value> = (0..SETTLED).map(|number| press.settled(number)).collect();
    std::fs::write(stage.folder.path().join("settled.jsonl"), lines(&settled)).unwrap();
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
    // Each of the four reads what has settled.
    let all = u64::try_from(seen.len() + town.told + 4 * SETTLED).unwrap();
    seen.extend(settled);
    seen.extend_from_slice(&town.objects);
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
    for plugin in BY_COMPONENTS {
        assert_eq!(proofs_of(&proofs, plugin), SETTLED / 4, "{plugin}");
    }
    assert!(proofs_of(&proofs, HOSTILE) > LISTED / 10);
    assert_watches_tell(&status["sources"]["cluster"]["watches"]);
    if let Some(at) = press.find(&outside) {
        panic!("a marker came out: {}", around(&outside, at));
    }
    assert_own_words(&proofs, &seen);
}

/// Real objects have no markers. What a proof says in words is of its templates, or of no object.
fn assert_own_words(proofs: &[Value], seen: &[Value]) {
    let declared = "did something nothing times reviewed pull request approved asked for changes merged small medium \
                    large resolved critical warning info alert after minutes hours days";
    let declared = [
        declared,
        &BY_COMPONENTS.join(" "),
        "farmops git pr review prometheus alert resolve mallory babbler hostile certificate renewal deprecated",
        "mended a security flaw of high severity in a deployment brought back from crash loop rescued",
        "before its end moved one workload object off an API version that Kubernetes removed privileged rescue",
    ]
    .join(" ");
    let declared: BTreeSet<String> = tokens(&declared).collect();
    let mut raw = BTreeSet::new();
    for object in seen {
        texts(object, &mut raw);
    }
    for proof in proofs {
        let action = &proof["proof"]["action"];
        for member in ["description", "plugin", "subcategory"] {
            let text = action[member].as_str().unwrap_or_default();
            let leaked = tokens(text).find(|word| raw.contains(word) && !declared.contains(word));
            assert_eq!(leaked, None, "{action}");
        }
    }
}

/// Whether each watch is there for all who read it, so that none begins anew.
fn everybody_listens(status: &Value) -> bool {
    let watches = status["sources"]["cluster"]["watches"].as_array();
    let listened = watches.into_iter().flatten();
    let listened = listened.filter(|watch| RESOURCES.iter().any(|one| watch["resource"] == *one));
    let readers: usize = listened
        .map(|watch| watch["plugins"].as_array().unwrap().len())
        .sum();
    readers == READERS
}

fn proofs_of(proofs: &[Value], plugin: &str) -> usize {
    let of = proofs
        .iter()
        .filter(|proof| proof["proof"]["action"]["plugin"] == plugin);
    of.count()
}

/// The watches went through what there is to go through, and one of them says why it does not work.
fn assert_watches_tell(watches: &Value) {
    let watches = watches.as_array().unwrap();
    let state = |resource: &str| {
        let watch = watches.iter().find(|watch| watch["resource"] == resource);
        watch.unwrap_or_else(|| panic!("{resource}: {watches:#?}"))
    };
    for resource in RESOURCES {
        let watch = state(resource);
        if resource == "daemonsets.apps" {
            assert!(watch["reason"].as_str().unwrap().contains("403"), "{watch}");
        } else {
            assert_eq!(watch["state"], "watching", "{watch}");
            assert_eq!(watch["objects"], LISTED, "{watch}");
        }
    }
}

fn around(text: &str, at: usize) -> String {
    let line = text[..at].rfind('\n').map_or(0, |line| line + 1);
    text[line..]
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(400)
        .collect()
}
