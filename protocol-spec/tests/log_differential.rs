//! The log against two programs that others wrote: `tlog_tiles` and `signed_note`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::convert::Infallible;

use farmops_protocol::{
    checkpoint::{Checkpoint, CompactRange, leaf_hash},
    digest::Digest,
    key::SecretKey,
    log::{
        Edge, Head, Layer, Node, Nodes, Plan, Tile, Tree, TreeHead, new_tiles,
        note::{Algorithm, SignedNote, key_id, verifier_key},
        verify_consistency, verify_inclusion,
    },
};
use proptest::{prelude::*, test_runner::Config};
use signed_note::{Signer as _, StandardVerifier, Verifier as _, VerifierList};
use tlog_tiles::{Hash, HashReader, stored_hash_index};

const ENTRIES: u64 = 1 << 14;

/// Our nodes, read through the other program's numbering of them.
struct Stored<'a>(&'a Tree);

impl HashReader for Stored<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        Ok(indexes
            .iter()
            .map(|index| {
                let (level, n) = tlog_tiles::split_stored_hash_index(*index);
                theirs(self.0.node(Node::new(level, n).unwrap()).unwrap())
            })
            .collect())
    }
}

fn theirs(digest: Digest) -> Hash {
    Hash(*digest.as_bytes())
}

fn all_theirs(digests: &[Digest]) -> Vec<Hash> {
    digests.iter().copied().map(theirs).collect()
}

fn leaf(n: u64) -> Digest {
    leaf_hash(&n.to_be_bytes())
}

/// One log for every test here; each looks at it at another size.
fn log() -> &'static Tree {
    static LOG: std::sync::OnceLock<Tree> = std::sync::OnceLock::new();
    LOG.get_or_init(|| (0..ENTRIES).map(leaf).collect())
}

fn head(size: u64) -> TreeHead {
    log().head_at(size).unwrap()
}

/// A path of theirs, with the height that ours does not name and their word for entries.
fn in_our_words(path: &str) -> String {
    path.replacen("tile/8/data/", "tile/entries/", 1)
        .replacen("tile/8/", "tile/", 1)
}

fn in_their_words(path: &str) -> String {
    path.replacen("tile/entries/", "tile/data/", 1)
        .replacen("tile/", "tile/8/", 1)
}

/// A source of their hashes.
struct Written<'a>(&'a [Hash]);

impl HashReader for Written<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let at = |i: &u64| self.0[usize::try_from(*i).unwrap()];
        Ok(indexes.iter().map(at).collect())
    }
}

#[test]
fn the_hashes_of_every_entry_are_stored_alike() {
    let mut stored: Vec<Hash> = Vec::new();
    for n in 0..300_u64 {
        let new = tlog_tiles::stored_hashes(n, &n.to_be_bytes(), &Written(&stored)).unwrap();
        stored.extend(new);
    }
    for level in 0..8_u8 {
        for n in 0..300 >> level {
            let index = usize::try_from(stored_hash_index(level, n)).unwrap();
            let ours = log().node(Node::new(level, n).unwrap()).unwrap();
            assert_eq!(stored[index], theirs(ours), "node {n} of level {level}");
        }
    }
}

#[test]
fn roots_agree_at_every_small_size_however_they_are_made() {
    let (mut range, mut edge) = (CompactRange::default(), Edge::default());
    for size in 0..1200 {
        let theirs = tlog_tiles::tree_hash(size, &Stored(log())).unwrap();
        let ours = head(size).root;
        assert_eq!(theirs.0, *ours.as_bytes(), "{size}");
        assert_eq!(range.root(), ours, "{size}");
        assert_eq!(edge.root(), ours, "{size}");
        range.append(leaf(size));
        edge.append(leaf(size));
    }
}

/// Failures are shown, not kept in a file: a case worth keeping becomes a test with a name.
fn config(cases: u32) -> Config {
    Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn roots_agree(size in 0..=ENTRIES) {
        let root = tlog_tiles::tree_hash(size, &Stored(log())).unwrap();
        prop_assert_eq!(root, theirs(head(size).root));
    }

    #[test]
    fn inclusion_proofs_agree(size in 1..=ENTRIES, place in any::<prop::sample::Index>()) {
        let index = place.index(usize::try_from(size).unwrap()) as u64;
        let proof = Plan::inclusion(index, size).unwrap().hashes(log()).unwrap();
        let other = tlog_tiles::prove_record(size, index, &Stored(log())).unwrap();
        prop_assert_eq!(all_theirs(&proof), other.clone());
        verify_inclusion(&leaf(index), index, &head(size), &proof).unwrap();
        let root = theirs(head(size).root);
        tlog_tiles::check_record(&other, size, root, index, theirs(leaf(index))).unwrap();
    }

    #[test]
    fn consistency_proofs_agree(new in 1..=ENTRIES, place in any::<prop::sample::Index>()) {
        let old = 1 + place.index(usize::try_from(new).unwrap()) as u64;
        let proof = Plan::consistency(old, new).unwrap().hashes(log()).unwrap();
        let other = tlog_tiles::prove_tree(new, old, &Stored(log())).unwrap();
        prop_assert_eq!(all_theirs(&proof), other.clone());
        let (old, new) = (head(old), head(new));
        verify_consistency(&old, &new, &proof).unwrap();
        tlog_tiles::check_tree(&other, new.size, theirs(new.root), old.size, theirs(old.root)).unwrap();
    }

    /// What one verifier takes the other takes, also of proofs that were tampered with.
    #[test]
    fn verdicts_agree(
        size in 1..2000_u64,
        claimed in 1..2000_u64,
        index in 0..2000_u64,
        length in 0..14_usize,
    ) {
        let mut proof = Plan::inclusion(index % size, size).unwrap().hashes(log()).unwrap();
        proof.resize(length.min(proof.len() + 1), leaf(0));
        let tree = TreeHead { size: claimed, root: head(size).root };
        let ours = verify_inclusion(&leaf(index % size), index, &tree, &proof);
        let theirs_says = index < claimed && tlog_tiles::check_record(
            &all_theirs(&proof), claimed, theirs(tree.root), index, theirs(leaf(index % size)),
        ).is_ok();
        prop_assert_eq!(ours.is_ok(), theirs_says);
    }

    #[test]
    fn tiles_of_a_new_size_agree(old in 0..(1_u64 << 40), grown in 0..70_000_u64) {
        let new = old + grown;
        let ours: Vec<String> = new_tiles(old, new).map(|tile| tile.to_string()).collect();
        // The other program panics on a level that 64 bits cannot hold; these sizes stay below.
        let other: Vec<String> = tlog_tiles::Tile::new_tiles(8, old, new)
            .iter()
            .map(|tile| in_our_words(&tile.path()))
            .collect();
        prop_assert_eq!(ours, other);
    }

    #[test]
    fn tile_contents_agree(size in 1..=ENTRIES) {
        // The last tiles of each level are the ones that differ between sizes.
        for tile in new_tiles(size - 1, size) {
            let Layer::Hashes(level) = tile.layer() else { unreachable!() };
            let other = tlog_tiles::Tile::new(8, level, tile.index(), tile.width().into(), false);
            let contents = tile.write(log()).unwrap();
            prop_assert_eq!(other.read_data(&Stored(log())).unwrap(), contents);
        }
    }

    #[test]
    fn paths_agree(level in 0..8_u8, index in any::<u64>(), width in 0..300_u16, entries in any::<bool>()) {
        let layer = if entries { Layer::Entries } else { Layer::Hashes(level) };
        // Small indexes are as likely as large ones.
        let index = index >> (index % 64);
        let Ok(tile) = Tile::new(layer, index, width) else { return Ok(()) };
        let level = if entries { 0 } else { level };
        let other = tlog_tiles::Tile::new(8, level, index, width.into(), entries);
        prop_assert_eq!(tile.to_string(), in_our_words(&other.path()));
        prop_assert_eq!(tile.to_string().parse::<Tile>().unwrap(), tile);
    }

    /// Theirs panics on a level above 63 and on a width of 0; ours refuses both, which `log_properties`
    /// has in its texts.
    #[test]
    fn what_is_no_path_is_none_for_both(
        path in "tile/(entries|0?[0-9]|[1-5][0-9])(/x?[0-9]{1,4}){1,3}(\\.p/0?[1-9][0-9]{0,2})?",
    ) {
        let ours = path.parse::<Tile>().is_ok();
        let other = tlog_tiles::Tile::from_path(&in_their_words(&path));
        // Theirs also has tiles that end beyond 2^64 entries, where a size has no number.
        let exists = other.is_ok_and(|tile| {
            let hashes = u128::from(tile.level_index()) * 256 + u128::from(tile.width());
            tile.level() < 8 && (hashes << (8 * tile.level())) < 1 << 64
        });
        prop_assert_eq!(ours, exists, "{}", path);
    }

    #[test]
    fn checkpoints_and_notes_agree(
        seed in any::<[u8; 32]>(),
        origin in "[a-z]{1,8}\\.example/[a-z0-9/]{0,12}",
        size in any::<u64>(),
        root in any::<[u8; 32]>(),
        extensions in prop::collection::vec("[ -~]{1,30}", 0..3),
    ) {
        let key = SecretKey::from_bytes(seed);
        let head = Head {
            checkpoint: Checkpoint { origin: origin.clone(), size, root: Digest::from_bytes(root) },
            extensions,
        };
        let note = head.sign(&key).unwrap();

        let other = tlog_tiles::Checkpoint::from_bytes(note.text().as_bytes()).unwrap();
        prop_assert_eq!((other.origin(), other.size(), other.hash().0), (origin.as_str(), size, root));
        prop_assert_eq!(other.to_bytes(), note.text().as_bytes());

        let verifier = StandardVerifier::new(&verifier_key(&origin, Algorithm::Ed25519, &key.public())).unwrap();
        let id = key_id(&origin, Algorithm::Ed25519, &key.public());
        prop_assert_eq!(verifier.key_id(), u32::from_be_bytes(id));
        let signed = signed_note::Note::from_bytes(note.to_string().as_bytes()).unwrap();
        let (verified, _) = signed.verify(&VerifierList::new(vec![Box::new(verifier)])).unwrap();
        prop_assert_eq!(verified.len(), 1);
        prop_assert_eq!(signed.to_bytes(), note.to_string().into_bytes());

        let (opened, _) = Head::open(&note.to_string(), &key.public()).unwrap();
        prop_assert_eq!(opened, head);
    }

    /// A note signed by the other program is one for us.
    #[test]
    fn their_notes_are_ours(seed in any::<[u8; 32]>(), text in "([ -~]{1,20}\n){1,4}") {
        let key = SecretKey::from_bytes(seed);
        let id = u32::from_be_bytes(key_id("farm.example", Algorithm::Ed25519, &key.public()));
        let secret = hex::encode(id.to_be_bytes());
        let material = [&[1][..], &key.to_bytes()].concat();
        let material = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, material);
        let signer = signed_note::StandardSigner::new(
            &format!("PRIVATE+KEY+farm.example+{secret}+{material}"),
        ).unwrap();
        prop_assert_eq!(signer.key_id(), id);
        let mut note = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
        note.add_sigs(&[&signer]).unwrap();
        let note = String::from_utf8(note.to_bytes()).unwrap();
        let ours = SignedNote::parse(&note).unwrap();
        ours.verify("farm.example", &key.public()).unwrap();
        prop_assert_eq!(ours.to_string(), note);
    }

    #[test]
    fn texts_that_are_no_note_are_none_for_both(
        text in "([a-z ]{0,5}\n){0,3}\n{0,2}(\u{2014} ?[a-z+ ]{0,4} ?[A-Za-z0-9+/=]{0,12}\n?){0,2}",
    ) {
        let ours = SignedNote::parse(&text).is_ok();
        let other = signed_note::Note::from_bytes(text.as_bytes()).is_ok();
        prop_assert_eq!(ours, other, "{:?}", text);
    }
}

#[test]
fn a_closure_is_a_source_of_nodes() {
    let source = |node: Node| Ok::<_, Infallible>(log().node(node).unwrap());
    let root = Plan::root(1000).hashes(&source).unwrap();
    assert_eq!(root, [head(1000).root]);
}
