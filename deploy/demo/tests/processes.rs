//! Real processes: killed, restarted, stopped, and gone with the demo.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::ensure;
use farmops_demo::process::{Launcher, Line, Process};
use farmops_demo::wait::until;

const PATIENCE: Duration = Duration::from_secs(10);

fn launcher(folder: &Path) -> Launcher {
    Launcher {
        demo: PathBuf::from(env!("CARGO_BIN_EXE_farmops-demo")),
        logs: folder.to_owned(),
    }
}

fn shell(script: &str) -> Line {
    Line::new("shell", "/bin/sh".into()).arg("-c").arg(script)
}

fn runs(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

async fn written(process: &Process, wanted: &str) {
    until(PATIENCE, async || {
        ensure!(process.tail().contains(wanted), "{}", process.tail());
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_killed_program_starts_again_and_adds_to_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let line = shell("echo hello $NAME; exec sleep 1000").env("NAME", "neighbour");
    let mut process = launcher(folder.path()).start(line).unwrap();
    written(&process, "hello neighbour").await;
    let first = process.id().unwrap();
    process.kill().await.unwrap();
    assert!(!runs(first));
    process.restart().unwrap();
    written(&process, "hello neighbour\nhello neighbour").await;
    assert!(process.stop().await, "sleep obeys SIGTERM");
    assert!(process.ended().is_none());
}

#[tokio::test]
async fn what_a_program_leaves_behind_is_ended_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = launcher(folder.path())
        .start(shell("sleep 1000 & echo child $!; wait"))
        .unwrap();
    written(&process, "child ").await;
    let tail = process.tail();
    let child: u32 = tail.trim().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(runs(child));
    assert!(!process.stop().await, "a child was left");
    until(PATIENCE, async || {
        ensure!(!runs(child), "the child still runs");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_program_ends_when_its_parent_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("id");
    // The shell stands for the demo: it launches a program through the demo's binary and is killed.
    let script = format!(
        "{} launch --parent $$ -- /bin/sh -c 'echo $$ > {}; exec sleep 1000' & wait",
        env!("CARGO_BIN_EXE_farmops-demo"),
        file.display()
    );
    let mut parent = tokio::process::Command::new("/bin/sh")
        .arg("-c")
        .arg(script)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let child: u32 = until(PATIENCE, async || {
        Ok(std::fs::read_to_string(&file)?.trim().parse()?)
    })
    .await
    .unwrap();
    assert!(runs(child));
    parent.kill().await.unwrap();
    until(PATIENCE, async || {
        ensure!(!runs(child), "the program outlived its parent");
        Ok(())
    })
    .await
    .unwrap();
}
