//! The command line of `farmops-demo`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Starts two villages, two farmers and their agents on this machine and lets them work.
#[derive(Debug, Parser)]
#[command(name = "farmops-demo", version)]
pub struct Args {
    /// Assert every step through the public HTTP interfaces, print a table of steps, and stop.
    #[arg(long)]
    pub check: bool,
    /// After the story, `kill -9` this many times at random moments under load and count the books.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub kills: u32,
    /// Where the random moments start; printed, so that a run can be repeated.
    #[arg(long)]
    pub seed: Option<u64>,
    /// The folder with databases, keys and logs [default: .demo, or .demo-check with --check].
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Forget what an earlier run left in the folder; --check always does.
    #[arg(long)]
    pub fresh: bool,
    /// The folder with the programs [default: the one this program is in].
    #[arg(long)]
    pub programs: Option<PathBuf>,
    /// What else this program can do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Other things than the demo.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Becomes another program that ends when its parent does.
    #[command(hide = true)]
    Launch {
        /// The process whose end ends this one.
        #[arg(long)]
        parent: i32,
        /// The program and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        line: Vec<OsString>,
    },
}

impl Args {
    /// The folder to use.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let default = if self.check { ".demo-check" } else { ".demo" };
        self.dir.clone().unwrap_or_else(|| default.into())
    }
}
