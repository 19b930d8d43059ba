//! Writes the corpora to start from: layouts and arrangements as devices make them.
//!
//! `deploy/fuzz` runs it first, with the folder for the corpora.

use std::{error::Error, fs, path::PathBuf};

use farmops_farm::{
    catalogue::{Catalogue, Owned},
    grid::Cell,
    layout::{Farm, Layout},
};
use farmops_protocol::time::Timestamp;

fn main() -> Result<(), Box<dyn Error>> {
    let corpora = std::env::args_os().nth(1);
    let corpus = PathBuf::from(corpora.ok_or("name the folder for the corpora")?);
    let (layouts, arrangements) = (corpus.join("layout"), corpus.join("arrangement"));
    fs::create_dir_all(&layouts)?;
    fs::create_dir_all(&arrangements)?;
    let items = Catalogue::builtin().items().iter();
    let owned: Vec<Owned> = items
        .map(|item| Owned {
            slug: item.slug.clone(),
            level: 1,
        })
        .collect();
    let farm = Farm {
        owned: &owned,
        level: 9,
    };
    let now: Timestamp = "2026-02-20T09:30:00Z".parse()?;
    let mut layout = Layout::new([7; 16]);
    let instance = |name: &str| format!("{name}.1").parse();
    for (n, name) in ["barn", "well", "bench", "windmill", "silo"]
        .into_iter()
        .enumerate()
    {
        let piece = instance(name)?;
        let heads = layout.heads();
        layout.remove(farm, &piece, now)?;
        layout.rename(farm, &piece, &format!("Old {name}"), now)?;
        let cell = Cell {
            x: u8::try_from(n)?,
            y: 20,
        };
        // Where there is no room, the piece stays in the shed.
        let _ = layout.place(farm, &piece, cell, now);
        fs::write(layouts.join(format!("document-{n}")), input(&layout.save()))?;
        let changes = layout.changes_since(&heads);
        fs::write(
            layouts.join(format!("changes-{n}")),
            [&[3], &changes[..]].concat(),
        )?;
        let view = layout.view(&owned, farm.level);
        fs::write(
            arrangements.join(format!("arrangement-{n}")),
            view.to_json(),
        )?;
    }
    Ok(())
}

/// The one chunk of a saved document as the target takes it: kind and body.
fn input(document: &[u8]) -> Vec<u8> {
    let kind = document[8];
    let length = document[9..]
        .iter()
        .take_while(|byte| *byte & 0x80 != 0)
        .count()
        + 1;
    [&[kind], &document[9 + length..]].concat()
}
