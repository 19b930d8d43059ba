//! Writes the corpora to start from: what the vectors give to each parser.
//!
//! A fuzzer does not find a signature by chance. `deploy/fuzz` runs this first; by hand it is
//! `cargo run --manifest-path protocol-spec/fuzz/Cargo.toml --example seed -- FOLDER`.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

/// The kind of a vector, the member of its input that a parser reads, and the target for it.
const SEEDS: [(&str, &str, &str); 15] = [
    ("canonical-json", "/text", "canonical"),
    ("canonical-json", "/base64", "canonical"),
    ("checkpoint", "/note", "checkpoint"),
    ("enrolment", "/text", "enrolment"),
    ("enrolment", "/base64", "enrolment"),
    ("keys", "/text", "keys"),
    ("log", "/note", "checkpoint"),
    ("log", "/path", "tile_path"),
    ("log", "/text", "log_proof"),
    ("registration", "/text", "registration"),
    ("scoring", "/rules_text", "rules"),
    ("signing", "/text", "proof"),
    ("signing", "/base64", "proof"),
    ("snapshot", "/document", "snapshot"),
    ("snapshot", "/text", "snapshot"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpora = std::env::args_os().nth(1);
    let corpora = PathBuf::from(corpora.ok_or("name the folder for the corpora")?);
    let mut count = 0;
    for verdict in ["valid", "invalid"] {
        for (kind, member, target) in SEEDS {
            let corpus = corpora.join(target);
            fs::create_dir_all(&corpus)?;
            for file in vectors(&here.join("../vectors").join(verdict).join(kind))? {
                let vector: Value = serde_json::from_slice(&fs::read(&file)?)?;
                let Some(seed) = vector["input"].pointer(member) else {
                    continue;
                };
                let bytes = match seed {
                    Value::String(text) if member == "/base64" => BASE64_STANDARD.decode(text)?,
                    Value::String(text) => text.clone().into_bytes(),
                    tree => serde_json::to_vec(tree)?,
                };
                let name = file.file_stem().unwrap_or_default().to_string_lossy();
                fs::write(corpus.join(format!("{verdict}-{kind}-{name}")), bytes)?;
                count += 1;
            }
        }
    }
    println!("{count} seeds");
    Ok(())
}

fn vectors(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect()
}
