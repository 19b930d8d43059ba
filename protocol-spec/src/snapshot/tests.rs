//! Laws of the snapshot beside the vectors: what is tolerated, what is never signed, when a season turns.

#![allow(clippy::unwrap_used)]

use super::*;

const METHOD: &str = "https://farm.example/ap/actor#farm-key";

fn key() -> SecretKey {
    SecretKey::from_bytes([9; 32])
}

fn post() -> Post {
    Post {
        id: "https://farm.example/ap/snapshots/1".into(),
        attributed_to: "https://farm.example/ap/actor".into(),
        published: "2026-02-21T09:30:00Z".parse().unwrap(),
        to: vec![],
        cc: vec![],
        url: "https://farm.example/farm".into(),
        content: "<p>A farm</p>".into(),
        attachment: vec![],
    }
}

fn snapshot() -> Snapshot {
    Snapshot {
        farmer_key: key().public(),
        season: "2026-Q1".into(),
        sequence: 1_u32.into(),
        total_coins: 10_u32.into(),
        current_coins: 10_u32.into(),
        streak_days: 1_u32.into(),
        level: 1_u32.into(),
        upgrades: vec![],
        category_totals: vec![],
        league_totals: vec![],
        achievements: vec![],
        checkpoint: String::new(),
    }
}

#[test]
fn what_would_be_refused_is_not_signed() {
    let signing = |snapshot: &Snapshot, method: &str| sign(&post(), snapshot, &key(), method);
    assert!(signing(&snapshot(), METHOD).is_ok());
    let richer = Snapshot {
        current_coins: 11_u32.into(),
        ..snapshot()
    };
    assert_eq!(
        signing(&richer, METHOD).unwrap_err().field,
        "farm:currentCoins"
    );
    let other = Snapshot {
        farmer_key: SecretKey::from_bytes([8; 32]).public(),
        ..snapshot()
    };
    assert_eq!(signing(&other, METHOD).unwrap_err().field, "farm:farmerKey");
    let method = "https://farm.example/ap/instance#farm-key";
    assert_eq!(
        signing(&snapshot(), method).unwrap_err().field,
        "proof.verificationMethod"
    );
}

/// `SNP-EXT-001`
#[test]
fn an_unknown_member_is_kept_where_it_is_signed() {
    let mut object = sign(&post(), &snapshot(), &key(), METHOD)
        .unwrap()
        .value()
        .clone();
    object["farm:guild"] = json!("growers");
    let signed = integrity::sign(&object, &key(), METHOD, post().published).unwrap();
    let read = SnapshotDocument::from_value(signed.clone()).unwrap();
    let verified = read.verify(&key().public()).unwrap();
    assert_eq!(verified.value(), &signed);
    let stored = SnapshotDocument::parse(&verified.to_bytes()).unwrap();
    assert!(stored.verify(&key().public()).is_ok());
}

/// `SNP-FORM-002`: white space does not count, and cannot hide what does.
#[test]
fn the_length_that_counts_is_the_canonical_one() {
    let long = Post {
        content: "x".repeat(SNAPSHOT_BYTES_MAX),
        ..post()
    };
    assert_eq!(
        sign(&long, &snapshot(), &key(), METHOD).unwrap_err().field,
        "$"
    );
}

#[test]
fn a_season_is_a_quarter() {
    for (time, season) in [
        ("2026-01-01T00:00:00Z", "2026-Q1"),
        ("2026-03-31T23:59:59Z", "2026-Q1"),
        ("2026-04-01T00:00:00Z", "2026-Q2"),
        ("2026-09-30T23:59:59Z", "2026-Q3"),
        ("2026-12-31T23:59:59Z", "2026-Q4"),
    ] {
        assert_eq!(season_of(time.parse().unwrap()), season);
        assert!(is_season(season));
    }
}
