//! The command line: without a command it serves; every command talks to a running tracker.

mod agents;
mod client;
mod proofs;
mod social;

use std::{net::IpAddr, net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use farmops_service::{config, metrics, stop, telemetry};
use serde_json::json;
use url::Url;
use uuid::Uuid;

use self::client::Client;
use crate::{config::Config, serve};

/// The farmer's own server: checks proofs, keeps the ledger, tells villages how the farm is doing.
#[derive(Debug, Parser)]
#[command(name = "farmops-tracker", version)]
pub struct Cli {
    #[command(flatten)]
    serve: ServeArgs,
    #[command(flatten)]
    remote: RemoteArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

/// How to serve. What is not given comes from `FARMOPS_*` variables, the file, or defaults.
#[derive(Debug, Args)]
struct ServeArgs {
    /// A TOML or YAML file with settings.
    #[arg(long, value_name = "FILE", env = "FARMOPS_CONFIG")]
    config: Option<PathBuf>,
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

/// Which tracker a command talks to.
#[derive(Debug, Args)]
struct RemoteArgs {
    /// The tracker's address.
    #[arg(
        long,
        global = true,
        default_value = "http://127.0.0.1:8443",
        help_heading = "Commands"
    )]
    url: Url,
    /// The file with the owner's token.
    #[arg(long, global = true, default_value = serve::TOKEN_FILE, help_heading = "Commands")]
    token_file: PathBuf,
    /// Answer in JSON.
    #[arg(long, global = true, help_heading = "Commands")]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The agents that may send proofs.
    #[command(subcommand)]
    Agents(AgentsCommand),
    /// The proofs.
    #[command(subcommand)]
    Proofs(ProofsCommand),
    /// Join a village.
    Join {
        /// The village's address.
        village: String,
        /// The invite code, if it asks for one.
        #[arg(long)]
        invite: Option<String>,
    },
    /// Follow a farmer or a village.
    Follow {
        /// Like @bob@harbour.example
        handle: String,
    },
}

#[derive(Debug, Subcommand)]
enum AgentsCommand {
    /// List every agent with its fingerprint.
    List,
    /// Trust an agent; its buffered proofs are scored.
    Approve {
        /// The agent's id.
        id: Uuid,
        /// The fingerprint as the agent itself shows it.
        #[arg(long)]
        fingerprint: String,
    },
    /// Trust an agent no longer.
    Revoke {
        /// The agent's id.
        id: Uuid,
    },
}

#[derive(Debug, Subcommand)]
enum ProofsCommand {
    /// List the latest proofs.
    List {
        /// Only those of this agent.
        #[arg(long)]
        agent: Option<Uuid>,
        /// Only those of this category.
        #[arg(long)]
        category: Option<String>,
        /// Only work finished since then, like 2026-02-21T09:30:00Z.
        #[arg(long)]
        since: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Show one proof.
    Show {
        /// The proof's id.
        id: Uuid,
    },
    /// Check every signature, chain link and score again.
    Verify {
        /// Check this database instead of a running tracker.
        #[arg(long = "db", value_name = "URL")]
        from_db: Option<String>,
    },
}

/// Does what the command line says.
///
/// # Errors
/// Whatever went wrong, for the person at the terminal.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let Some(command) = cli.command else {
        return serve_until_stopped(&cli.serve).await;
    };
    let json = cli.remote.json;
    let client = || Client::new(&cli.remote.url, &cli.remote.token_file);
    match command {
        Command::Agents(AgentsCommand::List) => agents::list(&client()?, json).await,
        Command::Agents(AgentsCommand::Approve { id, fingerprint }) => {
            agents::approve(&client()?, id, &fingerprint, json).await
        }
        Command::Agents(AgentsCommand::Revoke { id }) => agents::revoke(&client()?, id, json).await,
        Command::Proofs(ProofsCommand::List {
            agent,
            category,
            since,
            limit,
        }) => {
            let wanted = proofs::Wanted {
                agent,
                category,
                since,
                limit,
            };
            proofs::list(&client()?, &wanted, json).await
        }
        Command::Proofs(ProofsCommand::Show { id }) => proofs::show(&client()?, id).await,
        Command::Proofs(ProofsCommand::Verify { from_db: Some(url) }) => {
            proofs::report(&proofs::verify_database(&url).await?, json)
        }
        Command::Proofs(ProofsCommand::Verify { from_db: None }) => {
            proofs::report(&proofs::verify_server(&client()?).await?, json)
        }
        Command::Join { village, invite } => {
            social::join(&client()?, &village, invite.as_deref(), json).await
        }
        Command::Follow { handle } => social::follow(&client()?, &handle, json).await,
    }
}

async fn serve_until_stopped(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let config = load(args)?;
    telemetry::init(config.log_format, &config.log)?;
    metrics::install()?;
    let stop = stop::on_signal().context("listening for signals")?;
    if let Some(address) = config.metrics {
        metrics::listen(address, stop.clone()).await?;
    }
    serve::start(&config, stop).await?.wait().await?;
    Ok(ExitCode::SUCCESS)
}

fn load(args: &ServeArgs) -> Result<Config, config::ConfigError> {
    let flags = json!({
        "db": args.db,
        "listen": args.listen,
        "port": args.port,
        "public_url": args.public_url,
        "handle": args.handle,
        "name": args.name,
        "time_zone": args.time_zone,
        // A flag that is not given says nothing; there is no flag that says no.
        "allow_loopback": args.allow_loopback.then_some(true),
        "ca_file": args.ca_file,
        "metrics": args.metrics,
        "log": args.log,
        "log_format": args.log_format,
        "publish": { "snapshot_delay_seconds": args.snapshot_delay },
    });
    config::load(args.config.as_deref(), "FARMOPS_", std::env::vars(), flags)
}
