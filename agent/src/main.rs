//! The `farmops-agent` program.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use farmops_agent::agent::{self, Agent};
use farmops_agent::cli::plugins::PluginsCommand;
use farmops_agent::cli::{self, KeysCommand};
use farmops_agent::config::AgentConfig;
use farmops_agent::evidence::{self, EvidenceCommand};
use farmops_agent::identity::mounted;
use farmops_agent::plugins::replay::replay;
use farmops_agent::ready;
use farmops_agent::sandbox;
use farmops_agent::standby::Leadership;
use farmops_service::probes::Probes;
use farmops_service::{metrics, stop, telemetry};
use url::Url;

/// Watches finished work beside your infrastructure and tells your tracker, without its content.
#[derive(Parser)]
#[command(name = "farmops-agent", version)]
struct Flags {
    /// The configuration file (YAML or TOML).
    #[arg(long, global = true, env = "FARMOPS_CONFIG")]
    config: Option<PathBuf>,
    /// The tracker, for example <https://farm.example:8443>.
    #[arg(long, global = true)]
    tracker_url: Option<String>,
    /// Where the agent keeps its identity, queue and outbox.
    #[arg(long, global = true)]
    data_dir: Option<PathBuf>,
    /// Address of the agent's own API.
    #[arg(long)]
    listen: Option<String>,
    /// Without a command the agent goes to work.
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// The agent's key.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Identities as files, for a Secret that `identity_dir` names.
    #[command(subcommand)]
    Identity(IdentityCommand),
    /// What a proof rests on. Exit status: 0 verified, 3 something differs, 4 gone, 5 under another key.
    Evidence(EvidenceCommand),
    /// Asks a running agent whether it can do its work; fails with what it lacks. For health checks.
    Ready {
        /// Where it answers, for example <http://farmops-agent:9092>; unless given, where the configuration says.
        #[arg(long)]
        at: Option<Url>,
    },
    /// What can be done with plugins.
    #[command(subcommand)]
    Plugins(PluginsCommand),
    /// Becomes a plugin that is locked up; the agent starts itself so.
    #[command(name = sandbox::COMMAND, hide = true)]
    Sandbox {
        /// A `sandbox::Plan` in JSON.
        plan: String,
    },
}

#[derive(Subcommand)]
enum IdentityCommand {
    /// Makes an identity in a new folder; needs no configuration.
    New {
        /// Where `agent.id`, `agent.key`, `farm.secret` and `evidence.key` go.
        folder: PathBuf,
    },
    /// Copies this agent's identity into a new folder.
    Export {
        /// Where it goes.
        folder: PathBuf,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let flags = Flags::parse();
    // Before there are threads: what is given away, each thread gives away for itself.
    if let Some(Command::Sandbox { plan }) = &flags.command {
        return Err(sandbox::exec(&serde_json::from_str(plan)?).into());
    }
    run(flags)
}

#[tokio::main(flavor = "current_thread")]
async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    if let Some(Command::Identity(IdentityCommand::New { folder })) = &flags.command {
        let identity = mounted::make(folder, &mut rand::rng(), uuid::Uuid::now_v7())?;
        println!("agent       {}", identity.agent_id);
        println!(
            "fingerprint {}",
            identity.key.current().public().fingerprint()
        );
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(Command::Plugins(PluginsCommand::Replay {
        recording,
        component,
    })) = &flags.command
    {
        println!("{}", replay(recording, component)?);
        return Ok(ExitCode::SUCCESS);
    }
    let given = serde_json::json!({
        "tracker_url": flags.tracker_url,
        "data_dir": flags.data_dir,
        "listen": flags.listen,
    });
    if let Some(Command::Ready { at: Some(at) }) = &flags.command {
        return be_ready(at).await;
    }
    let config = AgentConfig::load(flags.config.as_deref(), std::env::vars(), given)?;
    telemetry::init(config.log.format, &config.log.filter)?;
    match flags.command {
        Some(Command::Keys(command)) => {
            farmops_service::tls::init();
            println!("{}", cli::run(&config, command).await?);
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Evidence(command)) => {
            let (text, ending) = evidence::run(&config, &command).await?;
            println!("{text}");
            return Ok(ExitCode::from(ending.status()));
        }
        Some(Command::Identity(IdentityCommand::Export { folder })) => {
            mounted::export(&config.data_dir, &folder)?;
            println!("the identity is in {}", folder.display());
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Ready { .. }) => return be_ready(&ready::own_address(&config)?).await,
        Some(Command::Plugins(command)) => {
            farmops_service::tls::init();
            let said = cli::plugins::run(&config, &command).await?;
            println!("{}", said.text);
            return Ok(if said.passed {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        Some(Command::Identity(IdentityCommand::New { .. }) | Command::Sandbox { .. }) | None => {}
    }
    metrics::install()?;
    let stop = stop::on_signal()?;
    if let Some(address) = config.metrics_listen {
        metrics::listen(address, stop.clone()).await?;
    }
    let probes = Probes::default();
    if let Some(address) = config.health_listen {
        let address = probes.listen(address, stop.clone()).await?;
        tracing::info!(%address, "probes are answered");
    }
    let mut leadership = None;
    if let Some(standby) = &config.standby {
        leadership = agent::stand_by(&config, standby, &probes, &stop).await?;
        if leadership.is_none() {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let mandate = leadership.as_ref().map(Leadership::mandate);
    let agent = Agent::start_leading(config, mandate, stop).await?;
    probes.answer_with(agent.health.clone());
    tracing::info!(api = %agent.api, webhooks = ?agent.webhooks, "the agent is at work");
    agent.run().await;
    Ok(match leadership {
        Some(leadership) => leadership.end().await,
        None => ExitCode::SUCCESS,
    })
}

async fn be_ready(at: &Url) -> anyhow::Result<ExitCode> {
    farmops_service::tls::init();
    ready::ask(at).await?;
    println!("ready");
    Ok(ExitCode::SUCCESS)
}
