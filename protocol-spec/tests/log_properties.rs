//! What holds of every log, every proof and every text: what is made verifies, what was changed is refused.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use farmops_protocol::{
    checkpoint::{Checkpoint, leaf_hash},
    digest::{Digest, sha256},
    key::SecretKey,
    log::{
        Edge, Head, Layer, LogProof, Nodes, Opening, OpeningError, Part, Plan, TILE_WIDTH, Tile,
        TileSet, Tree, TreeHead, bundle,
        commitment::{Commitment, LoggedEvent, LoggedScore, Salt, SaltSource, commit},
        cosignature, new_tiles,
        note::SignedNote,
        verify_consistency, verify_inclusion,
    },
    time::Timestamp,
};
use proptest::{prelude::*, test_runner::Config};

fn leaf(n: u64) -> Digest {
    leaf_hash(&n.to_be_bytes())
}

fn log() -> &'static Tree {
    static LOG: std::sync::OnceLock<Tree> = std::sync::OnceLock::new();
    LOG.get_or_init(|| (0..70_000).map(leaf).collect())
}

fn head(size: u64) -> TreeHead {
    log().head_at(size).unwrap()
}

fn flipped(digest: Digest) -> Digest {
    let mut bytes = *digest.as_bytes();
    bytes[31] ^= 1;
    Digest::from_bytes(bytes)
}

/// Every proof that differs from `proof` in one hash, lacks one, or has one too many.
fn changed(proof: &[Digest]) -> Vec<Vec<Digest>> {
    let mut all = Vec::new();
    for at in 0..proof.len() {
        let mut other = proof.to_vec();
        other[at] = flipped(other[at]);
        all.push(other);
        let mut shorter = proof.to_vec();
        shorter.remove(at);
        all.push(shorter);
    }
    for at in 0..=proof.len() {
        let mut longer = proof.to_vec();
        longer.insert(at, leaf(0));
        all.push(longer);
    }
    all
}

#[test]
fn every_inclusion_proof_verifies_for_its_index_and_size_alone() {
    for size in 1..66 {
        for index in 0..size {
            let proof = Plan::inclusion(index, size).unwrap().hashes(log()).unwrap();
            verify_inclusion(&leaf(index), index, &head(size), &proof).unwrap();
            for other in (0..70).filter(|other| *other != index) {
                assert!(verify_inclusion(&leaf(index), other, &head(size), &proof).is_err());
            }
            for other in (0..70).filter(|other| *other != size) {
                // A head of another size has another root; the signature says which belong together.
                assert!(verify_inclusion(&leaf(index), index, &head(other), &proof).is_err());
            }
            for other in changed(&proof) {
                assert!(verify_inclusion(&leaf(index), index, &head(size), &other).is_err());
            }
        }
    }
}

#[test]
fn every_consistency_proof_verifies_for_its_sizes_alone() {
    for new in 0..40 {
        for old in 0..=new {
            let proof = Plan::consistency(old, new).unwrap().hashes(log()).unwrap();
            verify_consistency(&head(old), &head(new), &proof).unwrap();
            for other in changed(&proof) {
                assert!(verify_consistency(&head(old), &head(new), &other).is_err());
            }
            for root in [head(old + 1).root, flipped(head(old).root)] {
                let forked = TreeHead { size: old, root };
                assert!(
                    verify_consistency(&forked, &head(new), &proof).is_err(),
                    "{old} {new}"
                );
            }
            // From the empty log nothing is shown of the new root: whoever needs that has its signature.
            if old > 0 {
                let root = flipped(head(new).root);
                assert!(
                    verify_consistency(&head(old), &TreeHead { size: new, root }, &proof).is_err()
                );
            }
            for size in (1..44).filter(|size| *size != old && old > 0) {
                let other = TreeHead {
                    size,
                    root: head(old).root,
                };
                assert!(
                    verify_consistency(&other, &head(new), &proof).is_err(),
                    "{size} {old} {new}"
                );
            }
        }
    }
}

#[test]
fn an_edge_writes_every_tile_that_a_log_has() {
    let (mut edge, mut files) = (Edge::default(), std::collections::BTreeMap::new());
    let mut old = 0;
    for n in 0..70_000 {
        files.extend(edge.append(leaf(n)));
        if [1, 255, 256, 257, 65_535, 65_536, 65_537, 69_999].contains(&edge.size()) {
            files.extend(edge.partial());
            for tile in new_tiles(old, edge.size()) {
                assert_eq!(files[&tile], tile.write(log()).unwrap(), "{tile}");
            }
            old = edge.size();
        }
    }
    assert_eq!(edge.root(), head(70_000).root);
    // The example of the tiles' specification.
    let widths = |level| {
        let of_level = new_tiles(0, 70_000).filter(move |t| t.layer() == Layer::Hashes(level));
        let tiles: Vec<Tile> = of_level.collect();
        (tiles.len(), tiles.last().unwrap().width())
    };
    assert_eq!(
        [widths(0), widths(1), widths(2)],
        [(274, 112), (2, 17), (1, 1)]
    );
}

#[test]
fn an_edge_comes_back_from_its_partial_tiles() {
    let mut edge = Edge::default();
    for n in 0..66_000 {
        edge.append(leaf(n));
    }
    let mut rows = vec![Vec::new(); 8];
    for (tile, contents) in edge.partial() {
        let Layer::Hashes(level) = tile.layer() else {
            panic!("{tile}")
        };
        rows[usize::from(level)] = tile.read(&contents).unwrap();
    }
    assert_eq!(Edge::from_rows(66_000, rows.clone()).unwrap(), edge);
    assert!(Edge::from_rows(66_001, rows.clone()).is_err());
    rows[0].pop();
    assert!(Edge::from_rows(66_000, rows).is_err());
    assert_eq!(Edge::from_rows(0, vec![]).unwrap(), Edge::default());
}

/// Failures are shown, not kept in a file: a case worth keeping becomes a test with a name.
fn config(cases: u32) -> Config {
    Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(config(200))]

    /// A reader who fetches exactly the tiles that a plan names can make every proof.
    #[test]
    fn tiles_are_enough(size in 1..70_000_u64, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let (index, old) = (
            a.index(usize::try_from(size).unwrap()) as u64,
            b.index(usize::try_from(size).unwrap()) as u64,
        );
        for plan in [
            Plan::root(size),
            Plan::inclusion(index, size).unwrap(),
            Plan::consistency(old, size).unwrap(),
        ] {
            let mut fetched = TileSet::default();
            for tile in plan.tiles() {
                fetched.insert(tile, &tile.write(log()).unwrap()).unwrap();
            }
            prop_assert_eq!(plan.hashes(&fetched).unwrap(), plan.hashes(log()).unwrap());
            prop_assert_eq!(plan.len(), plan.hashes(log()).unwrap().len());
            for node in plan.nodes() {
                prop_assert!(TileSet::default().node(node).is_err());
            }
        }
    }

    #[test]
    fn no_plan_and_no_tile_overflows(a in any::<u64>(), b in any::<u64>()) {
        let (low, high) = (a.min(b), a.max(b));
        let consistency = Plan::consistency(low, high).unwrap();
        // One for each level, and the node that the way begins at.
        prop_assert!(consistency.len() <= 65);
        prop_assert!(Plan::root(high).tiles().len() <= 8);
        if low < high {
            prop_assert!(Plan::inclusion(low, high).unwrap().len() <= 64);
            prop_assert!(Plan::consistency(high, low).is_err());
        }
        prop_assert!(Plan::inclusion(high, low).is_err());
        for tile in consistency.tiles() {
            prop_assert!(tile.entries().end <= high);
        }
        let tree = TreeHead { size: high, root: leaf(0) };
        prop_assert!(verify_inclusion(&leaf(0), low, &tree, &[leaf(1); 70]).is_err());
    }

    #[test]
    fn a_path_is_a_path_or_a_refusal(text in "\\PC*", near in "tile/[0-9enris]{1,7}/[x0-9/.p]{0,60}") {
        for text in [text, near] {
            if let Ok(tile) = text.parse::<Tile>() {
                prop_assert_eq!(tile.to_string(), text);
            }
        }
    }

    #[test]
    fn contents_have_one_length(bytes in prop::collection::vec(any::<u8>(), 0..9000), width in 1..=TILE_WIDTH) {
        let tile = Tile::new(Layer::Hashes(0), 7, width).unwrap();
        prop_assert_eq!(tile.read(&bytes).is_ok(), bytes.len() == usize::from(width) * 32);
        let entries = tile.bundle().unwrap();
        if let Ok(read) = bundle::parse(&entries, &bytes) {
            prop_assert_eq!(bundle::write(&read), bytes);
        }
    }

    #[test]
    fn a_bundle_reads_back_and_any_other_length_byte_is_refused(
        seeds in prop::collection::vec(any::<[u8; 32]>(), 1..=256),
        at in any::<prop::sample::Index>(),
    ) {
        let entries: Vec<Digest> = seeds.into_iter().map(Digest::from_bytes).collect();
        let tile = Tile::new(Layer::Entries, 0, u16::try_from(entries.len()).unwrap()).unwrap();
        let mut bytes = bundle::write(&entries);
        prop_assert_eq!(bundle::parse(&tile, &bytes).unwrap(), entries.clone());
        let wrong = at.index(entries.len());
        bytes[wrong * 34 + 1] ^= 1;
        prop_assert_eq!(bundle::parse(&tile, &bytes).unwrap_err().field, format!("[{wrong}]"));
    }

    #[test]
    fn any_text_is_a_note_or_a_refusal(text in "(\\PC|\n|\u{2014} ){0,80}") {
        if let Ok(note) = SignedNote::parse(&text) {
            prop_assert_eq!(note.to_string(), text.clone());
        }
        if let Ok(head) = Head::parse(&text) {
            prop_assert_eq!(head.text(), text.clone());
        }
        if let Ok(proof) = LogProof::parse(&text) {
            prop_assert_eq!(proof.to_string(), text);
        }
    }

    #[test]
    fn any_bytes_are_an_event_a_score_an_opening_or_a_refusal(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(event) = LoggedEvent::parse(&bytes) {
            prop_assert_eq!(event.to_bytes(), bytes.clone());
        }
        if let Ok(Some(score)) = LoggedScore::parse(&bytes) {
            prop_assert_eq!(score.to_bytes(), bytes.clone());
        }
        if let Ok(opening) = Opening::parse(&bytes) {
            prop_assert_eq!(opening.to_bytes().unwrap(), bytes);
        }
    }

    #[test]
    fn a_commitment_opens_to_what_went_in_and_to_nothing_else(
        event in prop::collection::vec(any::<u8>(), 0..60),
        score in prop::collection::vec(any::<u8>(), 0..60),
        salts in any::<([u8; 32], [u8; 32])>(),
    ) {
        let (se, ss) = (Salt::from_bytes(salts.0), Salt::from_bytes(salts.1));
        let commitment = commit(&se, &event, &ss, &score);
        commitment.open_event(&se, &event).unwrap();
        commitment.open_score(&ss, &score).unwrap();
        let longer = [&event[..], &[0]].concat();
        prop_assert!(commitment.open_event(&se, &longer).is_err());
        prop_assert!(salts.0 == salts.1 || commitment.open_event(&ss, &event).is_err());
        // The halves cannot be swapped, even over the same bytes under the same salt.
        let same = commit(&se, &event, &se, &event);
        prop_assert_ne!(same.event, same.score);
        let swapped = Commitment { event: same.score, score: same.event };
        prop_assert_ne!(same.entry(), swapped.entry());
    }
}

#[test]
fn salts_differ_by_place_half_and_farm() {
    let (ours, others) = (SaltSource::new(*b"secret"), SaltSource::new(*b"Secret"));
    let all = [
        ours.event(0),
        ours.event(1),
        ours.score(0),
        ours.score(1),
        others.event(0),
    ];
    for (at, salt) in all.iter().enumerate() {
        assert!(!all[..at].contains(salt));
    }
    assert_eq!(format!("{ours:?} {:?}", all[0]), "SaltSource(…) Salt(…)");
}

/// A log of Alice's with one proof of work in it, and everything about it.
struct Alice {
    key: SecretKey,
    salts: SaltSource,
    tree: Tree,
    note: String,
}

const INDEX: u64 = 5;

fn alices_event() -> LoggedEvent<'static> {
    LoggedEvent {
        kind: "proof-accepted",
        recorded_at: "2026-02-21T09:30:00Z".parse().unwrap(),
        body: b"{\"a proof\":1}\nwith a line end",
    }
}

fn alices_score() -> LoggedScore {
    LoggedScore {
        coins: 42_u32.into(),
        rules: sha256(b"rules"),
    }
}

fn alice() -> Alice {
    let (key, salts) = (SecretKey::from_bytes([9; 32]), SaltSource::new(*b"secret"));
    let tree: Tree = (0..11)
        .map(|index| {
            let score = (index == INDEX).then(alices_score);
            salts.commit(index, &alices_event(), score.as_ref()).leaf()
        })
        .collect();
    let checkpoint = Checkpoint {
        origin: "farm.example/ledger".into(),
        size: tree.size(),
        root: tree.head_at(tree.size()).unwrap().root,
    };
    let note = Head::from(checkpoint).sign(&key).unwrap().to_string();
    Alice {
        key,
        salts,
        tree,
        note,
    }
}

fn score_shown(alice: &Alice) -> LogProof {
    let commitment = alice
        .salts
        .commit(INDEX, &alices_event(), Some(&alices_score()));
    let opening = Opening {
        event: Part::Closed {
            commitment: commitment.event,
        },
        score: Part::Open {
            bytes: alices_score().to_bytes(),
            salt: alice.salts.score(INDEX),
        },
    };
    LogProof {
        extra: Some(opening.to_bytes().unwrap()),
        index: INDEX,
        hashes: Plan::inclusion(INDEX, 11)
            .unwrap()
            .hashes(&alice.tree)
            .unwrap(),
        checkpoint: alice.note.clone(),
    }
}

#[test]
fn a_score_is_shown_without_its_event() {
    let alice = alice();
    let text = score_shown(&alice).to_string();
    let proof = LogProof::parse(&text).unwrap();
    let (opening, head) = proof.open(&alice.key.public()).unwrap();
    assert_eq!(head.checkpoint.size, 11);
    let Part::Open { bytes, .. } = &opening.score else {
        panic!("closed")
    };
    assert_eq!(LoggedScore::parse(bytes).unwrap(), Some(alices_score()));
    assert!(matches!(opening.event, Part::Closed { .. }));
    let stranger = SecretKey::from_bytes([8; 32]).public();
    assert!(matches!(
        proof.open(&stranger),
        Err(OpeningError::Malformed(_))
    ));
}

#[test]
fn no_letter_of_an_opened_score_can_be_changed() {
    let alice = alice();
    let text = score_shown(&alice).to_string();
    for (at, byte) in text.bytes().enumerate() {
        for other in [b'A', b'\n'] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = other;
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            if other == byte {
                continue;
            }
            let opened = LogProof::parse(&changed)
                .ok()
                .and_then(|p| p.open(&alice.key.public()).ok());
            assert!(opened.is_none(), "byte {at} as {}", char::from(other));
        }
    }
}

#[test]
fn a_witness_signs_the_head_and_the_time() {
    let alice = alice();
    let (_, mut note) = Head::open(&alice.note, &alice.key.public()).unwrap();
    let witness = SecretKey::from_bytes([5; 32]);
    let at = |second| Timestamp::from_second(second).unwrap();
    let name = "witness.example/w1";
    assert!(cosignature::verify(&note, name, &witness.public()).is_err());
    for second in [1_771_666_100, 1_771_666_200, 1_771_666_000] {
        note.push(cosignature::sign(&note, name, &witness, at(second)).unwrap());
    }
    let text = note.to_string();
    let (_, note) = Head::open(&text, &alice.key.public()).unwrap();
    assert_eq!(
        cosignature::verify(&note, name, &witness.public()).unwrap(),
        at(1_771_666_200)
    );
    assert!(cosignature::verify(&note, "witness.example/w2", &witness.public()).is_err());
    assert!(cosignature::verify(&note, name, &alice.key.public()).is_err());
    // A cosignature is none of the log's signatures, even by the same key under the same name.
    assert!(note.verify(name, &witness.public()).is_err());
    let other = SignedNote::parse(&text.replace("\n11\n", "\n12\n")).unwrap();
    assert!(cosignature::verify(&other, name, &witness.public()).is_err());
    assert!(cosignature::sign(&note, "two words", &witness, at(1)).is_err());
    assert!(cosignature::sign(&note, name, &witness, at(-1)).is_err());
}

#[test]
fn the_example_of_the_specification_verifies() {
    // c2sp.org/tlog-checkpoint and c2sp.org/tlog-cosignature show this note; its keys are not published,
    // so it is read and written again.
    let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let note = SignedNote::parse(text).unwrap();
    assert_eq!(note.to_string(), text);
    assert_eq!(
        Head::parse(note.text()).unwrap().checkpoint.size,
        20_852_163
    );
    assert_eq!(
        note.signatures()[1].signature()[..8],
        1_679_315_147_u64.to_be_bytes()
    );
}

#[test]
fn what_a_reader_would_refuse_is_not_signed() {
    let key = SecretKey::from_bytes([9; 32]);
    let head = |origin: &str, extension: Option<&str>| Head {
        checkpoint: Checkpoint {
            origin: origin.into(),
            size: 0,
            root: sha256(b""),
        },
        extensions: extension.map(str::to_owned).into_iter().collect(),
    };
    assert!(
        head("farm.example", Some("season 2026-Q4"))
            .sign(&key)
            .is_ok()
    );
    for bad in [
        head("", None),
        head("two words", None),
        head("a\nb", None),
        head("farm.example", Some("")),
        head("farm.example", Some("a\nb")),
        head("farm.example", Some("a\tb")),
    ] {
        assert!(bad.sign(&key).is_err(), "{bad:?}");
    }
}
