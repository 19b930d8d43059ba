//! The desk at which the farm is arranged: the one copy of its layout that this tracker edits.
//!
//! Whoever changes it holds the desk until the change is durable, so no change is lost, and works on a
//! copy, so that a change that cannot be kept leaves no trace. A change is seen to its end also when whoever asked
//! for it has gone away. Bytes of other devices are taken in on a
//! thread of their own.

use std::sync::Arc;

use farmops_farm::{
    arrangement::Arrangement,
    layout::{Device, EditError, Farm, Layout, LayoutError},
};
use farmops_protocol::time::Timestamp;
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    app::{App, to_the_end},
    domain::FarmView,
    store::StoreError,
    writer::{Outgoing, WriteError},
};

/// The layout, once it has been read.
pub struct Desk {
    /// Another one at each start: a database that was put back must not look like the one it left.
    device: Device,
    layout: Mutex<Option<Layout>>,
}

/// A change was not made.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The bytes are no layout.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The farm does not allow it.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The thread that took the bytes in is gone.
    #[error("the layout could not be worked on")]
    Thread(#[from] tokio::task::JoinError),
}

impl Desk {
    /// A desk with nothing on it yet.
    pub fn new(rng: &mut impl rand::CryptoRng) -> Self {
        Self {
            device: fresh(rng),
            layout: Mutex::new(None),
        }
    }

    /// Where everything stands.
    pub async fn view(&self, app: &App, farm: &FarmView) -> Result<Arrangement, DeskError> {
        let mut held = self.layout.lock().await;
        let layout = self.read(app, &mut held).await?;
        Ok(layout.view(&farm.upgrades, farm.level()))
    }

    /// The whole document, to be edited elsewhere.
    pub async fn document(&self, app: &App) -> Result<Vec<u8>, DeskError> {
        let mut held = self.layout.lock().await;
        let mut layout = self.read(app, &mut held).await?.clone();
        Ok(tokio::task::spawn_blocking(move || layout.save()).await?)
    }

    /// Takes in what another device saved, and answers with the document that has both.
    pub async fn merge(self: &Arc<Self>, app: &App, bytes: Vec<u8>) -> Result<Vec<u8>, DeskError> {
        let (desk, app) = (self.clone(), app.clone());
        to_the_end(async move {
            let mut held = desk.layout.lock().await;
            let mut layout = desk.read(&app, &mut held).await?.clone();
            let merging = move || {
                let news = layout.merge(&bytes)?;
                let document = layout.save();
                Ok::<_, LayoutError>((layout, document, news))
            };
            let (layout, document, news) = tokio::task::spawn_blocking(merging).await??;
            if news {
                keep(&app, &mut held, layout, document.clone()).await?;
            }
            Ok(document)
        })
        .await?
    }

    /// Makes an edit. A document that is full is written anew first.
    pub async fn edit(
        self: &Arc<Self>,
        app: &App,
        farm: &FarmView,
        edit: impl Fn(&mut Layout, Farm<'_>, Timestamp) -> Result<(), EditError> + Send + Sync + 'static,
    ) -> Result<(), DeskError> {
        let (desk, app) = (self.clone(), app.clone());
        let (owned, level) = (farm.upgrades.clone(), farm.level());
        to_the_end(async move {
            let mut held = desk.layout.lock().await;
            let mut layout = desk.read(&app, &mut held).await?.clone();
            let ground = Farm {
                owned: &owned,
                level,
            };
            match edit(&mut layout, ground, app.now()) {
                Err(EditError::Full) => {
                    let device = fresh(&mut rand::rng());
                    layout = layout.rewritten(ground, device, app.now());
                    edit(&mut layout, ground, app.now())?;
                }
                outcome => outcome?,
            }
            let document = layout.save();
            keep(&app, &mut held, layout, document).await
        })
        .await?
    }

    async fn read<'a>(
        &self,
        app: &App,
        held: &'a mut Option<Layout>,
    ) -> Result<&'a Layout, DeskError> {
        let layout = if let Some(layout) = held.take() {
            layout
        } else {
            let (device, saved) = (self.device, app.reads.layout().await?);
            let load = move || match saved {
                Some(bytes) => Layout::load(&bytes, device),
                None => Ok(Layout::new(device)),
            };
            tokio::task::spawn_blocking(load).await??
        };
        Ok(held.insert(layout))
    }
}

fn fresh(rng: &mut impl rand::CryptoRng) -> Device {
    let mut device = Device::default();
    rng.fill_bytes(&mut device);
    device
}

/// Makes a layout durable and puts it on the desk. If that fails, the next one reads what the store has.
async fn keep(
    app: &App,
    held: &mut MutexGuard<'_, Option<Layout>>,
    layout: Layout,
    document: Vec<u8>,
) -> Result<(), DeskError> {
    **held = None;
    let outgoing = Outgoing {
        layout: Some(document),
        ..Outgoing::default()
    };
    app.writer.say(outgoing).await?;
    **held = Some(layout);
    Ok(())
}
