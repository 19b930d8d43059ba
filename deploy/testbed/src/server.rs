//! One server process, and the watch that ends it.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use crate::Error;

/// How long a server may take to come up, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two questions whether it has.
const PAUSE: Duration = Duration::from_millis(100);
/// Of a log, as much as an error shows.
const LINES_SHOWN: usize = 12;

/// Runs the server until it is told to end, or the pipe from the test process closes, as the kernel sees to
/// however the process ends. Nobody is left then to remove the folder: each server's watch tries, and the last
/// one succeeds.
///
/// The server alone holds the pipe to the test process, so that its end is noticed there.
const WATCH: &str = r#"
folder=$1 log=$2
shift 2
"$@" </dev/null 2>>"$log" &
server=$!
exec >&-
read -r word
kill -KILL "$server" 2>/dev/null
wait "$server"
[ "$word" = keep ] || rm -rf "$folder"
"#;

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    watch: Child,
}

impl Server {
    /// Starts a program of `programs` and waits until it is `ready`; its log and everything else is in `folder`.
    pub(crate) fn start(
        programs: &Path,
        name: &'static str,
        folder: &Path,
        arguments: &[String],
        ready: impl Fn() -> bool,
    ) -> Result<Self, Error> {
        let log = folder.join(format!("{name}.log"));
        let mut watch = Command::new("/bin/sh")
            .args(["-c", WATCH, "sh"])
            .arg(folder)
            .arg(&log)
            .arg(programs.join(name))
            .args(arguments)
            .current_dir(folder)
            // The terminal's Ctrl-C is for the tests; this ends after them.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let said = watch.stdout.take();
        let server = Self { watch };
        let ended = said.map(end_of);
        let running = || ended.as_ref().is_some_and(|ended| !has_ended(ended));
        let begin = Instant::now();
        while !ready() {
            if !running() || begin.elapsed() > PATIENCE {
                let said = last_words(&log);
                return Err(Error::NotUp { server: name, said });
            }
        }
        Ok(server)
    }
    /// Kills the server where it stands, and waits until it is gone; the folder stays.
    pub(crate) fn kill(mut self) -> Result<(), Error> {
        self.end()
    }

    fn end(&mut self) -> Result<(), Error> {
        if let Some(mut pipe) = self.watch.stdin.take() {
            pipe.write_all(b"keep\n")?;
        }
        self.watch.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What does not end now ends with this process.
        let _ = self.end();
    }
}

/// Tells when the server has closed its standard output, which it does by ending.
fn end_of(mut said: ChildStdout) -> Receiver<()> {
    let (tell, ended) = mpsc::channel();
    thread::spawn(move || {
        let _ = io::copy(&mut said, &mut io::sink());
        drop(tell);
    });
    ended
}

/// Waits a moment for the end.
fn has_ended(ended: &Receiver<()>) -> bool {
    ended.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout)
}

fn last_words(log: &Path) -> String {
    let log = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
}
