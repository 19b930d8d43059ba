//! One program of the demo: started, killed, restarted, stopped; its output goes to a log file.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, Command};

/// How long a program may take to stop after SIGTERM.
const STOP_SECONDS_MAX: u64 = 15;
/// How much of a log is shown when something fails.
const TAIL_LINES: usize = 25;

/// How to start a program.
#[derive(Debug, Clone)]
pub struct Line {
    /// What the demo calls it; also the name of its log.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables beside the inherited ones.
    pub env: Vec<(&'static str, String)>,
}

impl Line {
    /// The program `program` under the name `name`, without arguments yet.
    #[must_use]
    pub fn new(name: &str, program: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            program,
            args: Vec::new(),
            env: Vec::new(),
        }
    }

    /// Adds a flag with its value.
    #[must_use]
    pub fn flag(mut self, flag: &str, value: impl Into<OsString>) -> Self {
        self.args.push(flag.into());
        self.args.push(value.into());
        self
    }

    /// Adds an argument as it is.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }
}

/// Starts programs so that none outlives the demo.
#[derive(Debug, Clone)]
pub struct Launcher {
    /// `farmops-demo` itself, which becomes each program; see [`crate::launch`].
    pub demo: PathBuf,
    /// Where each program's `<name>.log` goes.
    pub logs: PathBuf,
}

impl Launcher {
    /// Starts a program.
    ///
    /// # Errors
    /// When the program or its log cannot be opened.
    pub fn start(&self, line: Line) -> Result<Process> {
        if !line.program.exists() {
            bail!(
                "{} is not there; `make demo` builds or installs it",
                line.program.display()
            );
        }
        let log = self.logs.join(format!("{}.log", line.name));
        let mut process = Process {
            line,
            log,
            demo: self.demo.clone(),
            child: None,
        };
        process.spawn()?;
        Ok(process)
    }
}

/// A program of the demo.
#[derive(Debug)]
pub struct Process {
    line: Line,
    log: PathBuf,
    demo: PathBuf,
    child: Option<Child>,
}

impl Process {
    fn spawn(&mut self) -> Result<()> {
        let log = self.open_log()?;
        let child = Command::new(&self.demo)
            .arg("launch")
            .arg("--parent")
            .arg(std::process::id().to_string())
            .arg("--")
            .arg(&self.line.program)
            .args(&self.line.args)
            .envs(self.line.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C in the terminal reaches the demo alone, which stops its programs in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", self.line.name))?;
        self.child = Some(child);
        Ok(())
    }

    fn open_log(&self) -> Result<File> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .with_context(|| self.log.display().to_string())
    }

    /// What the demo calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.line.name
    }

    /// `kill -9`, at once; its own children are not touched.
    ///
    /// # Errors
    /// When the process cannot be killed.
    pub async fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// Starts it again with the same line.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn restart(&mut self) -> Result<()> {
        self.spawn()
    }

    /// Its process id while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref()?.id()
    }

    /// Whether and how it has ended by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().ok().flatten()
    }

    /// SIGTERM, some patience, then SIGKILL to it and whatever it has started. Answers whether it went by itself.
    pub async fn stop(&mut self) -> bool {
        let Some(mut child) = self.child.take() else {
            return true;
        };
        let pid = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        let Some(pid) = pid else {
            return true;
        };
        // It may have ended in this moment; then there is nobody to tell.
        let _ = kill_process(pid, Signal::TERM);
        let patience = Duration::from_secs(STOP_SECONDS_MAX);
        let went = tokio::time::timeout(patience, child.wait()).await.is_ok();
        // The group outlives its leader only if the program left children behind.
        let left = kill_process_group(pid, Signal::KILL).is_ok();
        if !went {
            let _ = child.kill().await;
        }
        went && !left
    }

    /// The last lines it has written.
    #[must_use]
    pub fn tail(&self) -> String {
        tail(&self.log)
    }
}

fn tail(log: &Path) -> String {
    let Ok(bytes) = std::fs::read(log) else {
        return String::new();
    };
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
