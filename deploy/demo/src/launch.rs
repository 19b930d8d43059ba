//! Becoming a program that does not outlive the demo.
//!
//! The demo starts each program through itself: this process asks the kernel for a signal at its
//! parent's end, and then becomes the program, which keeps that wish. So even `kill -9` of the
//! demo leaves nothing behind.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

/// Replaces this process by the program; returns only when that fails.
///
/// # Errors
/// When the parent has ended already or the program cannot be run.
pub fn launch(parent: i32, line: &[OsString]) -> Result<()> {
    set_parent_process_death_signal(Some(Signal::TERM)).context("ask for the parent's end")?;
    // The parent may have ended before we asked.
    if getppid().map(Pid::as_raw_pid) != Some(parent) {
        bail!("the demo has ended");
    }
    let (program, args) = line.split_first().context("no program")?;
    let error = Command::new(program).args(args).exec();
    Err(error).with_context(|| format!("run {}", program.display()))
}
