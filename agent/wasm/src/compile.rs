//! The compiler as a child: a program that lives for one component, reads it and answers native code.
//!
//! The agent does not link the code generator: it would cost 10 MiB of memory for something that happens
//! once per component and version. The child has no environment, no files and no network to speak of, and
//! bounds on its memory and time.

use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::native::Native;

/// Bytes of native code: what one component becomes.
pub const NATIVE_BYTES_MAX: usize = 128 << 20;
/// Bytes of what the child says when it refuses.
const COMPLAINT_BYTES_MAX: u64 = 2048;

/// Why there is no native code.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The program is missing or can not be started.
    #[error("cannot start the compiler {program}")]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It takes the component for none, or died.
    #[error("the compiler refused: {0}")]
    Refused(String),
    /// It took too long.
    #[error("the compiler did not end within {0:?}")]
    Time(Duration),
    /// What came out is too large.
    #[error("the component becomes more than {NATIVE_BYTES_MAX} bytes of native code")]
    TooLarge,
}

/// How a component is compiled.
#[derive(Debug, Clone)]
pub struct Compiler {
    /// The program `farmops-agent-compiler`.
    pub program: PathBuf,
    /// Wall time it may take. Default 60 seconds.
    pub deadline: Duration,
    /// Bytes of address space it may have. Default 2 GiB.
    pub memory_bytes: u64,
}

impl Compiler {
    /// With the default bounds.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            deadline: Duration::from_mins(1),
            memory_bytes: 2 << 30,
        }
    }

    /// The native code of `component`. Blocks until the child has ended.
    pub(crate) fn compile(&self, component: &[u8]) -> Result<Native, CompileError> {
        let start = |source| CompileError::Start {
            program: self.program.clone(),
            source,
        };
        let mut child = Command::new(&self.program)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(start)?;
        // It reads its input first, so that it has done nothing yet.
        if let Err(error) = self.limit(&child) {
            let _ = child.kill();
            let _ = child.wait();
            return Err(start(error));
        }
        let result = self.converse(&mut child, component);
        if result.is_err() {
            let _ = child.kill();
        }
        let _ = child.wait();
        result
    }

    fn limit(&self, child: &Child) -> io::Result<()> {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let seconds = self.deadline.as_secs().saturating_add(1);
        for (resource, most) in [
            (Resource::As, self.memory_bytes),
            (Resource::Cpu, seconds),
            (Resource::Fsize, 0),
            (Resource::Core, 0),
        ] {
            let limit = Rlimit {
                current: Some(most),
                maximum: Some(most),
            };
            prlimit(pid, resource, limit)?;
        }
        Ok(())
    }

    /// Hands the component over and takes the answer, each on a thread of its own: a pipe holds little.
    fn converse(&self, child: &mut Child, component: &[u8]) -> Result<Native, CompileError> {
        let (mut stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let component = component.to_vec();
        std::thread::spawn(move || {
            if let Some(stdin) = &mut stdin {
                // A child that has refused already no longer reads.
                let _ = stdin.write_all(&component);
            }
        });
        let (done, result) = mpsc::channel();
        std::thread::spawn(move || {
            let complaint = std::thread::spawn(move || read(stderr, COMPLAINT_BYTES_MAX));
            let code = read(stdout, NATIVE_BYTES_MAX as u64 + 1);
            let complaint = complaint.join().unwrap_or_default();
            let _ = done.send((code, complaint));
        });
        let (code, complaint) = result
            .recv_timeout(self.deadline)
            .map_err(|_| CompileError::Time(self.deadline))?;
        let status = child
            .wait()
            .map_err(|error| CompileError::Refused(error.to_string()))?;
        if !status.success() {
            let complaint = String::from_utf8_lossy(&complaint).trim().to_owned();
            let empty = complaint.is_empty();
            return Err(CompileError::Refused(if empty {
                status.to_string()
            } else {
                complaint
            }));
        }
        if code.len() > NATIVE_BYTES_MAX {
            return Err(CompileError::TooLarge);
        }
        Ok(Native::from_compiler(code))
    }
}

fn read(from: Option<impl Read>, limit: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        let _ = from.by_ref().take(limit).read_to_end(&mut bytes);
        // So that the child can write to its end, and is judged by how it ends.
        let _ = io::copy(&mut from, &mut io::sink());
    }
    bytes
}

/// Compiles `component` in this process; what the compiler program does.
///
/// # Errors
/// When it is no component, or uses what plugins may not.
#[cfg(feature = "compiler")]
pub fn compile_here(component: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let engine = wasmtime::Engine::new(&crate::engine::compiler_config()?)?;
    engine.precompile_component(component)
}
