//! A file that grows, is rotated, and is cut.

#![allow(clippy::unwrap_used)]

use std::io::Write as _;
use std::path::Path;

use super::*;
use crate::plugins::Routes;
use crate::sources::SourcesConfig;
use crate::store::{Bounds, Store};

const PLUGIN: &str = "farmops/reader";

struct Bench {
    folder: tempfile::TempDir,
    store: Store,
    stop: CancellationToken,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bounds = Bounds {
            observations_max: 1000,
            proofs_kept_max: 10,
            ..Bounds::default()
        };
        let store = Store::open(folder.path(), bounds).await.unwrap();
        Self {
            folder,
            store,
            stop: CancellationToken::new(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("records.jsonl")
    }

    /// A follower as after a start of the agent.
    fn follower(&self) -> Follower {
        let routes = Routes::default();
        routes.set("records", vec![PLUGIN.to_owned()]);
        let desk = Desk::new(self.store.clone(), routes, &SourcesConfig::default());
        let config = FileConfig {
            name: "records".to_owned(),
            path: self.path(),
            source_type: SourceType::File,
        };
        Follower::new(config, desk, 200)
    }

    /// What a follower keeps now, emptied from the queue.
    async fn kept(&self, follower: &mut Follower) -> Vec<String> {
        follower.catch_up(&self.stop).await.unwrap();
        let mut kept = Vec::new();
        while let Some(waiting) = self.store.next_for(PLUGIN).await.unwrap() {
            self.store.drop_observation(waiting.seq).await.unwrap();
            kept.push(String::from_utf8(waiting.payload).unwrap());
        }
        kept
    }
}

fn append(path: &Path, text: &str) {
    let mut file = File::options()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[tokio::test]
async fn lines_are_kept_once_across_restarts_and_a_half_line_waits() {
    let bench = Bench::new().await;
    assert!(bench.kept(&mut bench.follower()).await.is_empty()); // no file yet
    append(&bench.path(), "{\"a\":1}\n{\"event\":\"done\"}\n{\"half\"");
    let kept = bench.kept(&mut bench.follower()).await;
    assert_eq!(kept, ["{\"a\":1}", "{\"event\":\"done\"}"]);
    assert!(bench.kept(&mut bench.follower()).await.is_empty());
    append(&bench.path(), ":true}\n");
    assert_eq!(bench.kept(&mut bench.follower()).await, ["{\"half\":true}"]);
}

#[tokio::test]
async fn a_rotated_file_is_read_to_its_end_and_then_the_new_one() {
    let bench = Bench::new().await;
    let mut follower = bench.follower();
    append(&bench.path(), "{\"a\":1}\n");
    assert_eq!(bench.kept(&mut follower).await.len(), 1);
    append(&bench.path(), "{\"a\":2}\n");
    std::fs::rename(bench.path(), bench.folder.path().join("records.1")).unwrap();
    append(&bench.path(), "{\"a\":3}\n");
    assert_eq!(bench.kept(&mut follower).await, ["{\"a\":2}", "{\"a\":3}"]);
}

#[tokio::test]
async fn a_cut_file_is_read_from_its_start_even_if_it_grew_again() {
    let bench = Bench::new().await;
    let mut follower = bench.follower();
    append(&bench.path(), "{\"a\":1}\n");
    assert_eq!(bench.kept(&mut follower).await.len(), 1);
    std::fs::write(bench.path(), "{\"b\":1}\n{\"b\":2}\n").unwrap();
    assert_eq!(bench.kept(&mut follower).await, ["{\"b\":1}", "{\"b\":2}"]);
}

#[tokio::test]
async fn lines_that_are_no_record_or_too_long_are_passed_over() {
    let bench = Bench::new().await;
    let long = format!("{{\"x\":\"{}\"}}", "y".repeat(300));
    append(
        &bench.path(),
        &format!("not json\n[1]\n\n{long}\n{{\"a\":1}}\n"),
    );
    assert_eq!(bench.kept(&mut bench.follower()).await, ["{\"a\":1}"]);
}
