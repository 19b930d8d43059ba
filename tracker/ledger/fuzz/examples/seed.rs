//! Writes the corpora to start from: an event of each kind, and archives of a small farm.
//!
//! `deploy/fuzz` runs it first, with the folder for the corpora.

#[path = "../../tests/ledger/archives.rs"]
mod archives;
#[path = "../../../tests/boundary/cast.rs"]
mod cast;
#[path = "../../tests/ledger/events.rs"]
mod events;

use std::{error::Error, fs, path::PathBuf};

use farmops_ledger::archive::{CHECKPOINTS, KEYS, LAYOUT, LEDGER, SEASON, SNAPSHOT, VILLAGES};

/// As the target numbers them.
const MEMBERS: [&str; 7] = [
    LEDGER,
    CHECKPOINTS,
    SNAPSHOT,
    VILLAGES,
    LAYOUT,
    SEASON,
    KEYS,
];

fn main() -> Result<(), Box<dyn Error>> {
    let corpora = std::env::args_os().nth(1);
    let corpora = PathBuf::from(corpora.ok_or("name the folder for the corpora")?);
    let seed = |target: &str, name: &str, bytes: &[u8]| {
        fs::create_dir_all(corpora.join(target))?;
        fs::write(corpora.join(target).join(name), bytes)
    };
    for event in events::events() {
        let input = [event.kind().as_bytes(), b"\n", &event.body()].concat();
        seed("event", event.kind(), &input)?;
    }
    let (whole, season) = (archives::members(), archives::members_of_season());
    seed("archive", "whole", &archives::archive(&whole))?;
    seed("archive", "season", &archives::archive(&season))?;
    seed("archive", "swollen", &archives::swollen())?;
    seed("members", "whole", &pieces(&whole)?)?;
    seed("members", "season", &pieces(&season)?)?;
    for (member, bytes) in whole {
        seed("members", member, &pieces(&[(member, bytes)])?)?;
    }
    Ok(())
}

/// Members as the target takes them.
fn pieces(members: &[(&str, Vec<u8>)]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut input = Vec::new();
    for (member, bytes) in members {
        let number = MEMBERS.iter().position(|known| known == member);
        input.push(u8::try_from(number.ok_or("no such member")?)?);
        input.extend(u16::try_from(bytes.len())?.to_le_bytes());
        input.extend(bytes);
    }
    Ok(input)
}
