//! Tests with documents that mean harm, are too large, or are damaged.

use std::sync::LazyLock;

use automerge::{ObjType, transaction::Transactable};
use farmops_protocol::digest::sha256;
use proptest::{collection::vec, prelude::*};

use super::{super::*, at, cell_of, everything, farm, now, piece, some};
use crate::arrangement::{pieces, tests::check};

#[test]
fn a_document_that_means_harm_changes_nothing_that_is_not_owned() {
    let owned = some();
    let mut hostile = AutoCommit::new().with_actor(ActorId::from([9; 16]));
    hostile.put(ROOT, "at:lighthouse.1", "9,0").unwrap();
    hostile.put(ROOT, "at:barn.2", "9,0").unwrap();
    hostile.put(ROOT, "at:barn.1", 7_i64).unwrap();
    hostile
        .put(ROOT, "at:well.1", "-1,999999999999999999999")
        .unwrap();
    hostile.put(ROOT, "at:bench.1", "2,2").unwrap();
    hostile
        .put(ROOT, "name:barn.1", "x".repeat(100_000))
        .unwrap();
    hostile.put(ROOT, "name:well.1", "<script>\u{0}").unwrap();
    hostile.put(ROOT, "__proto__", "x").unwrap();
    let nested = hostile
        .put_object(ROOT, "at:fountain.1", ObjType::Map)
        .unwrap();
    hostile.put(&nested, "at:fountain.1", "1,1").unwrap();
    let text = hostile
        .put_object(ROOT, "name:fountain.1", ObjType::Text)
        .unwrap();
    hostile.splice_text(&text, 0, 0, "Text").unwrap();
    let mut layout = Layout::new([1; 16]);
    layout
        .place(farm(&owned), &piece("windmill.1"), at(13, 0), now())
        .unwrap();
    layout.merge(&hostile.save()).unwrap();
    let view = layout.view(&owned, 9);
    check(&view, &owned, 9);
    assert_eq!(cell_of(&layout, &owned, "windmill.1"), Some(at(13, 0)));
    assert!(view.placed().iter().all(|placed| placed.name.is_none()));
}

#[test]
fn too_much_is_refused_and_leaves_no_trace() {
    let mut layout = Layout::new([1; 16]);
    let owned = some();
    layout
        .place(farm(&owned), &piece("bench.1"), at(0, 21), now())
        .unwrap();
    let before = layout.save();
    let mut refuse = |bytes: &[u8], error| {
        assert_eq!(layout.merge(bytes), Err(error));
        assert_eq!(layout.save(), before);
    };
    refuse(&vec![0; LAYOUT_BYTES_MAX + 1], LayoutError::TooLarge);
    refuse(b"not a layout", LayoutError::Malformed);
    refuse(&before[..before.len() - 1], LayoutError::Malformed);
    // A text of 5 MB that deflates to a few kilobytes.
    let mut bomb = AutoCommit::new().with_actor(ActorId::from([9; 16]));
    bomb.put(ROOT, "name:barn.1", "x".repeat(5_000_000))
        .unwrap();
    let bomb = bomb.save();
    assert!(bomb.len() < LAYOUT_BYTES_MAX);
    refuse(&bomb, LayoutError::TooLarge);
}

#[test]
fn a_full_layout_takes_no_edit_until_it_is_rewritten() {
    let owned = some();
    let mut layout = Layout::new([1; 16]);
    layout.changes = CHANGES_MAX;
    let bench = piece("bench.1");
    let refused = layout.place(farm(&owned), &bench, at(0, 21), now());
    assert_eq!(refused, Err(EditError::Full));
    let mut fresh = layout.rewritten(farm(&owned), [2; 16], now());
    assert_eq!(fresh.place(farm(&owned), &bench, at(0, 21), now()), Ok(()));
}

#[test]
fn the_last_change_that_fits_is_taken_and_the_next_is_not() {
    let mut device = AutoCommit::new().with_actor(ActorId::from([9; 16]));
    for step in 0..CHANGES_MAX {
        device
            .put(ROOT, "at:bench.1", format!("0,{}", step % 22))
            .unwrap();
        device.commit();
    }
    let full = device.save();
    let mut layout = Layout::load(&full, [1; 16]).unwrap();
    assert_eq!(layout.len(), CHANGES_MAX);
    device.put(ROOT, "at:bench.1", "shed").unwrap();
    device.commit();
    assert_eq!(layout.merge(&device.save()), Err(LayoutError::TooLarge));
    let last = device.get_last_local_change().unwrap();
    assert_eq!(layout.merge(last.raw_bytes()), Err(LayoutError::TooLarge));
    assert_eq!(layout.len(), CHANGES_MAX);
}

/// A change of one column in which one run claims `count` operations.
fn run_of(count: i64) -> Vec<u8> {
    let mut run = Vec::new();
    let mut left = count;
    loop {
        let byte = u8::try_from(left & 0x7f).unwrap();
        left >>= 7;
        let last = left == 0 && byte & 0x40 == 0;
        run.push(if last { byte } else { byte | 0x80 });
        if last {
            break;
        }
    }
    // Delete the same key again and again: action 3.
    run.push(3);
    let mut body = vec![0, 1, 9, 1, 1, 0, 0, 0, 1, 0x42];
    body.push(u8::try_from(run.len()).unwrap());
    body.extend(run);
    chunk(1, &body)
}

/// A chunk with the checksum that its body should have.
fn chunk(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut length = Vec::new();
    let mut left = body.len();
    while left >= 0x80 {
        length.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
        left >>= 7;
    }
    length.push(u8::try_from(left).unwrap());
    let hashed = [&[kind], length.as_slice(), body].concat();
    let digest = sha256(&hashed);
    [&[0x85, 0x6f, 0x4a, 0x83], &digest.as_bytes()[..4], &hashed].concat()
}

#[test]
fn a_run_that_claims_a_billion_operations_is_counted_not_expanded() {
    for count in [1 << 30, i64::MAX] {
        let error = Layout::load(&run_of(count), [1; 16]).unwrap_err();
        assert_eq!(error, LayoutError::TooLarge);
    }
    // A short one gets as far as the decoder, which finds that it has no keys.
    assert_ne!(
        Layout::load(&run_of(3), [1; 16]).err(),
        Some(LayoutError::TooLarge)
    );
}

fn grown() -> (Vec<u8>, Vec<u8>) {
    let owned = some();
    let mut layout = Layout::new([1; 16]);
    for (nth, piece) in (0_u8..).zip(pieces(&owned)) {
        let _ = layout.place(farm(&owned), &piece.instance, at(nth % 22, 21), now());
        let _ = layout.rename(farm(&owned), &piece.instance, "Name", now());
    }
    (layout.save(), layout.changes_since(&[]))
}

/// Changes bytes of a chunk's body and puts its checksum right, so that they reach the decoder.
fn mutated(bytes: &[u8], edits: &[(usize, u8, u8)]) -> Vec<u8> {
    let kind = bytes[8];
    let header = 9 + bytes[9..].iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    let mut body = bytes[header..].to_vec();
    for (place, value, how) in edits {
        let place = place % body.len().max(1);
        match how % 4 {
            0 => body.insert(place, *value),
            1 if body.len() > 1 => {
                body.remove(place);
            }
            2 => body.truncate(place.max(1)),
            _ => body[place] = *value,
        }
    }
    chunk(kind, &body)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_documents_are_refused_or_put_right(
        edits in vec((any::<usize>(), any::<u8>(), 3..8_u8), 1..4),
        whole in any::<bool>(),
    ) {
        static GROWN: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(grown);
        let bytes = if whole { &GROWN.0 } else { &GROWN.1 };
        let first = {
            let mut rest = &bytes[9..];
            let mut length = 0;
            let mut shift = 0;
            while let Some((byte, after)) = rest.split_first() {
                length |= usize::from(byte & 0x7f) << shift;
                (rest, shift) = (after, shift + 7);
                if byte & 0x80 == 0 {
                    break;
                }
            }
            bytes.len() - rest.len() + length
        };
        let damaged = mutated(&bytes[..first], &edits);
        // What was taken in stays good: it is seen, edited, saved and read again without a fault.
        if let Ok(mut layout) = Layout::load(&damaged, [2; 16]) {
            check(&layout.view(&everything(), 9), &everything(), 9);
            let _ = layout.place(farm(&some()), &piece("bench.1"), at(1, 7), now());
            let _ = layout.rename(farm(&some()), &piece("barn.1"), "New", now());
            let mut again = Layout::load(&layout.save(), [3; 16]).unwrap();
            prop_assert_eq!(again.view(&some(), 9), layout.view(&some(), 9));
            prop_assert_eq!(again.heads(), layout.heads());
        }
    }

    #[test]
    fn any_bytes_are_refused(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(bytes.is_empty() || Layout::load(&bytes, [1; 16]).is_err());
    }
}
