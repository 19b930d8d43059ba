//! `/api/v1/ledger/{position}/opening`: one entry of the log opened, for whoever the owner shows it to.
//!
//! The answer is a C2SP `tlog-proof`. It stands for itself: `farmops-tracker proofs check`, or any
//! program that follows `protocol-spec/docs/log.md`, checks it with the farm's key alone.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use farmops_protocol::{
    digest::Digest,
    log::{
        Layer, LogProof, Opening, Part, Plan, Tile, TileSet, TreeHead, bundle,
        commitment::{LoggedEvent, LoggedScore},
    },
    snapshot::season_of,
};
use farmops_service::problem::{Path, Problem, Query};
use http::{StatusCode, header::CONTENT_TYPE};
use serde::Deserialize;
use utoipa::IntoParams;

use super::refused::{not_read, not_written};
use crate::{
    app::App,
    publisher::heads,
    store::{LedgerLine, LineBody, StoreError},
};

/// Which halves of the entry are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    event: bool,
    score: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The halves to open.
    #[param(pattern = "^(event|score|event,score|score,event)$")]
    parts: String,
}

/// Opens the halves of an entry that `parts` names; the other one stays closed.
#[utoipa::path(
    get,
    path = "/api/v1/ledger/{position}/opening",
    tag = "ledger",
    params(("position" = u64, Path, description = "The entry, from 1", minimum = 1, maximum = 9_007_199_254_740_991_u64), Wanted),
    responses((status = 200, description = "A C2SP `tlog-proof`", body = String, content_type = "text/plain"), (status = 410, description = "The entry is archived")),
)]
pub(super) async fn open(
    State(app): State<App>,
    Path(position): Path<u64>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let shown = Shown::parse(&wanted.parts)
        .ok_or_else(|| Problem::bad_request("parts", "expected event, score, or event,score"))?;
    let absent = || Problem::not_found("entry");
    let index = position.checked_sub(1).ok_or_else(absent)?;
    let lines = app.reads.ledger(index, 1).await.map_err(not_read)?;
    let line = lines
        .into_iter()
        .next()
        .filter(|line| line.position == position)
        .ok_or_else(absent)?;
    let score = app.reads.logged_score(position).await.map_err(not_read)?;
    let event = LoggedEvent {
        kind: &line.kind,
        recorded_at: line.recorded_at,
        body: line.body.bytes().unwrap_or_default(),
    };
    let mut commitment = app.salts.commit(index, &event, score.as_ref());
    if let LineBody::Archived(kept) = line.body {
        if shown.event {
            return Err(archived(&line));
        }
        commitment.event = kept;
    }
    if logged_entry(&app, index).await? != commitment.entry() {
        return Err(internal("the entry is not the one that was logged"));
    }
    let opening = Opening {
        event: part(shown.event, commitment.event, || Part::Open {
            bytes: event.to_bytes(),
            salt: app.salts.event(index),
        }),
        score: part(shown.score, commitment.score, || Part::Open {
            bytes: score
                .as_ref()
                .map(LoggedScore::to_bytes)
                .unwrap_or_default(),
            salt: app.salts.score(index),
        }),
    };
    let signed = heads::covering(position, &app.site, &app.farm_key, &app.writer, app.now())
        .await
        .map_err(|e| not_written(&e))?;
    let proof = LogProof {
        extra: Some(opening.to_bytes().map_err(|e| Problem::internal(&e))?),
        index,
        hashes: inclusion(&app, index, signed.head).await?,
        checkpoint: signed.note,
    };
    let text = proof.to_string();
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

impl Shown {
    fn parse(parts: &str) -> Option<Self> {
        let mut shown = Self {
            event: false,
            score: false,
        };
        for part in parts.split(',') {
            let half = match part {
                "event" => &mut shown.event,
                "score" => &mut shown.score,
                _ => return None,
            };
            if std::mem::replace(half, true) {
                return None;
            }
        }
        Some(shown)
    }
}

fn part(shown: bool, commitment: Digest, open: impl FnOnce() -> Part) -> Part {
    if shown {
        open()
    } else {
        Part::Closed { commitment }
    }
}

/// The entry at `index` as it stands in its bundle.
async fn logged_entry(app: &App, index: u64) -> Result<Digest, Problem> {
    let width = u16::try_from(index % 256 + 1).map_err(|e| Problem::internal(&e))?;
    let tile = Tile::new(Layer::Entries, index / 256, width).map_err(|e| Problem::internal(&e))?;
    let file = file(app, &tile).await?;
    let entries = bundle::parse(&tile, &file).map_err(|e| Problem::internal(&e))?;
    entries
        .last()
        .copied()
        .ok_or_else(|| internal("the bundle is empty"))
}

async fn inclusion(app: &App, index: u64, head: TreeHead) -> Result<Vec<Digest>, Problem> {
    let plan = Plan::inclusion(index, head.size).map_err(|e| Problem::internal(&e))?;
    let mut tiles = TileSet::default();
    for tile in plan.tiles() {
        let file = file(app, &tile).await?;
        tiles
            .insert(tile, &file)
            .map_err(|e| Problem::internal(&e))?;
    }
    plan.hashes(&tiles).map_err(|e| Problem::internal(&e))
}

async fn file(app: &App, tile: &Tile) -> Result<Vec<u8>, Problem> {
    let file = app.reads.tile(tile).await.map_err(not_read)?;
    file.ok_or_else(|| internal("the log is shorter than its ledger"))
}

fn archived(line: &LedgerLine) -> Problem {
    let season = season_of(line.recorded_at);
    Problem::new(StatusCode::GONE, "archived")
        .field("parts")
        .detail(format!(
            "what the entry says is archived with the season {season}; its score can be shown"
        ))
}

fn internal(reason: &str) -> Problem {
    Problem::internal(&StoreError::Unreadable {
        column: "body",
        reason: reason.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_words_once_each() {
        let shown = |event, score| Some(Shown { event, score });
        assert_eq!(Shown::parse("event"), shown(true, false));
        assert_eq!(Shown::parse("score"), shown(false, true));
        assert_eq!(Shown::parse("score,event"), shown(true, true));
        for nonsense in [
            "",
            ",",
            "event,",
            "event,event",
            "Event",
            "all",
            "event score",
        ] {
            assert_eq!(Shown::parse(nonsense), None, "{nonsense}");
        }
    }
}
