//! One plugin process: start, handshake, first questions, and its end.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use farmops_plugin::wire::v1 as wire;
use farmops_plugin::wire::v1::farm_plugin_client::FarmPluginClient;
use farmops_plugin::{Description, Observation, Verdict, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStdin, Command};
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use super::client::{CallError, VerifyError};
use super::log::{LINE_BYTES_MAX, PluginLog};
use super::running::Launch;
use super::socket::Socket;
use crate::observation::SourceType;
use crate::sandbox::{self, Sandbox};

/// Largest verdict, evidence included.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
const CONFIGURE: &str = "ConfigureSources";
/// How long a plugin may take to end once its standard input is closed.
const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// Why a plugin did not start, or ended. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// No such program, or one that cannot be run.
    #[error("cannot be started: {0}")]
    Spawn(#[source] std::io::Error),
    /// It ended.
    #[error("ended before it was ready ({0})")]
    EndedEarly(String),
    /// It said something else.
    #[error("its first line is not the handshake: {0}")]
    Handshake(#[from] handshake::BadLine),
    /// It names another socket.
    #[error("listens elsewhere than it was told to")]
    WrongSocket,
    /// Nobody listens.
    #[error("cannot be reached on its socket: {0}")]
    Connect(String),
    /// It cannot be locked up.
    #[error("cannot be locked up: {0}")]
    Sandbox(String),
}

/// Asks a plugin that is a process.
#[derive(Debug, Clone)]
pub struct ProcessClient {
    inner: FarmPluginClient<Channel>,
    deadline: Duration,
}

impl ProcessClient {
    pub(super) async fn verify(&self, observation: Observation) -> Result<Verdict, VerifyError> {
        let mut client = self.inner.clone();
        let call = client.verify(wire::VerifyRequest::from(observation));
        let answer = match tokio::time::timeout(self.deadline, call).await {
            Err(_) => {
                let reason = format!("no verdict within {:?}", self.deadline);
                return Err(VerifyError::Plugin(reason));
            }
            Ok(Err(status)) if is_about_the_request(status.code()) => {
                return Err(VerifyError::Observation(unsaid(&status)));
            }
            Ok(Err(status)) => return Err(VerifyError::Plugin(unsaid(&status))),
            Ok(Ok(answer)) => answer.into_inner(),
        };
        Verdict::try_from(answer).map_err(|error| VerifyError::Observation(error.to_string()))
    }

    pub(super) async fn describe(&self) -> Result<Description, CallError> {
        let mut client = self.inner.clone();
        let call = client.describe(wire::DescribeRequest {});
        let answer = timely("Describe", self.deadline, call).await?;
        Description::try_from(answer).map_err(|error| CallError {
            call: "Describe",
            message: error.to_string(),
        })
    }

    pub(super) async fn configure(
        &self,
        granted: &[(String, SourceType)],
        settings_json: Vec<u8>,
    ) -> Result<Vec<String>, CallError> {
        let mut client = self.inner.clone();
        let granted = granted.iter().map(|(name, source_type)| wire::Source {
            name: name.clone(),
            source_type: source_type.as_str().to_owned(),
        });
        let request = wire::ConfigureSourcesRequest {
            granted: granted.collect(),
            settings_json,
        };
        let call = client.configure_sources(request);
        let answer = timely(CONFIGURE, self.deadline, call).await?;
        Ok(answer.wanted)
    }
}

/// `Internal` is how the kit reports a panic over one observation.
fn is_about_the_request(code: tonic::Code) -> bool {
    use tonic::Code;
    matches!(
        code,
        Code::InvalidArgument | Code::Internal | Code::OutOfRange | Code::ResourceExhausted
    )
}

/// What kind of failure a plugin reports. Its words may be words of what it saw: they are for debugging on this
/// machine, and neither the log at its usual level nor the API repeats them.
fn unsaid(status: &tonic::Status) -> String {
    tracing::debug!(message = status.message(), "a plugin reports a failure");
    format!("the plugin reports: {}", status.code())
}

async fn timely<T>(
    call: &'static str,
    deadline: Duration,
    answer: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
) -> Result<T, CallError> {
    let failed = |message: String| CallError { call, message };
    match tokio::time::timeout(deadline, answer).await {
        Ok(Ok(answer)) => Ok(answer.into_inner()),
        // A process that is being configured has seen no observation yet, and it may say what is wrong with its
        // settings.
        Ok(Err(status)) if call == CONFIGURE => Err(failed(status.message().to_owned())),
        Ok(Err(status)) => Err(failed(unsaid(&status))),
        Err(_) => Err(failed(format!("no answer within {deadline:?}"))),
    }
}

/// A started process.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    /// Dropped after the child, which listens there.
    _socket: Socket,
    pub(super) sandbox: Sandbox,
    pub(super) log_dropped: Arc<AtomicU64>,
}

impl Process {
    /// Starts the program in its sandbox and shakes hands.
    pub(super) async fn start(launch: Launch<'_>) -> Result<(Self, ProcessClient), ProcessError> {
        let Launch { spec, socket, .. } = &launch;
        let plan = sandbox::Plan {
            program: launch.program.clone(),
            folder: socket.folder.clone(),
            memory_mib: spec.limits.memory_mib,
            required: launch.sandbox.required,
        };
        let plan = serde_json::to_string(&plan)
            .map_err(|error| ProcessError::Sandbox(error.to_string()))?;
        // This very program, even if its file was replaced meanwhile.
        let launcher = launch.sandbox.launcher.as_deref();
        let mut child = Command::new(launcher.unwrap_or(Path::new("/proc/self/exe")))
            .arg(sandbox::COMMAND)
            .arg(plan)
            .env_clear()
            .env(handshake::SOCKET_VARIABLE, &socket.path)
            .env(handshake::COOKIE_VARIABLE, handshake::COOKIE)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(ProcessError::Spawn)?;
        let (stdin, pid) = (child.stdin.take(), child.id());
        let log = PluginLog::new(&spec.id, spec.limits.log_lines);
        let log_dropped = log.dropped();
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(log.clone().follow(BufReader::new(stderr)));
        }
        let mut lines = BufReader::new(child.stdout.take().into_reader());
        let report = next_line(&mut lines, &mut child).await?;
        let sandbox = read_report(&report)?;
        let line = next_line(&mut lines, &mut child).await?;
        if handshake::parse(&line)? != socket.path {
            return Err(ProcessError::WrongSocket);
        }
        // Whatever else it prints is of no use, but a full pipe would stop it.
        tokio::spawn(log.follow(lines));
        let client = ProcessClient {
            inner: FarmPluginClient::new(connect(socket.path.clone(), pid).await?)
                .max_decoding_message_size(ANSWER_BYTES_MAX),
            deadline: launch.deadline,
        };
        let process = Self {
            child,
            stdin,
            _socket: launch.socket,
            sandbox,
            log_dropped,
        };
        Ok((process, client))
    }

    /// Waits for the process to end by itself; says how.
    pub(super) async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => format!("ended ({})", describe_exit(status)),
            Err(error) => format!("cannot be watched: {error}"),
        }
    }

    /// Ends the process: by closing its standard input, and if that does not help, by force.
    pub(super) async fn stop(mut self) {
        drop(self.stdin.take());
        if tokio::time::timeout(STOP_DEADLINE, self.child.wait())
            .await
            .is_err()
        {
            tracing::warn!("a plugin did not end by itself and was killed");
            let _ = self.child.kill().await;
        }
    }
}

/// The launcher's line: what the plugin is locked up with.
fn read_report(line: &str) -> Result<Sandbox, ProcessError> {
    let report = line.strip_prefix(sandbox::MARK);
    match report.map(serde_json::from_str) {
        Some(Ok(sandbox::Report::Ready(sandbox))) => Ok(sandbox),
        Some(Ok(sandbox::Report::Failed(reason))) => Err(ProcessError::Sandbox(reason)),
        _ => Err(ProcessError::Sandbox(
            "the launcher is no farmops-agent of this version".to_owned(),
        )),
    }
}

/// Connects to the plugin and to nobody else: the kernel says who listens.
async fn connect(socket: PathBuf, pid: Option<u32>) -> Result<Channel, ProcessError> {
    let pid = pid.and_then(|pid| i32::try_from(pid).ok());
    let own_uid = rustix::process::geteuid().as_raw();
    let connector = service_fn(move |_: http::Uri| {
        let socket = socket.clone();
        async move {
            let stream = UnixStream::connect(socket).await?;
            let peer = stream.peer_cred()?;
            if peer.uid() != own_uid || peer.pid() != pid {
                return Err(std::io::Error::other("another process listens there"));
            }
            Ok(TokioIo::new(stream))
        }
    });
    // The address is only a name; the connector knows the way.
    let endpoint = Endpoint::from_static("http://plugin.invalid");
    let channel = endpoint.connect_with_connector(connector).await;
    channel.map_err(|error| {
        let mut cause: &dyn std::error::Error = &error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        ProcessError::Connect(cause.to_string())
    })
}

/// The next line of a process that has yet to get ready.
async fn next_line(
    lines: &mut (impl tokio::io::AsyncBufRead + Unpin),
    child: &mut Child,
) -> Result<String, ProcessError> {
    let line = read_line(lines).await.unwrap_or_default();
    if line.is_empty() {
        let status = child.wait().await.map_err(ProcessError::Spawn)?;
        return Err(ProcessError::EndedEarly(describe_exit(status)));
    }
    Ok(line)
}

fn describe_exit(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown".to_owned(),
    }
}

/// One line of at most [`LINE_BYTES_MAX`]; empty at the end.
async fn read_line(reader: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> std::io::Result<String> {
    let mut line = Vec::new();
    reader
        .take(LINE_BYTES_MAX)
        .read_until(b'\n', &mut line)
        .await?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// A child that was spawned with a piped standard output has one; an absent one reads as empty.
trait IntoReader {
    fn into_reader(self) -> Box<dyn AsyncRead + Send + Unpin>;
}

impl IntoReader for Option<tokio::process::ChildStdout> {
    fn into_reader(self) -> Box<dyn AsyncRead + Send + Unpin> {
        match self {
            Some(stdout) => Box::new(stdout),
            None => Box::new(tokio::io::empty()),
        }
    }
}
