//! Which tracker a command talks to, and how its answer is wanted.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::Context as _;
use clap::Args;
use farmops_service::{
    outbound::{Outbound, Reach},
    tls::ClientIdentity,
};
use url::Url;

use super::{client::Client, output::Output};
use crate::{config::Config, serve::token_path, store::Place};

/// Which tracker a command talks to.
#[derive(Debug, Args)]
pub(super) struct RemoteArgs {
    /// The tracker's address. Default: where the settings say that it listens.
    #[arg(
        long,
        global = true,
        value_parser = base_url,
        help_heading = "Commands"
    )]
    url: Option<Url>,
    /// The file with the owner's token. Default: where the settings say that the tracker wrote it.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Commands")]
    token_file: Option<PathBuf>,
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
    pub(super) json: bool,
}

fn base_url(text: &str) -> Result<Url, String> {
    match text.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err("expected a URL like https://farm.example:8443".to_owned()),
    }
}

/// The tracker that a command talks to.
#[derive(Debug)]
pub(super) struct Remote {
    pub(super) url: Url,
    /// The file with the owner's token.
    pub(super) token_file: PathBuf,
    args: RemoteArgs,
}

impl RemoteArgs {
    /// What is not given follows from the tracker's settings, as far as they are known.
    pub(super) fn of(self, settings: Option<&Config>) -> anyhow::Result<Remote> {
        let url = match &self.url {
            Some(url) => url.clone(),
            None => listening(settings)?,
        };
        let token_file = self.token_file.clone().unwrap_or_else(|| {
            let place = settings.and_then(|settings| Place::of(&settings.db).ok());
            let folder = place.as_ref().map_or(Path::new(""), Place::folder);
            token_path(settings, folder)
        });
        Ok(Remote {
            url,
            token_file,
            args: self,
        })
    }
}

/// Where a tracker with these settings is asked on its own machine.
fn listening(settings: Option<&Config>) -> anyhow::Result<Url> {
    let Some(settings) = settings else {
        return Ok(Url::parse("http://127.0.0.1:8443")?);
    };
    if settings.tls.cert_file.is_some() {
        // The name that its certificate is for.
        return Ok(settings.public_url.clone());
    }
    let address = match settings.listen {
        IpAddr::V4(any) if any.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(any) if any.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        named => named,
    };
    let address = SocketAddr::from((address, settings.port));
    Ok(Url::parse(&format!("http://{address}"))?)
}

impl Remote {
    pub(super) fn client(&self) -> anyhow::Result<Client> {
        let outbound = self.outbound("farmops-tracker-cli")?;
        Client::new(&self.url, &self.token_file, outbound)
    }

    /// How a command reaches the tracker.
    pub(super) fn outbound(&self, user_agent: &str) -> anyhow::Result<Outbound> {
        let (reach, ca_file) = (Reach::Operator, self.args.tracker_ca.as_deref());
        if let (Some(cert), Some(key)) = (&self.args.client_cert, &self.args.client_key) {
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
        Output {
            json: self.args.json,
        }
    }
}
