//! The `farmops-village` program.

use std::process::ExitCode;

use clap::Parser as _;
use farmops_village::cli::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("farmops-village: {error:#}");
            ExitCode::FAILURE
        }
    }
}
