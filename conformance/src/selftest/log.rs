//! The log of the self-test's tracker: entries that nobody made, held whole in memory.

use std::sync::LazyLock;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use farmops_protocol::{
    checkpoint::{Checkpoint, leaf_hash},
    digest::{Digest, sha256},
    log::{Layer, Tile, Tree, bundle},
};

use super::{Fault, server::Server};
use crate::{probe::Probe, sign::authority, target::Kind};

/// Enough for a full tile, one that is not, and one above them.
const SIZE: u64 = 300;
/// The head that the published snapshot tells of.
const TOLD: u64 = 100;

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    (0..SIZE)
        .map(|index| leaf_hash(entry(index).as_bytes()))
        .collect()
});

fn entry(index: u64) -> Digest {
    sha256(&index.to_be_bytes())
}

/// The head at `size`, signed.
fn head(server: &Server, size: u64, signed_by_another: bool) -> Option<String> {
    let head = TREE.head_at(size).ok()?;
    let checkpoint = Checkpoint {
        origin: authority(&server.base),
        size,
        root: head.root,
    };
    let key = Server::farm_key();
    let key = if signed_by_another {
        &Probe::keys().other_farm
    } else {
        &key
    };
    Some(checkpoint.sign(key))
}

/// The head in the published snapshot.
pub(super) fn told(server: &Server) -> Option<String> {
    if server.has(Fault::TellsOfAnotherLog) {
        let other = Checkpoint {
            origin: authority(&server.base),
            size: TOLD,
            root: leaf_hash(b"another log"),
        };
        return Some(other.sign(&Server::farm_key()));
    }
    head(server, TOLD, server.has(Fault::CheckpointOfAnother))
}

pub(super) async fn checkpoint(State(server): State<Server>) -> Response {
    let by_another = server.has(Fault::HeadOfAnother);
    match head(&server, SIZE, by_another) {
        Some(note) if server.kind == Kind::Tracker => note.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

pub(super) async fn tile(State(server): State<Server>, Path(path): Path<String>) -> Response {
    let tile = format!("tile/{path}").parse::<Tile>();
    let tile = match tile {
        Err(_) if server.has(Fault::LaxTilePaths) => {
            Tile::new(Layer::Hashes(0), 0, 1).map_err(|_| ())
        }
        read => read.map_err(|_| ()),
    };
    let file = tile.ok().filter(|_| server.kind == Kind::Tracker);
    match file.and_then(|tile| contents(&server, &tile)) {
        Some(file) => file.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn contents(server: &Server, tile: &Tile) -> Option<Vec<u8>> {
    let mut file = match tile.layer() {
        Layer::Hashes(_) => tile.write(&*TREE).ok()?,
        Layer::Entries if tile.entries().end > SIZE => return None,
        Layer::Entries => bundle::write(&tile.entries().map(entry).collect::<Vec<_>>()),
    };
    let changed = match tile.layer() {
        Layer::Hashes(_) => server.has(Fault::ChangesTiles),
        Layer::Entries => server.has(Fault::ChangesBundles),
    };
    if let Some(last) = file.last_mut().filter(|_| changed) {
        *last ^= 1;
    }
    Some(file)
}
