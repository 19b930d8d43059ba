//! The command line: without a command it serves; every command talks to a running tracker, or says
//! that it works on the database itself.
//!
//! To add a command: a variant in the file of its noun, with its arguments, and its arm below it.

mod agents;
mod client;
mod doctor;
mod farm;
mod keeping;
mod layout;
mod leagues;
mod ledger;
mod manual;
mod opening;
mod output;
mod proofs;
mod prune;
mod remote;
mod rules;
mod serve;
mod shop;
mod social;
mod tokens;
mod upkeep;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use clap_complete::Shell;

pub use self::output::told;
use self::{
    agents::AgentsCommand,
    farm::FarmCommand,
    keeping::{BackupArgs, ExportArgs, ImportArgs, RestoreArgs},
    layout::LayoutCommand,
    leagues::LeaguesCommand,
    ledger::LedgerCommand,
    proofs::ProofsCommand,
    prune::{PruneArgs, UnpruneArgs},
    remote::RemoteArgs,
    rules::RulesCommand,
    serve::ServeArgs,
    shop::ShopCommand,
    social::{FollowArgs, FollowersCommand, FollowingCommand, JoinArgs, VillagesCommand},
    tokens::{OwnerTokenCommand, SessionsCommand, TokensCommand},
    upkeep::UpkeepArgs,
};
use crate::config::Config;

/// The farmer's own server: checks proofs, keeps the ledger, tells villages how the farm is doing.
#[derive(Debug, Parser)]
#[command(name = "farmops-tracker", version)]
pub struct Cli {
    #[command(flatten)]
    serve: ServeArgs,
    #[command(flatten)]
    remote: RemoteArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

impl Cli {
    /// Whether the answer is wanted as JSON.
    pub fn wants_json(&self) -> bool {
        self.remote.json
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The agents that may send proofs.
    #[command(subcommand)]
    Agents(AgentsCommand),
    /// The proofs.
    #[command(subcommand)]
    Proofs(ProofsCommand),
    /// The farm.
    #[command(subcommand)]
    Farm(FarmCommand),
    /// What can be had for coins.
    #[command(subcommand)]
    Shop(ShopCommand),
    /// Where things stand on the farm.
    #[command(subcommand)]
    Layout(LayoutCommand),
    /// By what proofs are scored.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// The leagues by whose rules proofs are scored as well.
    #[command(subcommand)]
    Leagues(LeaguesCommand),
    /// The ledger's entries.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// The villages the farm is in.
    #[command(subcommand)]
    Villages(VillagesCommand),
    /// Who follows the farm.
    #[command(subcommand)]
    Followers(FollowersCommand),
    /// Whom the farm follows.
    #[command(subcommand)]
    Following(FollowingCommand),
    /// Join a village: `villages join`.
    Join(JoinArgs),
    /// Follow a farmer or a village: `following add`.
    Follow(FollowArgs),
    /// The tokens by which programs may do some of what you may.
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// Your own token, which may do everything.
    #[command(subcommand)]
    OwnerToken(OwnerTokenCommand),
    /// Your sessions in browsers.
    #[command(subcommand)]
    Sessions(SessionsCommand),
    /// Look for what is wrong with the settings, the database and the running tracker.
    Doctor {
        /// The database; without it, the one of the settings. A tracker may run on it.
        #[arg(long = "db", value_name = "URL")]
        of: Option<String>,
    },
    /// Check the database against its own ledger, without changing it.
    Fsck(UpkeepArgs),
    /// Make everything that follows from the ledger anew, on a database that no tracker runs on.
    Rebuild(UpkeepArgs),
    /// Copy the whole database, keys included, to a file.
    Backup(BackupArgs),
    /// Make a database of a backup, after checking it.
    Restore(RestoreArgs),
    /// Move what the proofs of a closed season say to a signed file, on a database that no tracker runs on.
    Prune(PruneArgs),
    /// Put back what such a file holds.
    Unprune(UnpruneArgs),
    /// Write the ledger and the farm to a signed archive.
    Export(ExportArgs),
    /// Check a signed archive, or found the farm anew from it.
    Import(ImportArgs),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write man pages.
    Man {
        /// Where to.
        #[arg(default_value = "man")]
        folder: PathBuf,
    },
}

/// Does what the command line says.
///
/// # Errors
/// Whatever went wrong, for the person at the terminal.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let Some(command) = cli.command else {
        return cli.serve.run().await;
    };
    let settings = settings(&cli.serve, &command)?;
    let remote = &cli.remote.of(settings.as_ref())?;
    let output = remote.output();
    match command {
        Command::Agents(command) => command.run(&remote.client()?, output).await,
        Command::Proofs(command) => command.run(remote).await,
        Command::Farm(command) => command.run(&remote.client()?, output).await,
        Command::Shop(command) => command.run(&remote.client()?, output).await,
        Command::Layout(command) => command.run(&remote.client()?, output).await,
        Command::Rules(command) => command.run(&remote.client()?, output).await,
        Command::Leagues(command) => command.run(&remote.client()?, output).await,
        Command::Ledger(command) => command.run(remote).await,
        Command::Fsck(args) => args.fsck(&cli.serve, output).await,
        Command::Rebuild(args) => args.rebuild(&cli.serve, output).await,
        Command::Backup(args) => args.run(&cli.serve, output).await,
        Command::Restore(args) => args.run(&cli.serve, output).await,
        Command::Prune(args) => args.run(&cli.serve, output).await,
        Command::Unprune(args) => args.run(&cli.serve, output).await,
        Command::Export(args) => args.run(&cli.serve, output).await,
        Command::Import(args) => args.run(&cli.serve, output).await,
        Command::Villages(command) => command.run(&remote.client()?, output).await,
        Command::Followers(command) => command.run(&remote.client()?, output).await,
        Command::Following(command) => command.run(&remote.client()?, output).await,
        Command::Join(args) => args.run(&remote.client()?, output).await,
        Command::Follow(args) => args.run(&remote.client()?, output).await,
        Command::Tokens(command) => command.run(&remote.client()?, output).await,
        Command::OwnerToken(command) => command.run(&cli.serve, remote).await,
        Command::Sessions(command) => command.run(&remote.client()?, output).await,
        Command::Doctor { of } => doctor::run(&cli.serve, of, remote).await,
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { folder } => manual::man(&folder),
    }
}

/// The settings of the tracker, as far as there are any: those in a file that is named must be sound.
fn settings(serve: &ServeArgs, command: &Command) -> anyhow::Result<Option<Config>> {
    // The doctor says in its own words what is wrong with them, and the others need none.
    let needed = !matches!(
        command,
        Command::Doctor { .. } | Command::Completions { .. } | Command::Man { .. }
    );
    match serve.of_database() {
        Ok(settings) => Ok(Some(settings)),
        Err(error) if needed && serve.config.is_some() => Err(error.into()),
        Err(_) => Ok(None),
    }
}
