//! One cluster and its server process.

use std::{
    fmt::Write as _,
    fs,
    io::{self, BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::programs::{command, folder, other_user, run};

/// How long a server may take to come up, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_mins(1);
const READY: &str = "database system is ready to accept connections";
/// A killed server's children go a moment after it, and until then its memory is taken.
const STARTS_MAX: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);
const USER: &str = "farmops";

/// Runs the server and, once the pipe from the test process has closed, stops it and clears up. The kernel
/// closes that pipe however the process ends.
const WATCH: &str = r#"
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=500 \
    -c shared_buffers=64MB </dev/null &
server=$!
read -r word
kill -QUIT "$server" 2>/dev/null
wait "$server"
[ "$word" = keep ] || rm -rf "$2"
"#;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no PostgreSQL on this machine.
    #[error("PostgreSQL is missing; run `deploy/need postgres`")]
    Missing,
    /// We are root, and there is no one else to be.
    #[error("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")]
    NoUser,
    /// A program failed.
    #[error("{command} failed: {said}")]
    Failed {
        /// What was run.
        command: String,
        /// What it said.
        said: String,
    },
    /// The server did not come up.
    #[error("PostgreSQL did not start: {0}")]
    NotUp(String),
    /// A file or a process could not be used.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A cluster with a running server.
#[derive(Debug)]
pub struct Server {
    programs: PathBuf,
    user: Option<&'static str>,
    watch: Option<Child>,
    // Removed last.
    dir: TempDir,
}

impl Server {
    /// Makes a cluster and starts its server.
    pub fn start() -> Result<Self, Error> {
        let programs = folder()?;
        let dir = tempfile::Builder::new().prefix("farmops-pg-").tempdir()?;
        let user = other_user(dir.path())?;
        if let Some(user) = user {
            run(Command::new("chown").arg(user).arg(dir.path()))?;
        }
        // Another order of words than that of bytes, so that a comparison that forgot its collation shows.
        run(command(user, &programs.join("initdb"))
            .arg("-D")
            .arg(dir.path().join("data"))
            .args(["-U", USER, "--auth=trust", "--encoding=UTF8", "--no-sync"])
            .args(["--locale=C", "--locale-provider=icu", "--icu-locale=en"]))?;
        let mut server = Self {
            programs,
            user,
            watch: None,
            dir,
        };
        server.up()?;
        Ok(server)
    }

    /// Makes a database; answers its URL.
    pub fn create(&self, name: &str) -> Result<String, Error> {
        run(command(self.user, &self.programs.join("createdb"))
            .arg("-h")
            .arg(self.dir.path())
            .args(["-U", USER, name]))?;
        Ok(self.url(name))
    }

    /// The URL of a database.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        let folder = self.dir.path().display();
        format!("postgres://{USER}@localhost/{name}?host={folder}")
    }

    /// Kills the server where it stands, as a power cut would.
    pub fn kill(&mut self) -> Result<(), Error> {
        let pid = fs::read_to_string(self.data().join("postmaster.pid"))?;
        let pid = pid.lines().next().unwrap_or_default();
        run(Command::new("kill").args(["-KILL", pid]))?;
        self.end("keep\n")
    }

    /// Starts the server again.
    pub fn restart(&mut self) -> Result<(), Error> {
        let mut last = self.up();
        for _ in 1..STARTS_MAX {
            match &last {
                Err(Error::NotUp(said)) if said.contains("still in use") => thread::sleep(PAUSE),
                _ => break,
            }
            last = self.up();
        }
        last
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn up(&mut self) -> Result<(), Error> {
        let mut watch = command(self.user, Path::new("/bin/sh"))
            .args(["-c", WATCH, "sh"])
            .arg(&self.programs)
            .arg(self.dir.path())
            // The terminal's Ctrl-C is for the tests; this ends after them.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let said = watch.stderr.take();
        self.watch = Some(watch);
        match said.map(ready) {
            Some(Ok(())) => Ok(()),
            Some(Err(said)) => {
                self.end("keep\n")?;
                Err(Error::NotUp(said))
            }
            None => Err(Error::NotUp("it has no standard error".to_owned())),
        }
    }

    /// Ends the watch, and the server if it runs.
    fn end(&mut self, word: &str) -> Result<(), Error> {
        let Some(mut watch) = self.watch.take() else {
            return Ok(());
        };
        if let Some(mut pipe) = watch.stdin.take() {
            io::Write::write_all(&mut pipe, word.as_bytes())?;
        }
        watch.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What does not end now ends with this process.
        let _ = self.end("");
    }
}

/// Waits for the line that says so; answers what was said instead.
fn ready(said: ChildStderr) -> Result<(), String> {
    let (tell, told) = mpsc::channel();
    // Reads on for as long as the server lives, so that it never waits for a full pipe.
    thread::spawn(move || {
        let mut so_far = String::new();
        let mut waiting = true;
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            if waiting && line.contains(READY) {
                waiting = false;
                let _ = tell.send(Ok(()));
            } else if waiting {
                let _ = writeln!(so_far, "{line}");
                // Those who knock early are told so, fatally for them.
                if line.contains("FATAL") && !line.contains("database system is") {
                    let _ = tell.send(Err(so_far.clone()));
                }
            }
        }
        if waiting {
            let _ = tell.send(Err(so_far));
        }
    });
    told.recv_timeout(PATIENCE)
        .unwrap_or_else(|_| Err("no word of it in time".to_owned()))
}
