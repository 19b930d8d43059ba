//! The `farmops-conformance` program.

use std::process::ExitCode;

use clap::Parser;
use farmops_conformance::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().execute().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("farmops-conformance: {error:#}");
            ExitCode::from(2)
        }
    }
}
