//! Objects that come, go, change and change back while the agent is restarted: what it told, held against what
//! `kubectl` saw.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use farmops_plugin::KubernetesResource;
use farmops_testbed::{Program, shared};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;

use crate::changes::{apply, kubectl};
use crate::source::{Source, beside};

const NAMESPACE: &str = "churn";
const SEED: u64 = 20_260_221;
const OBJECTS: usize = 24;
const ROUNDS: u32 = 6;
/// Hears of everything at once.
const HASTY: &str = "test/hasty";
/// Hears of what stays.
const PATIENT: &str = "test/patient";
const SETTLE_SECONDS: u32 = 2;
/// What stayed for less has certainly not settled.
const BRIEF: Duration = Duration::from_millis(1500);

/// A value and when it was seen first.
type Since = (String, Instant);

/// What became of one object, by the API server's own account.
#[derive(Debug, Clone, Default)]
struct Life {
    values: Vec<Since>,
    ended_at: Option<Instant>,
}

impl Life {
    fn last(&self) -> Option<&str> {
        self.values.last().map(|(value, _)| value.as_str())
    }

    /// Whether `value` may have stayed long enough to settle.
    fn lingered(&self, value: &str) -> bool {
        let ends = self.values.iter().skip(1).map(|(_, at)| *at);
        let ends = ends.chain([self.ended_at.unwrap_or_else(Instant::now)]);
        let mut stays = self.values.iter().zip(ends);
        stays.any(|((one, from), to)| one == value && to - *from >= BRIEF)
    }

    /// From each value to the next.
    fn steps(&self) -> Vec<(String, String)> {
        let values = self.values.iter().map(|(value, _)| value.clone());
        let next = values.clone().skip(1);
        values.zip(next).collect()
    }
}

/// `kubectl` as a witness: every event, in order.
struct Witness {
    child: Child,
    lives: Arc<Mutex<BTreeMap<String, Life>>>,
}

impl Witness {
    fn start() -> Self {
        let arguments = ["get", "configmaps", "-n", NAMESPACE, "-o", "json"];
        let mut child = shared().unwrap().command(Program::Kubectl).unwrap();
        let child = child
            .args(arguments)
            .args(["--watch", "--output-watch-events"]);
        let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
        let (stdout, lives) = (child.stdout.take().unwrap(), Arc::default());
        let written = Arc::clone(&lives);
        std::thread::spawn(move || {
            let events = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>();
            // It ends in the middle of a word.
            events
                .map_while(Result::ok)
                .for_each(|event| note(&written, &event));
        });
        Self { child, lives }
    }

    fn lives(&self) -> BTreeMap<String, Life> {
        self.lives.lock().unwrap().clone()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn note(lives: &Mutex<BTreeMap<String, Life>>, event: &Value) {
    let object = &event["object"];
    let (Some(uid), Some(step)) = (
        object["metadata"]["uid"].as_str(),
        object["data"]["step"].as_str(),
    ) else {
        return;
    };
    let mut lives = lives.lock().unwrap();
    let life = lives.entry(uid.to_owned()).or_default();
    if event["type"] == "DELETED" {
        life.ended_at = Some(Instant::now());
    } else if life.last() != Some(step) {
        life.values.push((step.to_owned(), Instant::now()));
    }
}

/// What is done to the objects, by chance and always the same.
struct Mill {
    rng: StdRng,
    /// The value that each has now.
    values: Vec<String>,
}

impl Mill {
    /// A round: which objects are deleted first, and what is applied then.
    fn turn(&mut self, round: u32) -> (Vec<String>, String) {
        let (mut deleted, mut written) = (Vec::new(), Vec::new());
        for number in 0..OBJECTS {
            let (own, brief) = (
                format!("{round}-{number}"),
                format!("{round}-{number}-brief"),
            );
            let before = self.values[number].clone();
            let steps = match self.rng.random_range(0..6) {
                0 => vec![],
                1 => vec![own],
                2 => vec![brief, own],
                3 => vec![brief, before],
                4 => {
                    deleted.push(format!("object-{number}"));
                    vec![own]
                }
                _ => {
                    deleted.push(format!("object-{number}"));
                    vec![brief, own]
                }
            };
            if let Some(last) = steps.last() {
                self.values[number].clone_from(last);
            }
            written.extend(steps.iter().map(|step| object(number, step)));
        }
        (deleted, written.concat())
    }

    /// Deletes what a round deletes; answers what is to be applied then.
    async fn begin(&mut self, round: u32) -> String {
        let (deleted, written) = self.turn(round);
        let mut delete = vec!["delete", "configmaps", "-n", NAMESPACE];
        delete.extend(deleted.iter().map(String::as_str));
        kubectl(&delete).await;
        written
    }
}

fn object(number: usize, step: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: object-{number}, namespace: {NAMESPACE}}}\n\
         data: {{step: \"{step}\"}}\n"
    )
}

/// What a plugin was told of each object, in order: from which value to which.
#[derive(Default)]
struct Told(BTreeMap<String, Vec<(String, String)>>);

impl Told {
    fn take(&mut self, told: Vec<Value>) {
        for one in told {
            let step = |of: &str| {
                one[of]["fields"]["data"]["step"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            };
            let uid = one["uid"].as_str().unwrap().to_owned();
            let steps = self.0.entry(uid).or_default();
            steps.push((step("before"), step("after")));
        }
    }

    fn of(&self, uid: &str) -> &[(String, String)] {
        self.0.get(uid).map_or(&[], Vec::as_slice)
    }

    /// The value that the plugin knows of an object that began as `first`.
    fn last<'a>(&'a self, uid: &str, first: &'a str) -> &'a str {
        self.of(uid).last().map_or(first, |(_, after)| after)
    }
}

struct Stage {
    folder: tempfile::TempDir,
    source: Option<Source>,
    witness: Witness,
    hasty: Told,
    patient: Told,
    /// The values that stayed to the end of a round, by uid and in order.
    stayed: BTreeMap<String, Vec<String>>,
}

impl Stage {
    async fn start(&mut self) {
        let kubeconfig = shared().unwrap().kubeconfig();
        let reads = || KubernetesResource::new("configmaps", &["data.step"]);
        let readers = [
            (HASTY, vec![reads()]),
            (PATIENT, vec![reads().settle_seconds(SETTLE_SECONDS)]),
        ];
        let folder = self.folder.path();
        self.source = Some(Source::start(folder, &kubeconfig, &[NAMESPACE], &readers).await);
    }

    async fn stop(&mut self) {
        self.hear().await;
        self.source.take().unwrap().stop().await;
    }

    async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }

    async fn hear(&mut self) {
        let source = self.source.as_ref().unwrap();
        self.hasty.take(source.take(HASTY).await);
        self.patient.take(source.take(PATIENT).await);
    }

    /// Waits until something new was told of this round, so that candidates are settling.
    async fn until_settling(&mut self, round: u32) {
        let begun = format!("{round}-");
        self.until("the round begins", |stage, _| {
            let mut told = stage.hasty.0.values().flatten();
            told.any(|(_, after)| after.starts_with(&begun))
        })
        .await;
    }

    /// Waits until the patient plugin knows every object that there is as it is.
    async fn until_settled(&mut self, values: &[String]) {
        let wanted: BTreeSet<&str> = values.iter().map(String::as_str).collect();
        self.until("all has settled", |stage, lives| {
            let there = lives.iter().filter(|(_, life)| life.ended_at.is_none());
            let (mut seen, mut known) = (BTreeSet::new(), true);
            for (uid, life) in there {
                let last = life.last().unwrap_or_default();
                seen.insert(last);
                known &= stage.patient.last(uid, &life.values[0].0) == last;
            }
            known && seen == wanted
        })
        .await;
        for (uid, life) in self.witness.lives() {
            if life.ended_at.is_none() {
                let stayed = self.stayed.entry(uid).or_default();
                stayed.extend(life.last().map(str::to_owned));
                stayed.dedup();
            }
        }
    }

    async fn until(&mut self, what: &str, holds: impl Fn(&Self, &BTreeMap<String, Life>) -> bool) {
        let begin = Instant::now();
        loop {
            self.hear().await;
            if holds(self, &self.witness.lives()) {
                return;
            }
            assert!(begin.elapsed() < Duration::from_mins(1), "{what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Each object's whole life, as both plugins were told it.
    fn assert_true(&self) {
        let lives = self.witness.lives();
        let (mut settled, mut brief, mut ended) = (0, 0, 0);
        for (uid, life) in &lives {
            assert_eq!(self.hasty.of(uid), life.steps(), "{uid} {life:?}");
            let mut at = life.values[0].0.clone();
            let mut told = vec![at.clone()];
            for (before, after) in self.patient.of(uid) {
                assert_eq!(*before, at, "{uid} {life:?}");
                assert!(
                    life.lingered(after),
                    "{after} of {uid} did not stay: {life:?}"
                );
                at.clone_from(after);
                told.push(at.clone());
                settled += 1;
            }
            // A first sight is known and not told. On a slow machine more than was meant to may have stayed.
            let stayed = self.stayed.get(uid).cloned().unwrap_or_default();
            told.retain(|value| stayed.contains(value));
            told.dedup();
            assert_eq!(told, stayed, "{uid} {life:?}");
            brief += life
                .values
                .iter()
                .filter(|(value, _)| !life.lingered(value))
                .count();
            ended += usize::from(life.ended_at.is_some());
        }
        let strangers = self.hasty.0.keys().chain(self.patient.0.keys());
        let strangers: Vec<&String> = strangers.filter(|uid| !lives.contains_key(*uid)).collect();
        assert_eq!(strangers, Vec::<&String>::new());
        // It was no empty exercise.
        println!(
            "{} objects, {ended} deleted, {settled} settled, {brief} brief",
            lives.len()
        );
        assert!(settled > OBJECTS && brief > OBJECTS && ended > OBJECTS);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_goes_and_changes_back_across_restarts_is_told_as_it_was() {
    kubectl(&["create", "namespace", NAMESPACE]).await;
    let mut mill = Mill {
        rng: StdRng::seed_from_u64(SEED),
        values: (0..OBJECTS).map(|number| format!("0-{number}")).collect(),
    };
    let first: Vec<String> = (0..OBJECTS).map(|n| object(n, &mill.values[n])).collect();
    apply(first.concat()).await;
    let mut stage = Stage {
        folder: tempfile::tempdir().unwrap(),
        source: None,
        witness: beside(Witness::start).await,
        hasty: Told::default(),
        patient: Told::default(),
        stayed: BTreeMap::new(),
    };
    stage.start().await;
    stage.source.as_ref().unwrap().until_up().await;
    stage.until_settled(&mill.values).await;
    for round in 1..=ROUNDS {
        match round % 3 {
            // The agent ends while values settle,
            1 => {
                apply(mill.begin(round).await).await;
                stage.until_settling(round).await;
                stage.restart().await;
            }
            // or while they still change,
            2 => {
                let change = tokio::spawn(apply(mill.begin(round).await));
                stage.until_settling(round).await;
                stage.restart().await;
                change.await.unwrap();
            }
            // or all of it happens while it is away.
            _ => {
                stage.stop().await;
                apply(mill.begin(round).await).await;
                stage.start().await;
            }
        }
        stage.until_settled(&mill.values).await;
    }
    stage.assert_true();
    stage.stop().await;
}
