//! The plugin as a process: handshake, gRPC over a Unix socket, and an end when the agent is gone.

use std::io::{Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::RwLock;

use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status};

use crate::handshake::{self, COOKIE, COOKIE_VARIABLE, SOCKET_VARIABLE};
use crate::wire::v1 as wire;
use crate::wire::v1::farm_plugin_server::{FarmPlugin, FarmPluginServer};
use crate::{Observation, Plugin};

/// Why the process cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Started by hand.
    #[error("this is a FarmOps plugin; farmops-agent starts it (see farmops-plugins.yaml)")]
    NotStartedByAgent,
    /// The runtime or the socket failed.
    #[error("cannot listen on {socket}")]
    Listen {
        /// Where.
        socket: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The connection to the agent broke in a way that cannot be mended.
    #[error("serving failed")]
    Transport(#[from] tonic::transport::Error),
}

/// Serves `plugin` until the agent closes standard input. Call it from `main`.
///
/// # Errors
/// [`ServeError`] when no agent started the process or the socket cannot be used.
pub fn serve(plugin: impl Plugin) -> Result<(), ServeError> {
    let cookie = std::env::var(COOKIE_VARIABLE).ok();
    let socket = std::env::var_os(SOCKET_VARIABLE).map(PathBuf::from);
    let (Some(COOKIE), Some(socket)) = (cookie.as_deref(), socket) else {
        return Err(ServeError::NotStartedByAgent);
    };
    let listen = |source| ServeError::Listen {
        socket: socket.clone(),
        source,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(listen)?;
    runtime.block_on(async {
        let listener = UnixListener::bind(&socket).map_err(listen)?;
        let (gone, agent_gone) = tokio::sync::oneshot::channel::<()>();
        // A thread, because reading standard input cannot be cancelled.
        std::thread::spawn(move || {
            let mut rest = [0_u8; 64];
            while matches!(std::io::stdin().read(&mut rest), Ok(1..)) {}
            drop(gone);
        });
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{}", handshake::line(&socket)).map_err(listen)?;
        stdout.flush().map_err(listen)?;
        tonic::transport::Server::builder()
            .add_service(FarmPluginServer::new(Server(RwLock::new(plugin))))
            .serve_with_incoming_shutdown(UnixListenerStream::new(listener), async {
                let _ = agent_gone.await;
            })
            .await?;
        Ok(())
    })
}

struct Server<P>(RwLock<P>);

#[tonic::async_trait]
impl<P: Plugin> FarmPlugin for Server<P> {
    async fn describe(
        &self,
        _request: Request<wire::DescribeRequest>,
    ) -> Result<Response<wire::DescribeResponse>, Status> {
        let plugin = self.0.read().map_err(|_| broken())?;
        Ok(Response::new(plugin.describe().into()))
    }

    async fn verify(
        &self,
        request: Request<wire::VerifyRequest>,
    ) -> Result<Response<wire::VerifyResponse>, Status> {
        let observation = Observation::try_from(request.into_inner())
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let plugin = self.0.read().map_err(|_| broken())?;
        // One observation that the plugin stumbles over must not end its connection.
        let verdict = catch_unwind(AssertUnwindSafe(|| plugin.verify(&observation)))
            .map_err(|_| Status::internal("the plugin panicked over this observation"))?;
        Ok(Response::new(verdict.into()))
    }

    async fn configure_sources(
        &self,
        request: Request<wire::ConfigureSourcesRequest>,
    ) -> Result<Response<wire::ConfigureSourcesResponse>, Status> {
        let request = request.into_inner();
        let settings = serde_json::from_slice(&request.settings_json)
            .map_err(|error| Status::invalid_argument(format!("settings: {error}")))?;
        let mut plugin = self.0.write().map_err(|_| broken())?;
        plugin
            .configure(&settings)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let description = plugin.describe();
        let wanted = request
            .granted
            .into_iter()
            .filter(|source| description.reads(&source.source_type))
            .map(|source| source.name)
            .collect();
        Ok(Response::new(wire::ConfigureSourcesResponse { wanted }))
    }
}

/// A panic while the settings were taken over left the plugin half configured.
fn broken() -> Status {
    Status::failed_precondition("the plugin is broken")
}
