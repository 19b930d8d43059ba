//! `layout`: where things stand, arranged from here as from one more device.
//!
//! A command reads the layout, changes its own copy and gives it back; the tracker keeps what another device
//! changed meanwhile as well.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use farmops_farm::{
    arrangement::{Arrangement, Instance},
    catalogue::{Catalogue, Owned},
    grid::Cell,
    layout::{Device, EditError, Farm, Layout},
};
use farmops_federation::system_clock;
use farmops_protocol::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{client::Client, output::Output};

/// The document, below `/api/v1/`.
const DOCUMENT: &str = "farm/layout";
const CHANGES: &str = "farm/layout/changes";

#[derive(Debug, Subcommand)]
pub(super) enum LayoutCommand {
    /// List what stands where, and what is in the shed.
    List,
    /// Put a piece at a cell.
    Place {
        #[command(flatten)]
        piece: PieceArg,
        /// Cells from the back corner to the right.
        x: u8,
        /// Cells from the back corner to the left.
        y: u8,
    },
    /// Put a piece into the shed.
    Shed(PieceArg),
    /// Put a piece back to its usual place.
    Usual(PieceArg),
    /// Give a piece a name.
    Name {
        #[command(flatten)]
        piece: PieceArg,
        /// The name; without it the piece has none any more.
        #[arg(default_value = "")]
        name: String,
    },
    /// Write the document to a file, to be edited elsewhere.
    Save {
        /// Where to; a new file.
        file: PathBuf,
    },
    /// Take in what was changed in such a file.
    Merge {
        /// The file.
        file: PathBuf,
    },
}

/// A piece of the farm.
#[derive(Debug, Args)]
pub(super) struct PieceArg {
    /// As `layout list` shows it, like barn.1
    piece: Instance,
}

impl LayoutCommand {
    pub(super) async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::List => {
                let ground = Ground::of(client).await?;
                let layout = read(client).await?;
                show(&ground.view(&layout), output)
            }
            Self::Place { piece, x, y } => {
                let cell = Cell { x, y };
                edit(client, output, &piece.piece, |layout, farm, piece, now| {
                    layout.place(farm, piece, cell, now)
                })
                .await
            }
            Self::Shed(piece) => edit(client, output, &piece.piece, Layout::remove).await,
            Self::Usual(piece) => edit(client, output, &piece.piece, Layout::reset).await,
            Self::Name { piece, name } => {
                edit(client, output, &piece.piece, |layout, farm, piece, now| {
                    layout.rename(farm, piece, &name, now)
                })
                .await
            }
            Self::Save { file } => {
                let mut layout = read(client).await?;
                ensure!(!file.exists(), "{} exists; name a new file", file.display());
                std::fs::write(&file, layout.save())
                    .with_context(|| format!("writing {}", file.display()))?;
                let sentence = format!("The layout is in {}.", file.display());
                Ok(output.say(&serde_json::json!({ "file": file }), &sentence))
            }
            Self::Merge { file } => {
                let bytes =
                    std::fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
                let ground = Ground::of(client).await?;
                let both = give(client, bytes).await?;
                show(&ground.view(&both), output)
            }
        }
    }
}

/// What may stand on the farm, and how much ground there is.
struct Ground {
    owned: Vec<Owned>,
    level: u64,
}

#[derive(Deserialize)]
struct Figures {
    level: u64,
}

#[derive(Deserialize)]
struct Upgrades {
    upgrades: Vec<Upgrade>,
}

#[derive(Deserialize)]
struct Upgrade {
    slug: String,
    level: u64,
}

impl Ground {
    async fn of(client: &Client) -> anyhow::Result<Self> {
        let figures: Figures = client.get("farm").await?;
        let upgrades: Upgrades = client.get("farm/upgrades").await?;
        let owned = upgrades.upgrades.into_iter().map(|owned| Owned {
            slug: owned.slug,
            level: owned.level,
        });
        Ok(Self {
            owned: owned.collect(),
            level: figures.level,
        })
    }

    fn view(&self, layout: &Layout) -> Arrangement {
        layout.view(&self.owned, self.level)
    }
}

async fn read(client: &Client) -> anyhow::Result<Layout> {
    loaded(&client.get_bytes(DOCUMENT).await?)
}

/// Gives the tracker what was changed, and reads the document that has both.
async fn give(client: &Client, bytes: Vec<u8>) -> anyhow::Result<Layout> {
    loaded(&client.post_bytes(CHANGES, bytes).await?)
}

fn loaded(bytes: &[u8]) -> anyhow::Result<Layout> {
    // Each command is a device of its own.
    let device: Device = rand::random();
    Layout::load(bytes, device).context("the tracker's layout does not load")
}

async fn edit(
    client: &Client,
    output: Output,
    piece: &Instance,
    change: impl FnOnce(&mut Layout, Farm<'_>, &Instance, Timestamp) -> Result<(), EditError>,
) -> anyhow::Result<ExitCode> {
    let ground = Ground::of(client).await?;
    let mut layout = read(client).await?;
    let farm = Farm {
        owned: &ground.owned,
        level: ground.level,
    };
    change(&mut layout, farm, piece, system_clock()())?;
    let view = ground.view(&give(client, layout.save()).await?);
    let sentence = told(&view, piece);
    Ok(output.show(&json(&view)?, |_| sentence))
}

/// Where a piece is now.
fn told(view: &Arrangement, piece: &Instance) -> String {
    if let Some(placed) = view.find(piece) {
        let Cell { x, y } = placed.cell;
        let called = called(placed.name.as_deref());
        return format!("{piece}{called} stands at {x},{y} now.");
    }
    let stored = view.shed().iter().find(|stored| stored.instance == *piece);
    let called = called(stored.and_then(|stored| stored.name.as_deref()));
    format!("{piece}{called} is in the shed now.")
}

fn called(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(", called “{name}”,"))
}

fn show(view: &Arrangement, output: Output) -> anyhow::Result<ExitCode> {
    let placed = view.placed().iter().map(|placed| {
        let Cell { x, y } = placed.cell;
        row(
            &placed.instance,
            &format!("{x},{y}"),
            placed.name.as_deref(),
        )
    });
    let shed = view.shed().iter();
    let stored = shed.map(|stored| row(&stored.instance, "in the shed", stored.name.as_deref()));
    let rows: Vec<_> = placed.chain(stored).collect();
    let empty = "Nothing that stands on the ground has been bought yet.";
    Ok(output.table(&json(view)?, &rows, empty))
}

fn row(piece: &Instance, place: &str, name: Option<&str>) -> [String; 4] {
    let item = Catalogue::builtin().item(&piece.item);
    [
        piece.to_string(),
        item.map_or_else(String::new, |item| item.name.clone()),
        place.to_owned(),
        name.map_or_else(String::new, |name| format!("“{name}”")),
    ]
}

/// The form in which a farm's arrangement is published.
fn json(view: &Arrangement) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&view.to_json())?)
}
