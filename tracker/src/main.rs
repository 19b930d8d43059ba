//! The `farmops-tracker` program.

use std::process::ExitCode;

use clap::Parser as _;
use farmops_tracker::cli::{Cli, run, told};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.wants_json();
    match run(cli).await {
        Ok(code) => code,
        Err(error) => {
            let error = told(&error);
            if json {
                println!("{}", serde_json::json!({ "error": error }));
            } else {
                eprintln!("farmops-tracker: {error}");
            }
            ExitCode::FAILURE
        }
    }
}
