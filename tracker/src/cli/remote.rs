//! Which tracker a command talks to, and how its answer is wanted.

use std::{path::PathBuf, time::SystemTime};

use anyhow::Context as _;
use clap::Args;
use farmops_service::{
    outbound::{Outbound, Reach},
    tls::ClientIdentity,
};
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
        value_parser = base_url,
        help_heading = "Commands"
    )]
    pub(super) url: Url,
    /// The file with the owner's token.
    #[arg(long, global = true, default_value = serve::TOKEN_FILE, help_heading = "Commands")]
    pub(super) token_file: PathBuf,
    /// The authority of the tracker's certificate, as PEM, if the system does not know it.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Commands")]
    tracker_ca: Option<PathBuf>,
    /// The certificate to show to a tracker that asks for one, as PEM.
    #[arg(
        long,
        value_name = "FILE",
        requires = "client_key",
        help_heading = "Commands"
    )]
    #[arg(global = true)]
    client_cert: Option<PathBuf>,
    /// Its key.
    #[arg(
        long,
        value_name = "FILE",
        requires = "client_cert",
        help_heading = "Commands"
    )]
    #[arg(global = true)]
    client_key: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long, global = true, help_heading = "Commands")]
    json: bool,
}

fn base_url(text: &str) -> Result<Url, String> {
    match text.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err("expected a URL like https://farm.example:8443".to_owned()),
    }
}

impl RemoteArgs {
    pub(super) fn client(&self) -> anyhow::Result<Client> {
        let outbound = self.outbound("farmops-tracker-cli")?;
        Client::new(&self.url, &self.token_file, outbound)
    }

    /// How a command reaches the tracker.
    pub(super) fn outbound(&self, user_agent: &str) -> anyhow::Result<Outbound> {
        let (reach, ca_file) = (Reach::Operator, self.tracker_ca.as_deref());
        if let (Some(cert), Some(key)) = (&self.client_cert, &self.client_key) {
            let identity = ClientIdentity::from_files(cert, key, SystemTime::now())
                .context("reading the certificate to show")?;
            return Ok(Outbound::with_identity(
                reach, user_agent, ca_file, &identity,
            )?);
        }
        Ok(match ca_file {
            Some(file) => Outbound::with_ca_file(reach, user_agent, file)?,
            None => Outbound::new(reach, user_agent)?,
        })
    }

    pub(super) fn output(&self) -> Output {
        Output { json: self.json }
    }
}
