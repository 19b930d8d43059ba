//! `farmops-agent keys`: what key the agent has, and a new one. Its other commands are below.

pub mod plugins;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;
use farmops_protocol::key::PublicKey;
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::agent::{Locked, StartError, bounds, take_folder, uplink};
use crate::config::AgentConfig;
use crate::identity::{Identity, IdentityError};
use crate::keys::{self, KEY_FILE, KeyError, NEXT_FILE};
use crate::status::Status;
use crate::store::{Store, StoreError};

/// Between two looks at the key files.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// What can be done with the agent's key.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum KeysCommand {
    /// Shows the key that the owner knows this agent by.
    Show {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Makes a new key and has the tracker accept it; works beside a running agent, too.
    Rotate {
        /// Seconds to wait until the tracker has answered.
        #[arg(long, default_value_t = 60)]
        wait: u64,
    },
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The agent never ran.
    #[error(
        "there is no key in {}: the agent makes it at its first start; if it has had that, `data_dir` was another folder",
        .0.display()
    )]
    NoKey(PathBuf),
    /// The tracker said no.
    #[error("the tracker refuses the new key and the old one stays{}", .0.as_deref().map(|r| format!(": {r}")).unwrap_or_default())]
    Refused(Option<String>),
    /// No answer in time.
    #[error(
        "the tracker has not answered yet{}; the new key waits and is rotated to while the agent runs",
        .0.as_deref().map(|r| format!(" ({r})")).unwrap_or_default()
    )]
    Waiting(Option<String>),
    /// The key's files.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The data folder.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The outbox.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Carries out a command; gives what it prints.
///
/// # Errors
/// A [`CommandError`] that says what to do.
pub async fn run(config: &AgentConfig, command: KeysCommand) -> Result<String, CommandError> {
    match command {
        KeysCommand::Show { json } => show(&config.data_dir, json),
        KeysCommand::Rotate { wait } => rotate(config, Duration::from_secs(wait)).await,
    }
}

fn show(folder: &Path, as_json: bool) -> Result<String, CommandError> {
    let current =
        keys::read(folder, KEY_FILE)?.ok_or_else(|| CommandError::NoKey(folder.to_owned()))?;
    let (current, next) = (current.public(), keys::read(folder, NEXT_FILE)?);
    let next = next.map(|key| key.public());
    if as_json {
        let view = |key: &PublicKey| json!({ "fingerprint": key.fingerprint(), "public_key": key });
        let mut shown = view(&current);
        shown["next"] = json!(next.as_ref().map(view));
        return Ok(shown.to_string());
    }
    let waits = next.map(|next| format!("\nnext        {}", next.fingerprint()));
    Ok(format!(
        "fingerprint {}\nkey         {current}{}",
        current.fingerprint(),
        waits.unwrap_or_default()
    ))
}

async fn rotate(config: &AgentConfig, wait: Duration) -> Result<String, CommandError> {
    let folder = &config.data_dir;
    keys::read(folder, KEY_FILE)?.ok_or_else(|| CommandError::NoKey(folder.to_owned()))?;
    let lock = match take_folder(folder, Duration::ZERO) {
        Ok(lock) => Some(lock),
        Err(StartError::AlreadyRunning(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let next = keys::stage(folder, &mut rand::rng())?.public();
    let deadline = Instant::now() + wait;
    // An agent at work looks for the file; otherwise this program is the agent for a moment.
    let Some(lock) = lock else {
        return watch(folder, &next, deadline, &Status::default()).await;
    };
    deliver_and_watch(config, &next, deadline, lock).await
}

async fn deliver_and_watch(
    config: &AgentConfig,
    next: &PublicKey,
    deadline: Instant,
    _lock: Locked,
) -> Result<String, CommandError> {
    let (identity, _) = Identity::load_or_make(&config.data_dir, &mut rand::rng(), Uuid::now_v7())?;
    let store = Store::open_sealed(
        &config.data_dir,
        config.evidence.key_file.as_deref(),
        bounds(config),
    )
    .await?;
    let (status, stop) = (Status::default(), CancellationToken::new());
    let uplink = uplink(config, identity, store.clone(), status.clone());
    let delivery = tokio::spawn(uplink.run(stop.clone()));
    let outcome = watch(&config.data_dir, next, deadline, &status).await;
    stop.cancel();
    // A panic in there has been reported; the files tell what became of the key.
    let _ = delivery.await;
    store.close().await;
    outcome
}

/// Waits until the files tell what became of the next key.
async fn watch(
    folder: &Path,
    next: &PublicKey,
    deadline: Instant,
    status: &Status,
) -> Result<String, CommandError> {
    loop {
        // In this order: the next key's file becomes the current one's.
        let waits = keys::read(folder, NEXT_FILE)?.is_some();
        let current =
            keys::read(folder, KEY_FILE)?.ok_or_else(|| CommandError::NoKey(folder.to_owned()))?;
        if current.public() == *next {
            return Ok(format!("the agent's key is now {}", next.fingerprint()));
        }
        if !waits {
            return Err(CommandError::Refused(status.uplink().key_rotation_refused));
        }
        if Instant::now() >= deadline {
            return Err(CommandError::Waiting(status.uplink().last_error));
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}
