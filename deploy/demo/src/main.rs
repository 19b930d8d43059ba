//! The `farmops-demo` program.

use std::process::ExitCode;

use clap::Parser;
use farmops_demo::args::{Args, Command};
use farmops_demo::launch::launch;

fn main() -> ExitCode {
    let args = Args::parse();
    let result = match &args.command {
        Some(Command::Launch { parent, line }) => launch(*parent, line),
        None => farmops_demo::run::run(&args),
    };
    if let Err(error) = result {
        eprintln!("farmops-demo: {error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
