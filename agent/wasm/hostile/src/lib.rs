//! A plugin that means harm: each event is one way to misbehave. The tests of the bounds are its only users.

use std::collections::HashMap;
use std::hint::black_box;
use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use farmops_plugin::log::{Level, log};
use farmops_plugin::{
    ActionType, Actor, ActorType, BadSettings, Category, Complexity, Description, Finding, Hints,
    KubernetesResource, Observation, OutcomeStatus, Plugin, SourceRequirement, Template, Verdict,
    Who,
};
use serde_json::{Value, json};

/// The plugin.
#[derive(Debug, Default)]
pub struct Hostile {
    behaviour: String,
}

farmops_plugin::export!(Hostile);

impl Plugin for Hostile {
    fn describe(&self) -> Description {
        Description {
            plugin_id: "farmops/hostile".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: "Breaks every bound there is.".to_owned(),
            categories: vec![Category::Toil],
            sources: vec![
                SourceRequirement::new("github", &["everything"]),
                SourceRequirement::kubernetes(
                    ["pods", "deployments.apps"].map(everything_of).to_vec(),
                ),
            ],
            templates: vec![Template::new("done", "Did it")],
            subcategories: Vec::new(),
            settings_schema: Some(json!({"type": "object"})),
        }
    }

    fn configure(&mut self, settings: &Value) -> Result<(), BadSettings> {
        let behaviour = settings["configure"].as_str().unwrap_or_default();
        match behaviour {
            "refuse" => return Err(BadSettings("none will do".to_owned())),
            "loop" => spin(),
            "panic" => panic!("over the settings"),
            _ => {}
        }
        behaviour.clone_into(&mut self.behaviour);
        Ok(())
    }

    fn verify(&self, observation: &Observation) -> Verdict {
        match observation.event.as_str() {
            "loop" => spin(),
            "allocate" => allocate(),
            "recurse" => return Verdict::Rejected(recurse(1).to_string()),
            "panic" => panic!("over this observation"),
            "exit" => std::process::exit(0),
            "sleep" => std::thread::sleep(std::time::Duration::from_hours(1)),
            "connect" => {
                let connected = std::net::TcpStream::connect("127.0.0.1:9");
                return Verdict::Rejected(format!("{connected:?}"));
            }
            "flood" => flood(),
            "large" => return verified(vec![b'x'; 2 << 20]),
            "many" => return many(),
            "nameless" => {
                let mut finding = finding(Vec::new());
                finding.dedupe_key.clear();
                return Verdict::Verified(Box::new(finding));
            }
            "files" => {
                let read = std::fs::read("/etc/passwd").map(|_| ());
                let written = std::fs::write("/tmp/hostile", "x");
                return Verdict::Rejected(format!("{} {}", read.is_ok(), written.is_ok()));
            }
            "environment" => {
                let (variables, arguments) = (std::env::vars().count(), std::env::args().count());
                return Verdict::Rejected(format!("{variables} {arguments}"));
            }
            "chance" => return Verdict::Rejected(chance()),
            "changed" => return babble(&observation.raw_data),
            "settings" => return Verdict::Rejected(self.behaviour.clone()),
            "remember" => {
                static CALLS: AtomicU32 = AtomicU32::new(0);
                return Verdict::Rejected(CALLS.fetch_add(1, Ordering::Relaxed).to_string());
            }
            _ => {}
        }
        Verdict::rejected("nothing happened")
    }
}

fn spin() {
    let mut turns = 0_u64;
    while turns < u64::MAX {
        turns = black_box(turns) + 1;
    }
}

fn allocate() {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![1_u8; 1 << 20]));
    }
}

fn recurse(depth: u64) -> u64 {
    if black_box(depth) == 0 {
        return 0;
    }
    recurse(depth + 1) + black_box(1)
}

fn flood() {
    for line in 0..10_000 {
        log(Level::Error, &format!("line {line} {}", "x".repeat(5000)));
        println!("printed {line}");
    }
    // Without an end of line it stays where it is.
    let _ = std::io::stdout().write_all(&vec![b'y'; 1 << 20]);
}

/// What differs from run to run where there is chance or a clock.
fn chance() -> String {
    let map: HashMap<u32, u32> = (0..100).map(|n| (n, n)).collect();
    let order: Vec<u32> = map.into_keys().collect();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map(|since| since.as_secs());
    let timer = std::time::Instant::now().elapsed();
    format!("{now:?} {timer:?} {order:?}")
}

/// A verdict whose parts are few and whose sum is large.
fn many() -> Verdict {
    let mut finding = finding(Vec::new());
    finding.words = (0..40_000)
        .map(|n| {
            (
                n.to_string(),
                "forty bytes of a word, or thereabouts...".to_owned(),
            )
        })
        .collect();
    Verdict::Verified(Box::new(finding))
}

/// As soon as it is seen.
fn everything_of(resource: &str) -> KubernetesResource {
    KubernetesResource::new(resource, &["metadata", "spec", "status"])
}

/// Puts the name of what it sees wherever it can; which way it takes is in the name itself.
fn babble(seen: &[u8]) -> Verdict {
    let seen: Value = serde_json::from_slice(seen).unwrap_or_default();
    let name = seen["name"].as_str().unwrap_or("unnamed").to_owned();
    log(Level::Error, &name);
    println!("{name}");
    let mut finding = finding(name.clone().into_bytes());
    finding.dedupe_key = name.clone().into_bytes();
    match name.bytes().map(u32::from).sum::<u32>() % 11 {
        // An honest proof, whose evidence alone tells.
        0 | 1 => {}
        2 => finding.words = [("what".to_owned(), name)].into(),
        3 => finding.words = [(name, "what".to_owned())].into(),
        4 => finding.numbers = [(name, 7)].into(),
        5 => finding.template = name,
        6 => finding.subcategory = Some(name),
        7 => return Verdict::Rejected(name),
        8 => return Verdict::Inconclusive(name),
        9 => finding.actor.who = Who::Identifier(name),
        _ => panic!("over {name}"),
    }
    Verdict::Verified(Box::new(finding))
}

fn verified(evidence: Vec<u8>) -> Verdict {
    Verdict::Verified(Box::new(finding(evidence)))
}

fn finding(evidence: Vec<u8>) -> Finding {
    Finding {
        action_type: ActionType::Fix,
        category: Category::Toil,
        subcategory: None,
        template: "done".to_owned(),
        numbers: std::collections::BTreeMap::new(),
        words: std::collections::BTreeMap::new(),
        hints: Hints {
            complexity: Complexity::Low,
            impact_radius: 1,
            artifacts_touched: 1,
            time_spent_seconds: None,
        },
        outcome: OutcomeStatus::Success,
        evidence,
        actor: Actor {
            who: Who::OnCall,
            kind: ActorType::Human,
        },
        dedupe_key: b"k".to_vec(),
        finished_at: 0,
    }
}
