//! The farm's transparency log: the head that is signed, and the files under it.

use farmops_protocol::{
    checkpoint::Checkpoint,
    digest::Digest,
    field::FieldError,
    log::{Head, Layer, Plan, Tile, TileSet, TreeHead, bundle, verify_consistency},
    snapshot::SnapshotDocument,
};
use url::Url;

use super::{actor::farm_key, snapshot::published};
use crate::{
    check::{Check, Look, Miss, Verdict, ensure, ensure_status, skip},
    session::Session,
    target::Kind,
};

const TRACKER: &[Kind] = &[Kind::Tracker];

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "log-head",
        clauses: &["CHK-NOTE-001", "CHK-SIGN-001", "CHK-TREE-001"],
        title: "the served checkpoint is signed by the farm key, and its root is that of the tiles",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(async { head(s).await.map(|_| ()) })),
    },
    Check {
        name: "log-bundles",
        clauses: &["LOG-BUNDLE-001", "LOG-TILE-002", "LOG-TILE-003"],
        title: "the first and the last tile of leaves are the hashes of their entry bundles",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(bundles(s))),
    },
    Check {
        name: "log-paths",
        clauses: &["LOG-TILE-001"],
        title: "a tile is found by one spelling of its path only, and not beyond the log's end",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(paths(s))),
    },
    Check {
        name: "log-grows",
        clauses: &["CHK-GROW-001", "LOG-PROOF-002"],
        title: "the log extends the head that the published snapshot tells of",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(grows(s))),
    },
];

/// The signed head, once the tiles have been seen to have its root.
async fn head(session: &Session) -> Result<TreeHead, Miss> {
    let (_, key) = farm_key(session)?;
    let answer = session
        .client
        .get(&session.url("/checkpoint"), "text/plain")
        .await?;
    if answer.status == 404 {
        return skip("it serves no checkpoint");
    }
    ensure_status("the checkpoint", &answer, &[200])?;
    let note = String::from_utf8_lossy(&answer.body).into_owned();
    let (head, _) = Head::open(&note, &key).map_err(|e| wrong("the checkpoint", &e))?;
    let head = TreeHead::from(&head.checkpoint);
    let root = hashes(session, &Plan::root(head.size)).await?;
    ensure(root == [head.root], || {
        "the tiles have another root than the checkpoint".to_owned()
    })?;
    Ok(head)
}

async fn bundles(session: &Session) -> Verdict {
    let size = head(session).await?.size;
    let last = size.saturating_sub(1) / 256;
    for index in [0, last] {
        let Some(leaves) = Tile::of_log(Layer::Hashes(0), index, size) else {
            return skip("the log is empty");
        };
        let Some(tile) = leaves.bundle() else {
            continue;
        };
        let entries = bundle::parse(&tile, &file(session, &tile).await?)
            .map_err(|e| wrong(&tile.to_string(), &e))?;
        let hashes = leaves
            .read(&file(session, &leaves).await?)
            .map_err(|e| wrong(&leaves.to_string(), &e))?;
        ensure(bundle::leaves(&entries) == hashes, || {
            format!("{leaves} is not made of the entries in {tile}")
        })?;
    }
    Ok(())
}

async fn paths(session: &Session) -> Verdict {
    let size = head(session).await?.size;
    let beyond = size / 256 + 1;
    for path in [
        "tile/0/0.p/1".to_owned(),
        "tile/0/0000.p/1".to_owned(),
        "tile/00/000.p/1".to_owned(),
        "tile/0/x000/000.p/1".to_owned(),
        "tile/0/000.p/01".to_owned(),
        "tile/0/000.p/0".to_owned(),
        "tile/0/000.p/256".to_owned(),
        "tile/8/000.p/1".to_owned(),
        "tile/entries/0.p/1".to_owned(),
        format!("tile/0/{beyond:03}.p/1"),
        format!("tile/entries/{beyond:03}.p/1"),
    ] {
        let url = session.url(&format!("/{path}"));
        let answer = session.client.get(&url, "*/*").await?;
        ensure_status(&path, &answer, &[404])?;
    }
    Ok(())
}

async fn grows(session: &Session) -> Verdict {
    let Some(document) = published(session).await? else {
        return skip("it has published no snapshot");
    };
    let (_, key) = farm_key(session)?;
    let told = SnapshotDocument::from_value(document)
        .and_then(|document| document.verify(&key))
        .and_then(|verified| Checkpoint::verify(&verified.snapshot().checkpoint, &key))
        .map_err(|e| wrong("the snapshot", &e))?;
    // Asked for afterwards, so it is the later one.
    let (old, new) = (TreeHead::from(&told), head(session).await?);
    let plan = Plan::consistency(old.size, new.size).map_err(|e| Miss::Failed(e.to_string()))?;
    let proof = hashes(session, &plan).await?;
    verify_consistency(&old, &new, &proof).map_err(|e| Miss::Failed(e.to_string()))
}

async fn hashes(session: &Session, plan: &Plan) -> Result<Vec<Digest>, Miss> {
    let mut tiles = TileSet::default();
    for tile in plan.tiles() {
        let file = file(session, &tile).await?;
        tiles
            .insert(tile, &file)
            .map_err(|e| wrong(&tile.to_string(), &e))?;
    }
    plan.hashes(&tiles).map_err(|e| Miss::Failed(e.to_string()))
}

async fn file(session: &Session, tile: &Tile) -> Result<Vec<u8>, Miss> {
    let url: Url = session.url(&format!("/{tile}"));
    let answer = session.client.get(&url, "*/*").await?;
    ensure_status(&tile.to_string(), &answer, &[200])?;
    Ok(answer.body)
}

fn wrong(what: &str, error: &FieldError) -> Miss {
    Miss::Failed(format!("{what}: {error}"))
}
