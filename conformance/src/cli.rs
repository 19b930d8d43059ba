//! The command line.

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use url::Url;

use crate::{
    checks,
    http::Client,
    probe::Probe,
    report::Report,
    run::run,
    selftest,
    session::Session,
    target::{Kind, Target},
};

/// Looks at a running server from outside and says which clauses of the protocol it keeps.
#[derive(Parser)]
#[command(name = "farmops-conformance", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the checks against servers.
    Run(Box<RunArgs>),
    /// List the checks and their clauses.
    List,
    /// See every check pass on a correct server and fail on one with a deliberate fault.
    Selftest {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct RunArgs {
    /// A server of any kind; what it is, is found out.
    #[arg(long, value_name = "URL")]
    target: Vec<Url>,
    /// A server that claims to be a tracker.
    #[arg(long, value_name = "URL")]
    tracker: Vec<Url>,
    /// A server that claims to be a village.
    #[arg(long, value_name = "URL")]
    village: Vec<Url>,
    /// The account to look at, like @alice@orchard.example; otherwise that of the front page.
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Only checks whose name or one of whose clauses fits, like signature-* or FED-SIG-*.
    #[arg(
        long,
        visible_alias = "clause",
        value_name = "GLOB",
        default_value = "*"
    )]
    only: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Servers are on this machine: allow http and resolve names under localhost to 127.0.0.1.
    #[arg(long)]
    allow_loopback: bool,
    /// Where the servers reach the suite's own actors; needed for the inbox checks.
    #[arg(long, value_name = "URL")]
    probe_url: Option<Url>,
    /// Where the suite's own actors listen.
    #[arg(long, value_name = "ADDR", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    probe_listen: SocketAddr,
    /// Another name of the suite's host, which the servers block.
    #[arg(long, value_name = "HOST")]
    blocked_host: Option<String>,
    /// Let an actor of the suite join a village for a moment, to see what becomes of a member's snapshots.
    #[arg(long)]
    join: bool,
    /// The owner's token of the tracker: lets an agent of the suite work there for a moment, to see what
    /// becomes of its keys and its chain. It is sent away again; the ledger keeps that it was there.
    #[arg(long, value_name = "FILE")]
    owner_token_file: Option<PathBuf>,
    /// Seconds to wait for a server to write back.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    patience: u64,
}

impl Cli {
    /// Does what the command line says; false when a check failed.
    pub async fn execute(self) -> anyhow::Result<bool> {
        let mut out = std::io::stdout().lock();
        match self.command {
            Command::Run(args) => {
                let (text, passed) = args.run().await?;
                out.write_all(text.as_bytes())?;
                Ok(passed)
            }
            Command::List => {
                for check in checks::all() {
                    writeln!(
                        out,
                        "{}  {}\n    {}",
                        check.name,
                        check.clauses.join(" "),
                        check.title
                    )?;
                }
                Ok(true)
            }
            Command::Selftest { json } => {
                let results = selftest::run().await?;
                if json {
                    writeln!(out, "{}", serde_json::to_string_pretty(&results)?)?;
                } else {
                    results
                        .iter()
                        .try_for_each(|result| writeln!(out, "{result}"))?;
                }
                Ok(results.iter().all(selftest::Trial::holds))
            }
        }
    }
}

impl RunArgs {
    async fn run(self) -> anyhow::Result<(String, bool)> {
        let client = Client::new(self.allow_loopback)?;
        let given = [
            (&self.target, None),
            (&self.tracker, Some(Kind::Tracker)),
            (&self.village, Some(Kind::Village)),
        ];
        let given: Vec<_> = given
            .into_iter()
            .flat_map(|(urls, kind)| urls.iter().map(move |url| (url, kind)))
            .collect();
        if given.is_empty() {
            bail!("name a server with --target, --tracker or --village");
        }
        for (url, _) in &given {
            if url.scheme() != "https" && !self.allow_loopback {
                bail!("{url} is not https; --allow-loopback allows http");
            }
        }
        let probe = if self.probe_url.is_some() || self.allow_loopback {
            let blocked = self.blocked_host.as_deref();
            let started = Probe::start(self.probe_listen, self.probe_url.clone(), blocked).await;
            Some(started.context("the suite's own actors cannot listen")?)
        } else {
            None
        };
        let owner_token = match &self.owner_token_file {
            Some(file) => {
                let token = std::fs::read_to_string(file);
                let token = token.with_context(|| format!("reading {}", file.display()))?;
                Some(token.trim().to_owned())
            }
            None => None,
        };
        let mut reports = Vec::new();
        for (url, kind) in given {
            let found = Target::discover(&client, url, kind, self.account.as_deref()).await;
            let target = match found {
                Ok(target) => target,
                Err(error) => {
                    reports.push(Report::undiscovered(url, kind, &error));
                    continue;
                }
            };
            let patience = Duration::from_secs(self.patience);
            let mut session = Session::new(client.clone(), target, probe.clone(), patience);
            session.may_join = self.join;
            if let Some(token) = &owner_token {
                session.lend_owner_token(token.clone());
            }
            reports.push(run(&session, &self.only).await);
        }
        let passed = reports.iter().all(Report::passed);
        let text = if self.json {
            serde_json::to_string_pretty(&reports)? + "\n"
        } else {
            reports.iter().map(ToString::to_string).collect()
        };
        Ok((text, passed))
    }
}
