//! The members of archives that were signed: the file is opened, and what is read of it and written again
//! is read as the same.
//!
//! An input is pieces, each with the number of its member in one byte, its length in two, and its bytes. They
//! get the container and the signature that a fuzzer would not find.

#![no_main]

use std::collections::BTreeMap;

use farmops_ledger::archive::{
    CHECKPOINTS, FormatError, KEYS, LAYOUT, LEDGER, Opened, SEASON, SNAPSHOT, VILLAGES, Writer,
};
use farmops_protocol::{digest::sha256, key::SecretKey, log::TreeHead, time::Timestamp};
use libfuzzer_sys::fuzz_target;

/// In the order of their numbers.
const MEMBERS: [&str; 7] = [
    LEDGER,
    CHECKPOINTS,
    SNAPSHOT,
    VILLAGES,
    LAYOUT,
    SEASON,
    KEYS,
];

fuzz_target!(
    // A layout catches what panics inside of Automerge; only what gets out is a fault.
    init: std::panic::set_hook(Box::new(|_| ())),
    |input: &[u8]| {
        let file = signed(&pieces(input)).expect("pieces are short");
        let archive = Opened::read(&file[..]).expect("what was signed is opened");
        let _ = archive.read_through();
        let Ok(read) = read(&archive) else {
            return;
        };
        let written = written(&archive).expect("what was read is written");
        let again = Opened::read(&written[..]).expect("and opened again");
        assert!(self::read(&again).ok() == Some(read), "the same again");
    }
);

/// The first piece of each member; a ledger is always there.
fn pieces(mut input: &[u8]) -> BTreeMap<&'static str, &[u8]> {
    let mut pieces = BTreeMap::new();
    while let [member, low, high, rest @ ..] = input {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (piece, after) = rest.split_at(length);
        let member = MEMBERS[usize::from(*member) % MEMBERS.len()];
        pieces.entry(member).or_insert(piece);
        input = after;
    }
    pieces.entry(LEDGER).or_default();
    pieces
}

fn signed(pieces: &BTreeMap<&str, &[u8]>) -> Result<Vec<u8>, FormatError> {
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file, Timestamp::from_second(0).expect("a time"));
    for (member, piece) in pieces {
        writer.text(member, piece)?;
    }
    let lines = pieces[LEDGER].split(|byte| *byte == b'\n');
    let head = TreeHead {
        size: lines.filter(|line| !line.is_empty()).count() as u64,
        root: sha256(b"root"),
    };
    writer.end(head, &SecretKey::from_bytes([9; 32]))?;
    Ok(file)
}

/// Everything that an archive says.
fn read(archive: &Opened) -> Result<String, FormatError> {
    let lines = archive.lines()?.collect::<Result<Vec<_>, _>>()?;
    let heads = archive.heads()?.collect::<Result<Vec<_>, _>>()?;
    let secret = archive.keys()?.map(|keys| keys.farm_secret);
    let (told, extent) = (archive.told()?, archive.extent()?);
    Ok(format!(
        "{lines:?} {heads:?} {told:?} {extent:?} {secret:?}"
    ))
}

/// The same in another file.
fn written(archive: &Opened) -> Result<Vec<u8>, FormatError> {
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file, archive.manifest.created_at);
    let mut lines = Vec::new();
    for line in archive.lines()? {
        lines.extend(line?.to_bytes()?);
    }
    writer.text(LEDGER, &lines)?;
    let mut heads = Vec::new();
    for head in archive.heads()? {
        heads.extend(head?.to_bytes()?);
    }
    writer.text(CHECKPOINTS, &heads)?;
    let told = archive.told()?;
    if let Some(snapshot) = &told.snapshot {
        writer.json(SNAPSHOT, snapshot)?;
    }
    writer.json(VILLAGES, &told.villages)?;
    if let Some(layout) = &told.layout {
        writer.text(LAYOUT, layout)?;
    }
    if let Some(extent) = archive.extent()? {
        writer.json(SEASON, &extent)?;
    }
    let farm_key = SecretKey::from_bytes([9; 32]);
    if let Some(keys) = archive.keys()? {
        writer.keys(&farm_key, &keys.farm_secret)?;
    }
    writer.end(archive.manifest.head(), &farm_key)?;
    Ok(file)
}
