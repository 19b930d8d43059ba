//! The listener against slow, greedy and late peers, all on loopback.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Limits, harden, serve};

struct Running {
    address: SocketAddr,
    cancel: CancellationToken,
    ended: JoinHandle<()>,
}

async fn start(router: Router, limits: Limits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cancel = CancellationToken::new();
    let router = harden(router, &limits);
    let ended = tokio::spawn(serve(listener, router, limits, cancel.clone()));
    Running {
        address,
        cancel,
        ended,
    }
}

fn quick() -> Limits {
    Limits {
        header_read_timeout: Duration::from_millis(200),
        request_timeout: Duration::from_millis(200),
        drain_timeout: Duration::from_millis(200),
        ..Limits::default()
    }
}

/// Sends bytes and reads until the server closes the connection.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A reset is as good an end as any.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn close(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: farm.example\r\nconnection: close\r\n\r\n").into_bytes()
}

fn peer_route() -> Router {
    Router::new().route(
        "/peer",
        get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.ip().to_string()),
    )
}

#[tokio::test]
async fn answers_carry_the_default_headers_and_know_their_peer() {
    let running = start(peer_route(), Limits::default()).await;
    let answer = exchange(running.address, &close("/peer")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("x-content-type-options: nosniff"),
        "{answer}"
    );
    assert!(answer.contains("frame-ancestors 'none'"), "{answer}");
    assert!(answer.ends_with("127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn a_handler_may_choose_its_own_policy() {
    let own = [("content-security-policy", "default-src 'self'")];
    let router = Router::new().route("/", get(async move || (own, "page")));
    let running = start(router, Limits::default()).await;
    let answer = exchange(running.address, &close("/")).await;
    assert!(answer.contains("default-src 'self'"), "{answer}");
    assert!(!answer.contains("default-src 'none'"), "{answer}");
}

#[tokio::test]
async fn silence_and_half_sentences_are_ended() {
    let running = start(peer_route(), quick()).await;
    // Nothing; the start of an HTTP/2 preface; an HTTP/1 head that never ends.
    for opening in [
        &b""[..],
        b"PRI * HTT",
        b"GET /peer HTTP/1.1\r\nhost: farm.example\r\nx: ",
    ] {
        let answer = exchange(running.address, opening);
        let answer = tokio::time::timeout(Duration::from_secs(30), answer).await;
        assert!(!answer.unwrap().starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn a_handler_that_hangs_is_answered_for() {
    let router = Router::new().route("/", get(std::future::pending::<&str>));
    let running = start(router, quick()).await;
    let answer = exchange(running.address, &close("/")).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("retry-after: 1"), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
}

#[tokio::test]
async fn who_still_writes_when_it_is_refused_gets_its_answer() {
    let refuse = async || StatusCode::FORBIDDEN;
    let router = Router::new().route("/", post(refuse));
    let running = start(router, Limits::default()).await;
    let piece = vec![b' '; 50_000];
    for length in [500_000_usize, 50_000_000] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let head =
            format!("POST / HTTP/1.1\r\nhost: farm.example\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that has answered and closed would break these writes.
        let mut written = Ok(());
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            written = written.and(stream.write_all(&piece).await);
        }
        written.unwrap();
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, b"HTTP/1.1 403", "{length}");
    }
}

#[tokio::test]
async fn who_asks_before_it_writes_is_refused_at_once() {
    let refuse = async || StatusCode::FORBIDDEN;
    let router = Router::new().route("/", post(refuse));
    let running = start(router, Limits::default()).await;
    let head = "POST / HTTP/1.1\r\nhost: farm.example\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n";
    let answer = exchange(running.address, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn a_full_server_lets_the_next_peer_wait() {
    let entered = Arc::new(Notify::new());
    let release = Arc::new(Notify::new());
    let (enter, wait) = (Arc::clone(&entered), Arc::clone(&release));
    let router = peer_route().route(
        "/slow",
        get(async move || {
            enter.notify_one();
            wait.notified().await;
        }),
    );
    let limits = Limits {
        connections_max: 1,
        ..Limits::default()
    };
    let running = start(router, limits).await;
    let first = tokio::spawn(async move { exchange(running.address, &close("/slow")).await });
    entered.notified().await;
    let request = close("/peer");
    let mut second = std::pin::pin!(exchange(running.address, &request));
    let early = tokio::time::timeout(Duration::from_millis(100), second.as_mut()).await;
    assert!(early.is_err(), "served while the only slot was taken");
    release.notify_one();
    assert!(first.await.unwrap().starts_with("HTTP/1.1 200"));
    assert!(second.await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_stop_waits_for_requests_in_flight() {
    let entered = Arc::new(Notify::new());
    let release = Arc::new(Notify::new());
    let (enter, wait) = (Arc::clone(&entered), Arc::clone(&release));
    let router = Router::new().route(
        "/",
        get(async move || {
            enter.notify_one();
            wait.notified().await;
            "done"
        }),
    );
    let running = start(router, Limits::default()).await;
    let address = running.address;
    let mut client = tokio::spawn(async move { exchange(address, &close("/")).await });
    entered.notified().await;
    running.cancel.cancel();
    let early = tokio::time::timeout(Duration::from_millis(100), &mut client).await;
    assert!(early.is_err(), "cut off although there was time");
    release.notify_one();
    assert!(client.await.unwrap().ends_with("done"));
    running.ended.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let entered = Arc::new(Notify::new());
    let enter = Arc::clone(&entered);
    let router = Router::new().route(
        "/",
        get(async move || {
            enter.notify_one();
            std::future::pending::<()>().await;
        }),
    );
    let limits = Limits {
        request_timeout: Duration::from_hours(1),
        ..quick()
    };
    let running = start(router, limits).await;
    let address = running.address;
    let client = tokio::spawn(async move { exchange(address, &close("/")).await });
    entered.notified().await;
    running.cancel.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(30), running.ended).await;
    ended.unwrap().unwrap();
    assert_eq!(client.await.unwrap(), "");
}

#[tokio::test]
async fn heads_are_bounded_in_length_and_number() {
    let running = start(peer_route(), Limits::default()).await;
    let many = "x: y\r\n".repeat(101);
    let long = "x".repeat(64 * 1024);
    for (head, status) in [
        (
            format!("GET /peer?{} HTTP/1.1\r\n", "q".repeat(8192)),
            "414",
        ),
        (format!("GET /peer HTTP/1.1\r\n{many}"), "431"),
        (format!("GET /peer HTTP/1.1\r\nx: {long}\r\n"), "431"),
    ] {
        let request = format!("{head}host: farm.example\r\nconnection: close\r\n\r\n");
        // The server may answer and close before it has read everything.
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(
            String::from_utf8_lossy(&answer),
            format!("HTTP/1.1 {status}")
        );
    }
}

#[tokio::test]
async fn a_body_that_trickles_is_ended() {
    let router = Router::new().route("/", axum::routing::post(async |body: String| body));
    let running = start(router, quick()).await;
    let head = b"POST / HTTP/1.1\r\nhost: farm.example\r\ncontent-length: 1000\r\n\
        connection: close\r\n\r\nhalf a word";
    let answer = exchange(running.address, head);
    let answer = tokio::time::timeout(Duration::from_secs(30), answer).await;
    assert!(answer.unwrap().starts_with("HTTP/1.1 503"));
}
