//! What an implementation does with a vector of the log: proofs, tiles, entries and what is opened of them.

use farmops_protocol::{
    checkpoint::leaf_hash,
    digest::{Digest, sha256},
    log::{
        Layer, LogProof, OpeningError, Part, Tile, Tree, TreeHead, bundle,
        commitment::{LoggedEvent, LoggedScore, Salt, SaltSource, commit},
        cosignature, new_tiles,
        note::SignedNote,
        verify_consistency, verify_inclusion,
    },
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::run::{Bytes, field, key};

#[derive(Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Log {
    Bundle {
        path: String,
        contents: Bytes,
    },
    Commitment {
        event: Half,
        score: Half,
    },
    Consistency {
        old: Head,
        new: Head,
        proof: Vec<Digest>,
    },
    Cosignature {
        name: String,
        note: String,
        public_key: String,
    },
    Event {
        text: String,
    },
    Inclusion {
        head: Head,
        index: u64,
        leaf: Digest,
        proof: Vec<Digest>,
    },
    NewTiles {
        old: u64,
        new: u64,
    },
    Opening {
        public_key: String,
        text: String,
    },
    Path {
        path: String,
    },
    Salt {
        index: u64,
        secret: String,
    },
    Score {
        text: String,
    },
    /// The log has the entries `entry 0`, `entry 1`, and so on.
    Tile {
        path: String,
        size: u64,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    size: u64,
    root: Digest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Half {
    salt: Salt,
    text: String,
}

impl From<Head> for TreeHead {
    fn from(Head { size, root }: Head) -> Self {
        Self { size, root }
    }
}

pub(crate) fn log(input: Log) -> Result<Value, Value> {
    match input {
        Log::Bundle { path, contents } => {
            let entries = bundle::parse(&tile(&path), &contents.bytes()).map_err(field)?;
            Ok(json!({ "entries": entries, "leaves": bundle::leaves(&entries) }))
        }
        Log::Commitment { event, score } => {
            let (event_bytes, score_bytes) = (event.text.as_bytes(), score.text.as_bytes());
            let made = commit(&event.salt, event_bytes, &score.salt, score_bytes);
            made.open_event(&event.salt, event_bytes).unwrap();
            made.open_score(&score.salt, score_bytes).unwrap();
            Ok(json!({
                "entry": made.entry(),
                "event": made.event,
                "leaf": made.leaf(),
                "score": made.score,
            }))
        }
        Log::Consistency { old, new, proof } => {
            let verified = verify_consistency(&old.into(), &new.into(), &proof);
            verified.map_err(|_| unproven()).map(|()| json!({}))
        }
        Log::Cosignature {
            name,
            note,
            public_key,
        } => {
            let note = SignedNote::parse(&note).map_err(field)?;
            let time = cosignature::verify(&note, &name, &key(&public_key)?).map_err(field)?;
            Ok(json!({ "time": time }))
        }
        Log::Event { text } => {
            let event = LoggedEvent::parse(text.as_bytes()).map_err(field)?;
            assert_eq!(event.to_bytes(), text.as_bytes());
            let body = std::str::from_utf8(event.body).unwrap();
            Ok(json!({ "body": body, "kind": event.kind, "recorded_at": event.recorded_at }))
        }
        Log::Inclusion {
            head,
            index,
            leaf,
            proof,
        } => {
            let verified = verify_inclusion(&leaf, index, &head.into(), &proof);
            verified.map_err(|_| unproven()).map(|()| json!({}))
        }
        Log::NewTiles { old, new } => {
            let tiles: Vec<String> = new_tiles(old, new).map(|tile| tile.to_string()).collect();
            Ok(json!({ "tiles": tiles }))
        }
        Log::Opening { public_key, text } => opening(&text, &public_key),
        Log::Path { path } => {
            let tile: Tile = path.parse().map_err(field)?;
            assert_eq!(tile.to_string(), path);
            let level = match tile.layer() {
                Layer::Hashes(level) => json!(level),
                Layer::Entries => json!("entries"),
            };
            // As text: it may be above 2^53 − 1.
            let index = tile.index().to_string();
            Ok(json!({ "index": index, "level": level, "width": tile.width() }))
        }
        Log::Salt { index, secret } => {
            let salts = SaltSource::new(secret);
            Ok(json!({ "event": salts.event(index), "score": salts.score(index) }))
        }
        Log::Score { text } => {
            let score = LoggedScore::parse(text.as_bytes()).map_err(field)?;
            if let Some(score) = &score {
                assert_eq!(score.to_bytes(), text.as_bytes());
            }
            Ok(json!({ "score": score }))
        }
        Log::Tile { path, size } => {
            let leaf = |n| leaf_hash(format!("entry {n}").as_bytes());
            let tree: Tree = (0..size).map(leaf).collect();
            let contents = tile(&path).write(&tree).unwrap();
            Ok(json!({ "length": contents.len(), "sha256": sha256(&contents) }))
        }
    }
}

fn opening(text: &str, public_key: &str) -> Result<Value, Value> {
    let proof = LogProof::parse(text).map_err(field)?;
    assert_eq!(proof.to_string(), text);
    let (opening, head) = proof.open(&key(public_key)?).map_err(|error| match error {
        OpeningError::Malformed(error) => field(error),
        OpeningError::NotIncluded(_) => unproven(),
    })?;
    let shown = |part: Part| match part {
        Part::Open { bytes, .. } => json!(String::from_utf8(bytes).unwrap()),
        Part::Closed { .. } => Value::Null,
    };
    Ok(json!({
        "event": shown(opening.event),
        "index": proof.index,
        "score": shown(opening.score),
        "size": head.checkpoint.size,
    }))
}

fn tile(path: &str) -> Tile {
    path.parse().unwrap()
}

/// What was shown does not lead to the root.
fn unproven() -> Value {
    json!({ "at": "verify" })
}
