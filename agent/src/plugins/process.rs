//! One plugin process: start, handshake, first questions, and its end.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use farmops_plugin::wire::v1 as wire;
use farmops_plugin::wire::v1::farm_plugin_client::FarmPluginClient;
use farmops_plugin::{Description, Observation, Verdict, handshake};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tonic::transport::{Channel, Endpoint};

use super::client::{CallError, VerifyError};
use super::running::Launch;
use crate::observation::SourceType;

/// Longest line of a plugin that is read or logged.
const LINE_BYTES_MAX: u64 = 4096;
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
    #[error("cannot be reached on its socket")]
    Connect(#[source] tonic::transport::Error),
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
    socket: PathBuf,
}

impl Process {
    /// Starts the program and shakes hands.
    pub(super) async fn start(launch: &Launch<'_>) -> Result<(Self, ProcessClient), ProcessError> {
        let (id, socket) = (&launch.spec.id, launch.socket.clone());
        let mut child = Command::new(&launch.program)
            .env_clear()
            .env(handshake::SOCKET_VARIABLE, &socket)
            .env(handshake::COOKIE_VARIABLE, handshake::COOKIE)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(ProcessError::Spawn)?;
        let stdin = child.stdin.take();
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(log_lines(id.clone(), stderr));
        }
        let mut lines = BufReader::new(child.stdout.take().into_reader());
        let line = read_line(&mut lines).await.unwrap_or_default();
        if line.is_empty() {
            let status = child.wait().await.map_err(ProcessError::Spawn)?;
            return Err(ProcessError::EndedEarly(describe_exit(status)));
        }
        if handshake::parse(&line)? != socket {
            return Err(ProcessError::WrongSocket);
        }
        // Whatever else it prints is of no use, but a full pipe would stop it.
        tokio::spawn(log_lines(id.clone(), lines));
        let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display()))
            .map_err(ProcessError::Connect)?;
        let channel = endpoint.connect().await.map_err(ProcessError::Connect)?;
        let client = ProcessClient {
            inner: FarmPluginClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX),
            deadline: launch.deadline,
        };
        let process = Self {
            child,
            stdin,
            socket,
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
        let _ = std::fs::remove_file(&self.socket);
    }
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

/// Logs what a plugin prints. Plugins see raw data, so this is for debugging and not in the usual log.
async fn log_lines(plugin: String, output: impl AsyncRead + Unpin) {
    let mut reader = BufReader::new(output);
    loop {
        let mut line = Vec::new();
        let read = (&mut reader)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)
            .await;
        match read {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                tracing::debug!(plugin, output = text.trim_end(), "plugin says");
            }
        }
    }
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
