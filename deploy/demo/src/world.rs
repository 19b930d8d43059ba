//! The demo's programs, running: started, found again by name, killed, restarted, stopped.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;
use url::Url;

use crate::agent::Agent;
use crate::args::Args;
use crate::cast::{self, Cast, Farmer};
use crate::folder::Folder;
use crate::process::{Launcher, Line, Process};
use crate::tracker::{self, Tracker};
use crate::village::{self, Village};
use crate::web::Web;

/// Everything the story needs.
#[derive(Debug)]
pub struct World {
    /// Who plays.
    pub cast: Cast,
    /// Where everything is kept.
    pub folder: Folder,
    /// How the services are asked.
    pub web: Web,
    programs: PathBuf,
    launcher: Launcher,
    running: Vec<Process>,
}

impl World {
    /// A world in the folder that `args` names; nothing runs yet.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(args: &Args) -> Result<Self> {
        let folder = Folder::open(&args.folder(), args.fresh || args.check)?;
        let demo = std::env::current_exe()?;
        let beside = demo.parent().context("this program's folder")?.to_owned();
        Ok(Self {
            cast: Cast::new(&folder)?,
            web: Web::new()?,
            programs: args.programs.clone().unwrap_or(beside),
            launcher: Launcher {
                demo,
                logs: folder.logs(),
            },
            running: Vec::new(),
            folder,
        })
    }

    /// One of our programs by its file name.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Starts a program.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, line: Line) -> Result<()> {
        let process = self.launcher.start(line)?;
        self.running.push(process);
        Ok(())
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When there is no such program.
    pub async fn kill(&mut self, name: &str) -> Result<()> {
        self.find(name)?.kill().await
    }

    /// Starts a killed program again.
    ///
    /// # Errors
    /// When there is no such program, or it cannot be started.
    pub fn restart(&mut self, name: &str) -> Result<()> {
        self.find(name)?.restart()
    }

    fn find(&mut self, name: &str) -> Result<&mut Process> {
        let mut running = self.running.iter_mut();
        running
            .find(|process| process.name() == name)
            .with_context(|| format!("no program {name}"))
    }

    /// Runs one of our programs to its end as its owner would, and answers what it printed.
    ///
    /// # Errors
    /// When it ends with a failure; the error holds what it said.
    pub async fn run(&self, program: &str, args: &[&str]) -> Result<String> {
        let output = Command::new(self.program(program))
            .args(args)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("run {program}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("{program} {}: {}", args.join(" "), said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// What `farmer` tells the tracker at the command line.
    ///
    /// # Errors
    /// When the tracker refuses.
    pub async fn owner(&self, farmer: &Farmer, deed: &[&str]) -> Result<String> {
        let token = self.tracker(farmer).token_file();
        self.deed(tracker::PROGRAM, &farmer.tracker, &token, deed)
            .await
    }

    /// What the admin of `village` tells it at the command line.
    ///
    /// # Errors
    /// When the village refuses.
    pub async fn admin(&self, village: &cast::Village, deed: &[&str]) -> Result<String> {
        let token = self.village(village).token_file();
        self.deed(village::PROGRAM, &village.url, &token, deed)
            .await
    }

    async fn deed(&self, program: &str, url: &Url, token: &Path, deed: &[&str]) -> Result<String> {
        let token = token.to_string_lossy();
        let whom = [
            "--url",
            url.as_str().trim_end_matches('/'),
            "--token-file",
            &token,
        ];
        self.run(program, &[&whom, deed].concat()).await
    }

    /// A farmer's tracker.
    #[must_use]
    pub fn tracker<'a>(&'a self, farmer: &'a Farmer) -> Tracker<'a> {
        Tracker {
            farmer,
            web: &self.web,
        }
    }

    /// A farmer's agent.
    #[must_use]
    pub fn agent<'a>(&'a self, farmer: &'a Farmer) -> Agent<'a> {
        Agent {
            farmer,
            web: &self.web,
        }
    }

    /// A village.
    #[must_use]
    pub fn village<'a>(&'a self, village: &'a cast::Village) -> Village<'a> {
        Village {
            village,
            web: &self.web,
        }
    }

    /// The programs that have ended although nobody asked them to, with the end of their logs.
    pub fn fallen(&mut self) -> Vec<String> {
        let mut fallen = Vec::new();
        for process in &mut self.running {
            if let Some(status) = process.ended() {
                fallen.push(format!("{}: {status}\n{}", process.name(), process.tail()));
            }
        }
        fallen
    }

    /// The end of each log whose program's name contains one of `names`.
    #[must_use]
    pub fn tails(&self, names: &[&str]) -> Vec<String> {
        let told = self
            .running
            .iter()
            .filter(|process| names.iter().any(|name| process.name().contains(name)));
        told.map(|process| format!("{}:\n{}", process.name(), process.tail()))
            .collect()
    }

    /// Stops every program, the last started first. Answers the names of those that had to be killed.
    pub async fn stop(&mut self) -> Vec<String> {
        let mut forced = Vec::new();
        while let Some(mut process) = self.running.pop() {
            if !process.stop().await {
                forced.push(process.name().to_owned());
            }
        }
        forced
    }
}
