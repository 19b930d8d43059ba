//! Archives of a small farm; the seeds of the fuzz targets are these as well.

use farmops_farm::layout::Layout;
use farmops_ledger::archive::{
    CHECKPOINTS, Checkpointed, Extent, KEYS, LAYOUT, LEDGER, LastSnapshot, Line, Member,
    Membership, SEASON, SNAPSHOT, VILLAGES, Writer,
};
use farmops_protocol::{digest::sha256, key::SecretKey, log::TreeHead, time::Timestamp};
use serde_json::{json, value::RawValue};

use super::events::events;

/// Bytes that a header has, and that the contents of a member are filled up to.
pub(crate) const BLOCK: usize = 512;

pub(crate) fn farm_key() -> SecretKey {
    SecretKey::from_bytes([9; 32])
}

fn now() -> Timestamp {
    "2026-02-20T09:31:00Z".parse().unwrap()
}

fn head() -> TreeHead {
    TreeHead {
        size: events().len() as u64,
        root: sha256(b"root"),
    }
}

fn ledger() -> Vec<u8> {
    let lines = (1..).zip(events()).map(|(position, event)| {
        let body = String::from_utf8(event.body().into_owned()).unwrap();
        let line = Line {
            position,
            kind: event.kind().to_owned(),
            recorded_at: now(),
            body: RawValue::from_string(body).unwrap(),
        };
        line.to_bytes().unwrap()
    });
    lines.flatten().collect()
}

/// The members of a whole farm, keys included.
pub(crate) fn members() -> Vec<(&'static str, Vec<u8>)> {
    let head = head();
    let signed = Checkpointed {
        size: head.size,
        root: head.root,
        note: "alice.example/log\n18\n".to_owned(),
        signed_at: now(),
    };
    let snapshot = LastSnapshot {
        sequence: 3,
        object_id: "https://alice.example/snapshots/3".to_owned(),
        ledger_position: 12,
        published_at: now(),
        document: RawValue::from_string("{\"sequence\":3}".to_owned()).unwrap(),
    };
    let villages = [Member {
        url: "https://orchard.example".to_owned(),
        actor: "https://orchard.example/actor".to_owned(),
        account: "alice".to_owned(),
        status: Membership::Active,
        home: true,
        joined_at: now(),
        place: Some("https://orchard.example/members/1".to_owned()),
    }];
    let keys = json!({
        "farm_key": "09".repeat(32),
        "farm_secret": "07".repeat(32),
    });
    vec![
        (LEDGER, ledger()),
        (CHECKPOINTS, signed.to_bytes().unwrap()),
        (SNAPSHOT, serde_json::to_vec_pretty(&snapshot).unwrap()),
        (VILLAGES, serde_json::to_vec_pretty(&villages).unwrap()),
        (LAYOUT, Layout::new([7; 16]).save()),
        (KEYS, serde_json::to_vec_pretty(&keys).unwrap()),
    ]
}

/// The members of the archive of one season.
pub(crate) fn members_of_season() -> Vec<(&'static str, Vec<u8>)> {
    let extent = Extent {
        season: "2026-Q1".to_owned(),
        entries: 1,
        first: 6,
        last: 6,
    };
    let ledger = ledger();
    let proof = ledger
        .split_inclusive(|byte| *byte == b'\n')
        .nth(5)
        .unwrap();
    vec![
        (LEDGER, proof.to_vec()),
        (SEASON, serde_json::to_vec_pretty(&extent).unwrap()),
    ]
}

/// An archive of these members.
pub(crate) fn archive(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file, now());
    for (member, bytes) in members {
        writer.text(member, bytes).unwrap();
    }
    writer.end(head(), &farm_key()).unwrap();
    file
}

/// An archive whose ledger is a mebibyte of zeros that are not in the file: its header says of what size the
/// hole is.
pub(crate) fn swollen() -> Vec<u8> {
    const ZEROS: usize = 1024 * 1024;
    let mut file = archive(&[(LEDGER, vec![0; ZEROS])]);
    file.drain(BLOCK..BLOCK + ZEROS);
    let header = &mut file[..BLOCK];
    header[124..136].copy_from_slice(b"00000000000\0");
    header[156] = b'S';
    header[257..265].copy_from_slice(b"ustar  \0");
    header[345..].fill(0);
    let size = format!("{ZEROS:011o}\0");
    // The hole up to the first piece, which is empty; then the size of it all.
    header[386..398].copy_from_slice(size.as_bytes());
    header[398..410].copy_from_slice(b"00000000000\0");
    header[483..495].copy_from_slice(size.as_bytes());
    sum(header);
    file
}

/// Writes the checksum of a header.
pub(crate) fn sum(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
