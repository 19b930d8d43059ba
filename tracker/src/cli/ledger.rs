//! `ledger`: everything that ever counted, in order.

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;
use farmops_protocol::key::PublicKey;
use serde_json::{Value, value::RawValue};

use super::{opening, remote::Remote};

#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// List entries, the first one first.
    List {
        /// Only those after this position.
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// At most this many, up to 1,000.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Print an entry in a form that proves to others that it stands in the log.
    Open {
        /// Its position, or a proof's id.
        entry: String,
        /// What to show: event, score, or event,score.
        #[arg(long, default_value = "score")]
        parts: String,
    },
    /// Check, without asking anybody, what someone else opened.
    Check {
        /// The file with what they sent.
        file: PathBuf,
        /// Their farm's key, as their public profile shows it.
        #[arg(long)]
        key: PublicKey,
    },
}

impl LedgerCommand {
    pub(super) async fn run(self, remote: &Remote) -> anyhow::Result<ExitCode> {
        let output = remote.output();
        match self {
            Self::Open { entry, parts } => {
                opening::open(&remote.client()?, &entry, &parts, output).await
            }
            Self::Check { file, key } => opening::check(&file, &key, output.json),
            Self::List { after, limit } => {
                let client = remote.client()?;
                let path = format!("ledger?after={after}&limit={limit}");
                // Raw, because the bodies are canonical text whose members keep their order.
                let answer: Box<RawValue> = client.get(&path).await?;
                if output.json {
                    super::output::line(&answer);
                    return Ok(ExitCode::SUCCESS);
                }
                let page: Value = serde_json::from_str(answer.get())?;
                Ok(output.list(&page, "entries", "No entries there.", |entry| {
                    [
                        entry["position"].to_string(),
                        super::output::text(&entry["recorded_at"]),
                        super::output::text(&entry["kind"]),
                        super::output::text(&entry["text"]),
                    ]
                }))
            }
        }
    }
}
