//! The `farmops-tracker` program.

use std::process::ExitCode;

use clap::Parser as _;
use farmops_tracker::cli::{Cli, run, told};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("farmops-tracker: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}
