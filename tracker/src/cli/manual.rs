//! Completions for the shell and man pages, both made from the commands themselves.

use std::{
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Cli;

/// Prints the completions for `shell`.
pub(super) fn completions(shell: Shell) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "farmops-tracker", &mut script);
    match io::stdout().write_all(&script) {
        // Whoever reads may stop early.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("writing the completions")
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Writes one page for the program and one for each command, into `folder`.
pub(super) fn man(folder: &Path) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .with_context(|| format!("writing man pages into {}", folder.display()))?;
    println!(
        "The pages are in {0}; read one with `man {0}/farmops-tracker.1`.",
        folder.display()
    );
    Ok(ExitCode::SUCCESS)
}
