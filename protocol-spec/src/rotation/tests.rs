//! Histories of keys over whole chains; single documents are judged by the vectors.

#![allow(clippy::unwrap_used)]

use super::*;

const AGENT: Uuid = Uuid::from_u128(1);

fn now() -> Timestamp {
    "2026-02-21T09:30:00Z".parse().unwrap()
}

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_bytes([seed; 32])
}

fn head(number: u8) -> ChainHead {
    ChainHead {
        hash: crate::digest::sha256(&[number]),
        length: u32::from(number).into(),
        proof_id: Uuid::from_u128(u128::from(number)),
        timestamp: now(),
    }
}

fn rotation(old: u8, new: u8, head: Option<&ChainHead>) -> ParsedKeyRotation {
    let bytes = KeyRotation::sign(AGENT, head, &secret(old), &secret(new), now()).unwrap();
    assert!(crate::canonical::is_canonical(&bytes, 2));
    ParsedKeyRotation::parse(&bytes).unwrap()
}

#[test]
fn each_key_signs_from_the_place_of_its_rotation() {
    let mut history = KeyHistory::new(AGENT, secret(1).public());
    history.rotate(rotation(1, 2, None), None, 0).unwrap();
    let third = head(3);
    history
        .rotate(rotation(2, 4, Some(&third)), Some(&third), 3)
        .unwrap();
    for (place, seed) in [(0, 2), (2, 2), (3, 4), (u64::MAX, 4)] {
        assert_eq!(history.key_at(place), &secret(seed).public(), "{place}");
    }
    assert_eq!(history.current(), &secret(4).public());
}

#[test]
fn a_key_that_was_replaced_neither_signs_nor_comes_back() {
    let mut history = KeyHistory::new(AGENT, secret(1).public());
    let first = rotation(1, 2, None);
    history.rotate(first.clone(), None, 0).unwrap();
    for (again, field) in [
        (first, "new_key"),
        (rotation(1, 3, None), "signature"),
        (rotation(2, 1, None), "new_key"),
    ] {
        let before = history.clone();
        let Err(RotationError::Invalid(refusal)) = history.rotate(again, None, 0) else {
            panic!("taken up");
        };
        assert_eq!(refusal.field, field);
        assert_eq!(history, before);
    }
}

#[test]
fn a_rotation_made_at_another_head_is_refused() {
    let (named, actual) = (head(3), head(4));
    let mut history = KeyHistory::new(AGENT, secret(1).public());
    let refused = history.rotate(rotation(1, 2, Some(&named)), Some(&actual), 4);
    assert_eq!(refused, Err(RotationError::Head(ChainError::NotTheHead)));
    assert_eq!(history.current(), &secret(1).public());
}
