//! Where a plugin's process is locked up: the agent starts itself once more as a launcher, which gives
//! away its own rights and then becomes the plugin.
//!
//! What is taken: new privileges and, from root, every capability; memory, files and core dumps beyond
//! the limits; with Landlock every file but the program and the system's libraries, every place to
//! write but the plugin's own socket folder, TCP, signals to others; with seccomp every system call
//! that a plugin has no use for, new processes and connections among them. What the kernel does not have
//! is said, and can be required.
//!
//! Not limited: processor time (a plugin lives long; each question has a deadline, and it runs at a lower
//! priority), and the number of threads otherwise than by memory (the kernel counts them per user).

mod files;
mod limits;
mod syscalls;

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The hidden command that makes this program the launcher.
pub const COMMAND: &str = "sandbox-exec";
/// What the launcher's line begins with.
pub const MARK: &str = "SANDBOX|";

/// What the operator decides about the sandbox.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SandboxConfig {
    /// Whether plugins run only where the kernel has Landlock and seccomp.
    pub required: bool,
    /// The `farmops-agent` program, where the agent runs inside another one.
    #[serde(deserialize_with = "farmops_service::config::path")]
    pub launcher: Option<PathBuf>,
}

/// What the launcher is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// The plugin.
    pub program: PathBuf,
    /// The only folder where it may make anything, and that only a socket.
    pub folder: PathBuf,
    /// What it may allocate, in MiB.
    pub memory_mib: u32,
    /// Whether to fail where the kernel lacks something.
    pub required: bool,
}

/// What a plugin is locked up with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// `abi 6`, or why there is none.
    pub landlock: String,
    /// Whether system calls are filtered.
    pub seccomp: bool,
    /// Whether capabilities were there and could not be given away.
    pub capabilities_kept: bool,
}

/// What the launcher says before it becomes the plugin.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Report {
    /// All is in place.
    Ready(Sandbox),
    /// It is not.
    Failed(String),
}

/// Locks this process up and becomes the plugin. Returns what went wrong.
pub fn exec(plan: &Plan) -> std::io::Error {
    match lock(plan) {
        Ok(sandbox) => {
            say(&Report::Ready(sandbox));
            become_plugin(plan)
        }
        Err(reason) => {
            say(&Report::Failed(reason.clone()));
            std::io::Error::other(reason)
        }
    }
}

fn say(report: &Report) {
    let line = serde_json::to_string(report).unwrap_or_default();
    let mut stdout = std::io::stdout();
    // Whoever does not listen any more does not want a plugin either.
    let _ = writeln!(stdout, "{MARK}{line}").and_then(|()| stdout.flush());
}

fn lock(plan: &Plan) -> Result<Sandbox, String> {
    limits::set(plan.memory_mib).map_err(|error| format!("limits: {error}"))?;
    rustix::thread::set_no_new_privs(true).map_err(|error| format!("no_new_privs: {error}"))?;
    let capabilities_kept = !limits::drop_capabilities();
    let landlock = files::restrict(plan);
    let seccomp = syscalls::restrict();
    if plan.required {
        let lacking = [
            landlock
                .as_ref()
                .err()
                .map(|why| format!("landlock ({why})")),
            seccomp.as_ref().err().map(|why| format!("seccomp ({why})")),
        ];
        let lacking: Vec<String> = lacking.into_iter().flatten().collect();
        if !lacking.is_empty() {
            return Err(format!(
                "`sandbox.required` is set, but there is no {}",
                lacking.join(" and no ")
            ));
        }
    }
    Ok(Sandbox {
        landlock: landlock.unwrap_or_else(|why| why),
        seccomp: seccomp.is_ok(),
        capabilities_kept,
    })
}

fn become_plugin(plan: &Plan) -> std::io::Error {
    // A process that was just about to start while the agent wrote its copy may still hold it open.
    for _ in 0..40 {
        let error = Command::new(&plan.program).exec();
        if error.kind() != std::io::ErrorKind::ExecutableFileBusy {
            return error;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    std::io::ErrorKind::ExecutableFileBusy.into()
}
