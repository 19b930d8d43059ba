//! `ledger`: everything that ever counted, in order.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, value::RawValue};

use super::{client::Client, output::Output};

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
}

impl LedgerCommand {
    pub(super) async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { after, limit } => {
                let path = format!("ledger?after={after}&limit={limit}");
                // Raw, because the bodies are canonical text whose members keep their order.
                let answer: Box<RawValue> = client.get(&path).await?;
                if output.json {
                    println!("{answer}");
                    return Ok(ExitCode::SUCCESS);
                }
                let page: Value = serde_json::from_str(answer.get())?;
                Ok(output.list(&page, "entries", "No entries there.", |entry| {
                    [
                        entry["position"].to_string(),
                        super::output::text(&entry["recorded_at"]),
                        super::output::text(&entry["kind"]),
                        entry["body"].to_string(),
                    ]
                }))
            }
        }
    }
}
