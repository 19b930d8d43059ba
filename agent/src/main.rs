//! The `farmops-agent` program.

use std::path::PathBuf;

use clap::Parser;
use farmops_agent::agent::Agent;
use farmops_agent::config::AgentConfig;
use farmops_service::{metrics, stop, telemetry};

/// Watches finished work beside your infrastructure and tells your tracker, without its content.
#[derive(Parser)]
#[command(name = "farmops-agent", version)]
struct Flags {
    /// The configuration file (YAML or TOML).
    #[arg(long, env = "FARMOPS_CONFIG")]
    config: Option<PathBuf>,
    /// The tracker, for example <https://farm.example:8443>.
    #[arg(long)]
    tracker_url: Option<String>,
    /// Where the agent keeps its identity, queue and outbox.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Address of the agent's own API.
    #[arg(long)]
    listen: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let given = serde_json::json!({
        "tracker_url": flags.tracker_url,
        "data_dir": flags.data_dir,
        "listen": flags.listen,
    });
    let config = AgentConfig::load(flags.config.as_deref(), std::env::vars(), given)?;
    telemetry::init(config.log.format, &config.log.filter)?;
    metrics::install()?;
    let stop = stop::on_signal()?;
    if let Some(address) = config.metrics_listen {
        metrics::listen(address, stop.clone()).await?;
    }
    let agent = Agent::start(config, stop).await?;
    tracing::info!(api = %agent.api, webhooks = ?agent.webhooks, "the agent is at work");
    agent.run().await;
    Ok(())
}
