//! The `farmops-village` program.

use clap::Parser as _;
use farmops_service::telemetry;
use farmops_village::{
    cli::{Cli, client},
    serve,
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    farmops_service::tls::init();
    if let Some(command) = cli.command {
        return client::run(command, cli.client).await;
    }
    let config = cli.serve.config()?;
    telemetry::init(config.log_format, &config.log)?;
    serve::main(config).await
}
