//! Accepting connections and letting them go.
//!
//! With TLS, the handshake has the same time as the head of a request, counted from the accepted
//! connection, and takes one of the listener's places like every connection.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use super::Limits;
use super::first_bytes::FirstBytes;
use crate::tls::{ClientCertificate, ServerTls};

/// Streams that one HTTP/2 connection may have open at the same time.
const STREAMS_MAX: u32 = 128;
/// Longest request head, HTTP/1 bytes or HTTP/2 header list.
const HEAD_BYTES_MAX: u32 = 32 * 1024;
/// How often an HTTP/2 peer is asked whether it is still there, and how long it may think.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// Pause after `accept` failed for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Where connections come from: a socket, and TLS if that is spoken on it.
pub struct Listener {
    tcp: TcpListener,
    tls: Option<ServerTls>,
}

impl Listener {
    /// A listener that speaks TLS, and nothing else, if there is a `tls`.
    pub fn new(tcp: TcpListener, tls: Option<ServerTls>) -> Self {
        Self { tcp, tls }
    }
}

impl From<TcpListener> for Listener {
    fn from(tcp: TcpListener) -> Self {
        Self { tcp, tls: None }
    }
}

/// Serves a router on a listener, HTTP/1.1 and HTTP/2 (by ALPN, or prior knowledge), until the
/// token is cancelled; then requests in flight get `drain_timeout` to finish, and the rest is cut
/// off.
///
/// Every request carries `ConnectInfo<SocketAddr>` with the peer's address, and a
/// [`ClientCertificate`] if the client has shown one.
pub async fn serve(
    listener: impl Into<Listener>,
    router: Router,
    limits: Limits,
    cancel: CancellationToken,
) {
    let Listener { tcp: listener, tls } = listener.into();
    let connections = TaskTracker::new();
    // Cancelled by its drop guard when this function is dropped, so that no task outlives it.
    let cut_off = CancellationToken::new();
    let guard = cut_off.clone().drop_guard();
    let slots = Arc::new(Semaphore::new(limits.connections_max));
    if let Some(tls) = tls.clone() {
        connections.spawn(tls.keep_looking(cancel.clone()));
    }
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        let (slot, stream, peer) = tokio::select! {
            () = cancel.cancelled() => break,
            (slot, accepted) = accepted => match accepted {
                Ok((stream, peer)) => (slot, stream, peer),
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            },
        };
        let connection = Connection {
            peer,
            router: router.clone(),
            limits,
            cancel: cancel.clone(),
        };
        let connection = connection.accept(stream, tls.clone());
        let cut_off = cut_off.clone();
        connections.spawn(async move {
            cut_off.run_until_cancelled(connection).await;
            drop(slot);
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(limits.drain_timeout, connections.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            open = connections.len(),
            "connections cut off at the end of the drain"
        );
    }
    drop(guard);
    connections.wait().await;
}

async fn pause_after(error: &io::Error) {
    let of_one_peer = matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    );
    if !of_one_peer {
        tracing::error!(%error, "cannot accept connections");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

struct Connection {
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    cancel: CancellationToken,
}

impl Connection {
    async fn accept(self, stream: TcpStream, tls: Option<ServerTls>) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let Some(tls) = tls else {
            return self.serve(stream, None).await;
        };
        let handshake = tokio::time::timeout(self.limits.header_read_timeout, tls.accept(stream));
        let done = tokio::select! {
            () = self.cancel.cancelled() => return,
            done = handshake => done,
        };
        let outcome = match done {
            Ok(Ok((stream, certificate))) => {
                count("done");
                return self.serve(stream, certificate).await;
            }
            Ok(Err(error)) => {
                tracing::debug!(peer = %self.peer, %error, "a TLS handshake failed");
                "failed"
            }
            Err(_) => "late",
        };
        count(outcome);
    }

    async fn serve<S>(self, stream: S, certificate: Option<ClientCertificate>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self {
            peer,
            router,
            limits,
            cancel,
        } = self;
        let io = TokioIo::new(FirstBytes::new(stream, limits.header_read_timeout));
        let service = service_fn(move |request: http::Request<Incoming>| {
            let mut router = router.clone();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            if let Some(certificate) = certificate.clone() {
                request.extensions_mut().insert(certificate);
            }
            async move { router.call(request).await as Result<_, Infallible> }
        });
        let builder = protocol(limits.header_read_timeout);
        let mut connection = pin!(builder.serve_connection_with_upgrades(io, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = cancel.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, error, "a connection ended early");
        }
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("farmops_tls_handshakes_total", "outcome" => outcome).increment(1);
}

fn protocol(header_read_timeout: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_read_timeout)
        .max_buf_size(HEAD_BYTES_MAX as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_INTERVAL)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX);
    builder
}
