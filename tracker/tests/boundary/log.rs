//! The transparency log as the world sees it: heads, tiles, and entries that their owner opens.

use std::process::Command;

use farmops_protocol::{
    key::PublicKey,
    log::{
        Head, LogError, Plan, Tile, TileSet, TreeHead, bundle, new_tiles, verify_consistency,
        verify_inclusion,
    },
    proof::Category,
};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::{
    cast::TestAgent,
    server::{Tracker, now},
};

/// The log's files of one tracker, fetched as anyone would.
pub struct Reader {
    pub client: reqwest::Client,
    pub base: String,
    pub key: PublicKey,
}

impl Reader {
    pub async fn of(client: &reqwest::Client, base: &str) -> Self {
        let profile: Value = client
            .get(format!("{base}/api/v1/public/profile"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        Self {
            client: client.clone(),
            base: base.to_owned(),
            key: profile["farmer_key"].as_str().unwrap().parse().unwrap(),
        }
    }

    /// The latest signed head, once there is one.
    pub async fn head(&self) -> Option<TreeHead> {
        let answer = self.fetch("checkpoint").await;
        if answer.status() == StatusCode::NOT_FOUND {
            return None;
        }
        assert_eq!(answer.status(), StatusCode::OK);
        let note = answer.text().await.unwrap();
        let (head, _) = Head::open(&note, &self.key).unwrap();
        Some(TreeHead::from(&head.checkpoint))
    }

    /// As [`Self::head`], of a tracker that may be going down.
    pub async fn head_if_alive(&self) -> Option<TreeHead> {
        let answer = self
            .client
            .get(format!("{}/checkpoint", self.base))
            .send()
            .await;
        let note = answer.ok()?.error_for_status().ok()?.text().await.ok()?;
        let (head, _) = Head::open(&note, &self.key).unwrap();
        Some(TreeHead::from(&head.checkpoint))
    }

    /// Checks that `new` extends `old`, from the tiles alone.
    pub async fn check_extends(&self, old: &TreeHead, new: &TreeHead) {
        let proof = self
            .hashes(&Plan::consistency(old.size, new.size).unwrap())
            .await;
        verify_consistency(old, new, &proof).unwrap();
    }

    pub async fn hashes(&self, plan: &Plan) -> Vec<farmops_protocol::digest::Digest> {
        let mut tiles = TileSet::default();
        for tile in plan.tiles() {
            tiles.insert(tile, &self.file(&tile).await).unwrap();
        }
        plan.hashes(&tiles).unwrap()
    }

    pub async fn file(&self, tile: &Tile) -> Vec<u8> {
        let answer = self.fetch(&tile.to_string()).await;
        assert_eq!(answer.status(), StatusCode::OK, "{tile}");
        answer.bytes().await.unwrap().to_vec()
    }

    async fn fetch(&self, path: &str) -> reqwest::Response {
        let url = format!("{}/{path}", self.base);
        self.client.get(url).send().await.unwrap()
    }
}

/// A tracker with `proofs` accepted proofs.
async fn busy(proofs: i64) -> (Tracker, TestAgent) {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let start = now().saturating_add(-86_400);
    for n in 0..proofs {
        let proof = agent.work(Category::Incident, start.saturating_add(n));
        let (status, _) = tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
        assert_eq!(status, StatusCode::CREATED);
    }
    (tracker, agent)
}

/// A signed head of the whole ledger: opening its last entry asks for one.
async fn head_of_all(tracker: &Tracker) -> u64 {
    let size = tracker.get("/api/v1/farm").await["ledger_size"]
        .as_u64()
        .unwrap();
    opening(tracker, size, "score").await;
    size
}

async fn opening(tracker: &Tracker, position: u64, parts: &str) -> String {
    let path = format!("/api/v1/ledger/{position}/opening?parts={parts}");
    let answer = tracker.owner(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    answer.text().await.unwrap()
}

#[tokio::test]
async fn the_tiles_are_the_log_that_the_checkpoint_signs() {
    let (tracker, _) = busy(300).await;
    let size = head_of_all(&tracker).await;
    let reader = Reader::of(&tracker.client, &tracker.base).await;
    let head = reader.head().await.unwrap();
    assert_eq!(head.size, size);
    assert_eq!(reader.hashes(&Plan::root(size)).await[0], head.root);
    let mut entries = Vec::new();
    for tile in new_tiles(0, size).filter_map(|tile| tile.bundle()) {
        entries.extend(bundle::parse(&tile, &reader.file(&tile).await).unwrap());
    }
    let leaves = bundle::leaves(&entries);
    for index in [0, 1, 255, 256, size - 1] {
        let proof = reader.hashes(&Plan::inclusion(index, size).unwrap()).await;
        let leaf = leaves[usize::try_from(index).unwrap()];
        verify_inclusion(&leaf, index, &head, &proof).unwrap();
        let other = leaves[usize::try_from((index + 1) % size).unwrap()];
        assert_eq!(
            verify_inclusion(&other, index, &head, &proof),
            Err(LogError::OtherRoot)
        );
    }
    for old in [1, 2, 255, 256, 257, size] {
        let root = reader.hashes(&Plan::root(old)).await[0];
        reader
            .check_extends(&TreeHead { size: old, root }, &head)
            .await;
    }
}

#[tokio::test]
async fn a_file_has_one_path_and_what_is_not_there_is_not_found() {
    let (tracker, _) = busy(260).await;
    let size = head_of_all(&tracker).await;
    let rest = size - 256;
    for path in [
        "tile/0/000".to_owned(),
        format!("tile/0/001.p/{rest}"),
        "tile/0/000.p/7".to_owned(),
        "tile/1/000.p/1".to_owned(),
        "tile/entries/000".to_owned(),
        format!("tile/entries/001.p/{rest}"),
    ] {
        let answer = tracker
            .anyone(Method::GET, &format!("/{path}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let headers = answer.headers().clone();
        assert_eq!(headers["content-type"], "application/octet-stream");
        assert_eq!(
            headers["cache-control"],
            "public, max-age=31536000, immutable"
        );
        let tag = headers["etag"].to_str().unwrap().to_owned();
        assert!(tag.starts_with('"'), "a strong tag: {tag}");
        let again = tracker
            .anyone(Method::GET, &format!("/{path}"))
            .header("if-none-match", tag);
        assert_eq!(
            again.send().await.unwrap().status(),
            StatusCode::NOT_MODIFIED
        );
    }
    for path in [
        format!("tile/0/001.p/{}", rest + 1),
        "tile/0/001".to_owned(),
        "tile/0/002.p/1".to_owned(),
        "tile/1/000".to_owned(),
        "tile/1/000.p/2".to_owned(),
        "tile/2/000.p/1".to_owned(),
        "tile/entries/001".to_owned(),
        "tile/8/000".to_owned(),
        "tile/0/0".to_owned(),
        "tile/0/0000".to_owned(),
        "tile/0/x000/000".to_owned(),
        "tile/00/000".to_owned(),
        "tile/0/000.p/256".to_owned(),
        "tile/0/000.p/07".to_owned(),
        "tile/0/000.p/0".to_owned(),
        "tile/0/%30%30%30".to_owned(),
        "tile/entries/000/".to_owned(),
        "tile/x/000".to_owned(),
    ] {
        let answer = tracker
            .anyone(Method::GET, &format!("/{path}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    let checkpoint = tracker
        .anyone(Method::GET, "/checkpoint")
        .send()
        .await
        .unwrap();
    assert_eq!(
        checkpoint.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    assert_eq!(checkpoint.headers()["cache-control"], "no-cache");
}

#[tokio::test]
async fn an_entry_is_opened_half_by_half() {
    let (tracker, _) = busy(3).await;
    let profile = tracker.get("/api/v1/public/profile").await;
    let key = profile["farmer_key"].as_str().unwrap().to_owned();
    let proofs = tracker.get("/api/v1/proofs").await;
    let proof = &proofs["proofs"][0];
    let position = proof["position"].as_u64().unwrap();
    let check = |text: &str, key: &str| {
        let file = tracker.folder.path().join("opening");
        std::fs::write(&file, text).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"))
            .args(["--json", "ledger", "check", "--key", key])
            .arg(file)
            .output()
            .unwrap();
        let shown = serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default();
        (output.status.success(), shown)
    };
    let score = opening(&tracker, position, "score").await;
    let (good, shown) = check(&score, &key);
    assert!(good, "{shown}");
    assert_eq!(shown["position"], position);
    assert_eq!(shown["score"]["coins"], proof["coins"]);
    assert_eq!(shown["event"], Value::Null);
    let (good, shown) = check(&opening(&tracker, position, "event,score").await, &key);
    assert!(good);
    assert_eq!(shown["event"]["kind"], "proof_accepted");
    let body: Value = serde_json::from_str(shown["event"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, proof["proof"]);
    // The founding has no score, and shows that.
    let (good, shown) = check(&opening(&tracker, 1, "score").await, &key);
    assert!(good);
    assert_eq!(
        (&shown["score"], &shown["score_shown"]),
        (&Value::Null, &Value::from(true))
    );

    let stranger = farmops_protocol::key::SecretKey::from_bytes([1; 32]).public();
    assert!(!check(&score, &stranger.to_string()).0, "another key");
    let index = format!("index {}\n", position - 1);
    assert!(
        !check(&score.replace(&index, "index 0\n"), &key).0,
        "another place"
    );
    for (path, status, field) in [
        ("/api/v1/ledger/1/opening", 400, "parts"),
        ("/api/v1/ledger/1/opening?parts=all", 400, "parts"),
        ("/api/v1/ledger/0/opening?parts=score", 404, ""),
        ("/api/v1/ledger/999/opening?parts=score", 404, ""),
    ] {
        let answer = tracker.owner(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["field"].as_str().unwrap_or_default(), field);
    }
}
