//! Which tracker a command talks to, and how its answer is wanted.

use std::path::PathBuf;

use clap::Args;
use url::Url;

use super::{client::Client, output::Output};
use crate::serve;

/// Which tracker a command talks to.
#[derive(Debug, Args)]
pub(super) struct RemoteArgs {
    /// The tracker's address.
    #[arg(
        long,
        global = true,
        default_value = "http://127.0.0.1:8443",
        help_heading = "Commands"
    )]
    pub(super) url: Url,
    /// The file with the owner's token.
    #[arg(long, global = true, default_value = serve::TOKEN_FILE, help_heading = "Commands")]
    pub(super) token_file: PathBuf,
    /// Answer in JSON.
    #[arg(long, global = true, help_heading = "Commands")]
    json: bool,
}

impl RemoteArgs {
    pub(super) fn client(&self) -> anyhow::Result<Client> {
        Client::new(&self.url, &self.token_file)
    }

    pub(super) fn output(&self) -> Output {
        Output { json: self.json }
    }
}
