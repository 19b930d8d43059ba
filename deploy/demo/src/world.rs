//! The demo's programs, running: started, found again by name, killed, restarted, stopped.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::args::Args;
use crate::cast::Cast;
use crate::folder::Folder;
use crate::process::{Launcher, Line, Process};
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
        let told = self.running.iter().filter(|process| {
            names.iter().any(|name| process.name().contains(name))
        });
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
