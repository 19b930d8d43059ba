//! The command line: without a command it serves the village; a command asks a running one.

pub mod client;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use farmops_service::{
    config::{self, ConfigError},
    telemetry, tls,
};
use serde::Serialize;
use url::Url;

use crate::{config::Config, roster::Registration, serve};

/// A FarmOps village: leaderboards and farms of its members and of befriended villages.
#[derive(Debug, Parser)]
#[command(name = "farmops-village", version, about, max_term_width = 100)]
pub struct Cli {
    /// How to serve.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Whom to ask, for commands.
    #[command(flatten)]
    pub client: ClientArgs,
    /// What to ask a running village.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags of the server; each is also a key of the configuration file.
#[derive(Debug, Args, Serialize)]
pub struct ServeArgs {
    /// Configuration file (TOML or YAML).
    #[arg(long, env = "FARMOPS_CONFIG")]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// Database, `sqlite://PATH`.
    #[arg(long)]
    db: Option<String>,
    /// Name of the village.
    #[arg(long)]
    name: Option<String>,
    /// Handle of the village before the `@`; made from its name if not given.
    #[arg(long)]
    handle: Option<String>,
    /// One line about the village.
    #[arg(long)]
    description: Option<String>,
    /// Address to listen on.
    #[arg(long)]
    listen: Option<String>,
    /// Port to listen on.
    #[arg(long)]
    port: Option<u16>,
    /// Where the world reaches this village: scheme and host.
    #[arg(long)]
    public_url: Option<String>,
    /// Who may join.
    #[arg(long)]
    #[serde(serialize_with = "registration_word")]
    registration: Option<Registration>,
    /// File with a league whose rules the village supplies; once for each league.
    #[arg(long = "league", value_name = "FILE")]
    leagues: Option<Vec<PathBuf>>,
    /// Development: allow plain HTTP, ports and loopback addresses.
    #[arg(long)]
    #[serde(serialize_with = "given")]
    allow_loopback: bool,
    /// Further certificate authorities (PEM) for outgoing HTTPS.
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// Address for Prometheus metrics.
    #[arg(long)]
    metrics: Option<String>,
    /// Log filter, in the syntax of `env_logger`.
    #[arg(long)]
    log: Option<String>,
    /// Log format: text or json.
    #[arg(long)]
    log_format: Option<String>,
}

/// Whom a command asks.
#[derive(Debug, Args)]
pub struct ClientArgs {
    /// The village to ask.
    #[arg(long, global = true, default_value = "http://127.0.0.1:8080")]
    pub url: Url,
    /// File with the admin's token.
    #[arg(long, global = true, default_value = "admin.token")]
    pub token_file: PathBuf,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What can be asked of a running village.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow a farmer of another village, like @alice@orchard.example.
    Follow {
        /// The farmer's handle.
        handle: String,
    },
    /// Stop following a farmer.
    Unfollow {
        /// The farmer's handle or id.
        farmer: String,
    },
    /// Ask another village to federate.
    Connect {
        /// Its address.
        village: String,
    },
    /// Other villages.
    #[command(subcommand)]
    Peers(Peers),
    /// Members and those who want to be.
    #[command(subcommand)]
    Farmers(Farmers),
    /// Invites.
    #[command(subcommand)]
    Invites(Invites),
}

/// Other villages.
#[derive(Debug, Subcommand)]
pub enum Peers {
    /// List them.
    List,
    /// Agree to federate with one that asked.
    Accept {
        /// Its id or host.
        peer: String,
    },
    /// End the federation with one.
    Disconnect {
        /// Its id or host.
        peer: String,
    },
    /// Block its server.
    Block {
        /// Its id or host.
        peer: String,
    },
    /// Lift the block of its server.
    Unblock {
        /// Its id or host.
        peer: String,
    },
}

/// Members and those who want to be.
#[derive(Debug, Subcommand)]
pub enum Farmers {
    /// List them.
    List {
        /// active, pending, left or removed.
        #[arg(long, default_value = "active")]
        status: String,
    },
    /// Let one in who waits.
    Approve {
        /// The farmer's handle or id.
        farmer: String,
    },
    /// Send one away.
    Remove {
        /// The farmer's handle or id.
        farmer: String,
    },
}

/// Invites.
#[derive(Debug, Subcommand)]
pub enum Invites {
    /// Make one; its code is shown this once.
    Create {
        /// How many farmers it lets in.
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// For how many days.
        #[arg(long, default_value_t = 14)]
        days: u32,
    },
}

/// Serves, or asks a running village.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    tls::init();
    if let Some(command) = cli.command {
        return client::run(command, cli.client).await;
    }
    let config = cli.serve.config()?;
    telemetry::init(config.log_format, &config.log)?;
    serve::main(config).await
}

impl ServeArgs {
    /// The configuration with these flags on top.
    pub fn config(&self) -> Result<Config, ConfigError> {
        // A struct of options always serialises.
        let flags = serde_json::to_value(self).unwrap_or_default();
        config::load(self.config.as_deref(), "FARMOPS_", std::env::vars(), flags)
    }
}

// serde's `serialize_with` hands over a reference to whatever the field is.
#[allow(clippy::trivially_copy_pass_by_ref, clippy::ref_option)]
fn registration_word<S: serde::Serializer>(
    registration: &Option<Registration>,
    to: S,
) -> Result<S::Ok, S::Error> {
    registration.map(Registration::as_str).serialize(to)
}

/// A switch that was not given says nothing, so that the file may say yes.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn given<S: serde::Serializer>(switch: &bool, to: S) -> Result<S::Ok, S::Error> {
    switch.then_some(true).serialize(to)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_become_configuration() {
        let line = "farmops-village --db sqlite:///tmp/v.db --name Orchard --port 1234 \
                    --public-url http://orchard.localhost:1234 --registration invite \
                    --allow-loopback --league harvest.json --league autumn.json";
        let config = Cli::parse_from(line.split_whitespace())
            .serve
            .config()
            .unwrap();
        assert_eq!(config.port, 1234);
        assert_eq!(config.registration, Registration::Invite);
        assert!(config.allow_loopback);
        assert_eq!(
            config.leagues,
            ["harvest.json", "autumn.json"].map(PathBuf::from)
        );
        config.check().unwrap();
    }

    #[test]
    fn commands_take_their_own_flags() {
        let line = "farmops-village peers accept harbour.example --url http://127.0.0.1:9 --json";
        let cli = Cli::parse_from(line.split_whitespace());
        assert!(matches!(
            cli.command,
            Some(Command::Peers(Peers::Accept { .. }))
        ));
        assert!(cli.client.json);
    }
}
