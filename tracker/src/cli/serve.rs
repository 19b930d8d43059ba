//! Serving: the settings a person gives on the command line.

use std::{net::IpAddr, net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::Args;
use farmops_service::{config, metrics, stop, telemetry};
use serde_json::json;
use url::Url;

use crate::{config::Config, serve};

/// How to serve. What is not given comes from `FARMOPS_*` variables, the file, or defaults.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// A TOML or YAML file with settings.
    #[arg(long, global = true, value_name = "FILE", env = "FARMOPS_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// The database, as `sqlite://PATH`.
    #[arg(long, value_name = "URL")]
    db: Option<String>,
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<IpAddr>,
    /// The port for HTTP and gRPC.
    #[arg(long)]
    port: Option<u16>,
    /// Where the world reaches this tracker, without a path.
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
    /// The name before the @.
    #[arg(long)]
    handle: Option<String>,
    /// The farm's name.
    #[arg(long)]
    name: Option<String>,
    /// The farmer's IANA time zone.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Development: allow loopback addresses and plain HTTP for peers.
    #[arg(long)]
    allow_loopback: bool,
    /// Further certificate authorities for outgoing HTTPS, as PEM.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Serve Prometheus metrics here.
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
    /// What is logged, like `info,farmops_tracker=debug`.
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// text or json.
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Seconds from a change to the snapshot that shows it.
    #[arg(long, value_name = "SECONDS")]
    snapshot_delay: Option<u64>,
}

impl ServeArgs {
    /// Serves until a signal says stop.
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        let config = self.load()?;
        config.check()?;
        telemetry::init(config.log_format, &config.log)?;
        metrics::install()?;
        let stop = stop::on_signal().context("listening for signals")?;
        if let Some(address) = config.metrics {
            metrics::listen(address, stop.clone()).await?;
        }
        serve::start(&config, stop).await?.wait().await?;
        Ok(ExitCode::SUCCESS)
    }

    /// The database that is named behind a command or before it, or the one of the settings.
    pub(super) fn database(&self, named: Option<String>) -> anyhow::Result<String> {
        match named.or_else(|| self.db.clone()) {
            Some(url) => Ok(url),
            None => Ok(self.of_database().context("finding the database")?.db),
        }
    }

    /// The settings for work on the database alone, which needs no public address.
    pub(super) fn of_database(&self) -> Result<Config, config::ConfigError> {
        match self.load() {
            Err(config::ConfigError::Missing { key, .. }) if key == "public_url" => {
                self.load_with(Some("https://farm.invalid"))
            }
            other => other,
        }
    }

    /// The settings: these flags over the variables over the file over the defaults.
    pub(super) fn load(&self) -> Result<Config, config::ConfigError> {
        self.load_with(self.public_url.as_ref().map(Url::as_str))
    }

    fn load_with(&self, public_url: Option<&str>) -> Result<Config, config::ConfigError> {
        let flags = json!({
            "db": self.db,
            "listen": self.listen,
            "port": self.port,
            "public_url": public_url,
            "handle": self.handle,
            "name": self.name,
            "time_zone": self.time_zone,
            // A flag that is not given says nothing; there is no flag that says no.
            "allow_loopback": self.allow_loopback.then_some(true),
            "ca_file": self.ca_file,
            "metrics": self.metrics,
            "log": self.log,
            "log_format": self.log_format,
            "publish": { "snapshot_delay_seconds": self.snapshot_delay },
        });
        config::load(self.config.as_deref(), "FARMOPS_", std::env::vars(), flags)
    }
}
