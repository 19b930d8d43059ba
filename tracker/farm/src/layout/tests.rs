//! Tests of the layout: edits, devices that work apart, and documents that mean harm.

#![allow(clippy::unwrap_used)]

use farmops_protocol::digest::sha256;
use farmops_protocol::time::Timestamp;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    arrangement::{pieces, tests::check},
    catalogue::Catalogue,
};

mod damage;

fn now() -> Timestamp {
    "2026-02-21T09:30:00Z".parse().unwrap()
}

fn piece(text: &str) -> Instance {
    text.parse().unwrap()
}

fn at(x: u8, y: u8) -> Cell {
    Cell { x, y }
}

fn have(list: &[(&str, u64)]) -> Vec<Owned> {
    list.iter()
        .map(|(slug, level)| Owned {
            slug: (*slug).to_owned(),
            level: *level,
        })
        .collect()
}

fn some() -> Vec<Owned> {
    have(&[
        ("barn", 1),
        ("well", 2),
        ("beehives", 2),
        ("bench", 1),
        ("fence", 3),
        ("windmill", 1),
        ("fountain", 1),
    ])
}

fn farm(owned: &[Owned]) -> Farm<'_> {
    Farm { owned, level: 9 }
}

fn cell_of(layout: &Layout, owned: &[Owned], instance: &str) -> Option<Cell> {
    let view = layout.view(owned, 9);
    view.find(&piece(instance)).map(|placed| placed.cell)
}

#[test]
fn a_new_layout_shows_what_was_seen_before() {
    let owned = some();
    assert_eq!(
        Layout::new([1; 16]).view(&owned, 9),
        Arrangement::usual(&owned, 9)
    );
}

#[test]
fn things_are_moved_put_away_named_and_put_back() {
    let owned = some();
    let farm = farm(&owned);
    let mut layout = Layout::new([1; 16]);
    let barn = piece("barn.1");
    layout.place(farm, &barn, at(9, 0), now()).unwrap();
    layout.place(farm, &barn, at(10, 0), now()).unwrap();
    assert_eq!(cell_of(&layout, &owned, "barn.1"), Some(at(10, 0)));
    layout.rename(farm, &barn, "  Old Red ", now()).unwrap();
    let named = layout.view(&owned, 9);
    assert_eq!(named.find(&barn).unwrap().name.as_deref(), Some("Old Red"));
    layout.remove(farm, &barn, now()).unwrap();
    assert_eq!(cell_of(&layout, &owned, "barn.1"), None);
    let stored = layout.view(&owned, 9);
    assert_eq!(
        stored.shed().first().unwrap().name.as_deref(),
        Some("Old Red")
    );
    let before = layout.len();
    layout.remove(farm, &barn, now()).unwrap();
    assert_eq!(layout.len(), before, "what is so already is no change");
    layout.rename(farm, &barn, "", now()).unwrap();
    layout.reset(farm, &barn, now()).unwrap();
    assert_eq!(layout.view(&owned, 9), Arrangement::usual(&owned, 9));
}

#[test]
fn edits_that_cannot_be_are_refused_with_a_reason() {
    let owned = some();
    let farm = farm(&owned);
    let mut layout = Layout::new([1; 16]);
    let barn = piece("barn.1");
    let mut place = |instance: &str, x, y| {
        layout
            .place(farm, &piece(instance), at(x, y), now())
            .map_err(|error| (error.code(), error.to_string()))
            .unwrap_err()
    };
    for (instance, x, y, code, sentence) in [
        (
            "silo.1",
            9,
            0,
            "not-owned",
            "There is no silo.1 on this farm to be placed.",
        ),
        (
            "barn.2",
            9,
            0,
            "not-owned",
            "There is no barn.2 on this farm to be placed.",
        ),
        (
            "fence.1",
            9,
            0,
            "not-owned",
            "There is no fence.1 on this farm to be placed.",
        ),
        (
            "barn.1",
            19,
            0,
            "off-the-grid",
            "That is off the land: this farm has 22 by 22 cells.",
        ),
        (
            "barn.1",
            255,
            255,
            "off-the-grid",
            "That is off the land: this farm has 22 by 22 cells.",
        ),
        (
            "barn.1",
            2,
            2,
            "reserved",
            "House and fields stay where they are.",
        ),
        (
            "bench.1",
            9,
            9,
            "reserved",
            "House and fields stay where they are.",
        ),
        ("bench.1", 5, 11, "taken", "Well stands there already."),
    ] {
        assert_eq!(
            place(instance, x, y),
            (code, sentence.to_owned()),
            "{instance}"
        );
    }
    let name = |layout: &mut Layout, name: &str| layout.rename(farm, &barn, name, now());
    assert_eq!(
        name(&mut layout, &"x".repeat(41)),
        Err(EditError::NameTooLong)
    );
    assert_eq!(name(&mut layout, "a\u{202e}b"), Err(EditError::NameForm));
    assert_eq!(name(&mut layout, "a\nb"), Err(EditError::NameForm));
    assert!(layout.is_empty());
    assert_eq!(name(&mut layout, &"ü".repeat(40)), Ok(()));
}

#[test]
fn the_same_edits_give_the_same_bytes() {
    let owned = some();
    let edited = || {
        let mut layout = Layout::new([7; 16]);
        layout
            .place(farm(&owned), &piece("barn.1"), at(9, 0), now())
            .unwrap();
        layout
            .rename(farm(&owned), &piece("well.1"), "Deep", now())
            .unwrap();
        layout.save()
    };
    assert_eq!(edited(), edited());
    let mut again = Layout::load(&edited(), [8; 16]).unwrap();
    assert_eq!(again.save(), edited());
    assert_eq!(again.len(), 2);
}

#[test]
fn two_devices_that_want_the_same_ground_agree_who_has_it() {
    let owned = some();
    let farm = farm(&owned);
    let mut phone = Layout::new([1; 16]);
    let mut laptop = Layout::new([2; 16]);
    phone
        .place(farm, &piece("well.1"), at(10, 6), now())
        .unwrap();
    laptop
        .place(farm, &piece("fountain.1"), at(10, 6), now())
        .unwrap();
    laptop
        .place(farm, &piece("bench.1"), at(0, 21), now())
        .unwrap();
    let (from_phone, from_laptop) = (phone.changes_since(&[]), laptop.save());
    assert_eq!(phone.merge(&from_laptop), Ok(true));
    assert_eq!(laptop.merge(&from_phone), Ok(true));
    assert_eq!(laptop.merge(&from_phone), Ok(false));
    assert_eq!(phone.heads(), laptop.heads());
    let view = phone.view(&owned, 9);
    assert_eq!(view, laptop.view(&owned, 9));
    check(&view, &owned, 9);
    assert_eq!(cell_of(&phone, &owned, "well.1"), Some(at(10, 6)));
    assert_ne!(cell_of(&phone, &owned, "fountain.1"), Some(at(10, 6)));
    assert_eq!(cell_of(&phone, &owned, "bench.1"), Some(at(0, 21)));
}

#[test]
fn only_what_the_other_side_lacks_is_sent() {
    let owned = some();
    let mut layout = Layout::new([1; 16]);
    layout
        .place(farm(&owned), &piece("barn.1"), at(9, 0), now())
        .unwrap();
    let mut other = Layout::load(&layout.save(), [2; 16]).unwrap();
    let heads = other.heads();
    layout
        .place(farm(&owned), &piece("bench.1"), at(0, 21), now())
        .unwrap();
    let news = layout.changes_since(&heads);
    assert!(news.len() < layout.changes_since(&[]).len());
    assert_eq!(
        Layout::load(&news, [3; 16]).unwrap_err(),
        LayoutError::MissingChanges
    );
    assert_eq!(other.merge(&news), Ok(true));
    assert_eq!(other.heads(), layout.heads());
    let unknown = [sha256(b"nobody has this")];
    assert_eq!(layout.changes_since(&unknown), layout.changes_since(&[]));
}

#[test]
fn a_rewritten_layout_looks_the_same_and_is_small() {
    let owned = some();
    let mut layout = Layout::new([1; 16]);
    for step in 0..30 {
        layout
            .place(farm(&owned), &piece("bench.1"), at(step % 8, 21), now())
            .unwrap();
    }
    layout
        .rename(farm(&owned), &piece("barn.1"), "Old Red", now())
        .unwrap();
    layout
        .remove(farm(&owned), &piece("windmill.1"), now())
        .unwrap();
    let fresh = layout.rewritten(farm(&owned), [2; 16], now());
    assert_eq!(fresh.view(&owned, 9), layout.view(&owned, 9));
    assert_eq!((layout.len(), fresh.len()), (32, 1));
}

#[derive(Debug, Clone)]
enum Step {
    Place(usize, usize, u8, u8),
    Remove(usize, usize),
    Reset(usize, usize),
    Rename(usize, usize, String),
    Merge(usize, usize),
    Send(usize, usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    let (who, what) = (0..3_usize, 0..12_usize);
    prop_oneof![
        16 => (who.clone(), what.clone(), 8..16_u8, 0..5_u8).prop_map(|(w, p, x, y)| Step::Place(w, p, x, y)),
        1 => (who.clone(), what.clone()).prop_map(|(w, p)| Step::Remove(w, p)),
        1 => (who.clone(), what.clone()).prop_map(|(w, p)| Step::Reset(w, p)),
        1 => (who.clone(), what, "[a-z]{0,5}").prop_map(|(w, p, n)| Step::Rename(w, p, n)),
        2 => (who.clone(), who.clone()).prop_map(|(a, b)| Step::Merge(a, b)),
        1 => (who.clone(), who).prop_map(|(a, b)| Step::Send(a, b)),
    ]
}

fn run(step: &Step, devices: &mut [Layout], owned: &[Owned]) {
    let (farm, all) = (farm(owned), pieces(owned));
    let named = |index: usize| all[index % all.len()].instance.clone();
    // Whether an edit is refused is not of interest here, only what comes of those that are not.
    let _ = match step {
        Step::Place(who, what, x, y) => devices[*who].place(farm, &named(*what), at(*x, *y), now()),
        Step::Remove(who, what) => devices[*who].remove(farm, &named(*what), now()),
        Step::Reset(who, what) => devices[*who].reset(farm, &named(*what), now()),
        Step::Rename(who, what, name) => devices[*who].rename(farm, &named(*what), name, now()),
        Step::Merge(from, to) => {
            let bytes = devices[*from].save();
            devices[*to].merge(&bytes).unwrap();
            Ok(())
        }
        Step::Send(from, to) => {
            let heads = devices[*to].heads();
            let bytes = devices[*from].changes_since(&heads);
            devices[*to].merge(&bytes).unwrap();
            Ok(())
        }
    };
}

fn everything() -> Vec<Owned> {
    Catalogue::builtin()
        .items()
        .iter()
        .map(|item| Owned {
            slug: item.slug.clone(),
            level: item.level_max(),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn devices_that_edit_apart_converge(steps in vec(any_step(), 0..40), crowded in any::<bool>()) {
        let owned = if crowded { everything() } else { some() };
        let mut devices: Vec<Layout> = (1..=3).map(|n| Layout::new([n; 16])).collect();
        for step in &steps {
            run(step, &mut devices, &owned);
            for device in &devices {
                check(&device.view(&owned, 9), &owned, 9);
            }
        }
        for (from, to) in [(0, 1), (1, 2), (2, 0), (2, 1)] {
            let bytes = devices[from].save();
            devices[to].merge(&bytes).unwrap();
        }
        let heads = devices[0].heads();
        let view = devices[0].view(&owned, 9);
        for device in &mut devices {
            prop_assert_eq!(device.heads(), heads.clone());
            prop_assert_eq!(&device.view(&owned, 9), &view);
            // A farm that has lost things and land since shows what is left.
            check(&device.view(&some(), 2), &some(), 2);
            let again = Layout::load(&device.save(), [9; 16]).unwrap();
            prop_assert_eq!(&again.view(&owned, 9), &view);
        }
    }
}
