//! The `farmops-tracker` program.

use std::process::ExitCode;

use clap::Parser as _;
use farmops_tracker::cli::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("farmops-tracker: {error:#}");
            ExitCode::FAILURE
        }
    }
}
