//! The client against servers that misbehave, all on loopback.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::resolver::Lookup;
use super::{Bounds, Outbound, OutboundError, Reach};

/// Answers each look-up with the next entry, and stays at the last one.
struct Script(Mutex<VecDeque<Vec<IpAddr>>>);

impl Script {
    fn new(answers: &[&[&str]]) -> Self {
        let parse = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        Self(Mutex::new(answers.iter().map(parse).collect()))
    }
}

impl Lookup for Script {
    fn lookup(&self, _name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let mut answers = self.0.lock().unwrap();
        let answer = match answers.len() {
            0 => vec![],
            1 => answers[0].clone(),
            _ => answers.pop_front().unwrap(),
        };
        Box::pin(async move { Ok(answer) })
    }
}

/// A server that answers every connection with `reply` after reading the request's head.
async fn server(reply: &'static [u8]) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            read_head(&mut stream).await;
            let _ = stream.write_all(reply).await;
        }
    });
    (address, accepted)
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
}

fn outbound(reach: Reach, lookup: Script) -> Outbound {
    Outbound::build(reach, "farmops-test/1", &[], None, lookup).unwrap()
}

fn url(host: &str, address: SocketAddr, path: &str) -> Url {
    Url::parse(&format!("http://{host}:{}{path}", address.port())).unwrap()
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";

#[tokio::test]
async fn a_name_that_resolves_inside_is_refused_before_any_connection() {
    let (address, accepted) = server(OK).await;
    let client = outbound(
        Reach::PublicOnly,
        Script::new(&[&["127.0.0.1", "10.0.0.1"]]),
    );
    let target = Url::parse(&format!("https://evil.example:{}/", address.port())).unwrap();
    let error = client.get(target, Bounds::default()).await.unwrap_err();
    assert!(matches!(&error, OutboundError::Refused { .. }), "{error}");
    assert!(!error.is_transient());
    assert_eq!(accepted.load(Ordering::SeqCst), 0);
}

/// CVE-2026-33693, CVE-2026-22245, -46348, -47389, GHSA-vwhj-3g83-v276, CVE-2026-50131: each of
/// these addresses was missing from somebody's list of forbidden ones. Here what is not global
/// unicast is refused, as the answer for a name and written into the URL.
#[tokio::test]
async fn no_special_address_is_dialled_behind_a_name_or_in_a_url() {
    for address in [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.1",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2001::1",
        "2002:7f00:1::1",
        "fc00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        let client = outbound(Reach::PublicOnly, Script::new(&[&[address]]));
        let host = match address.parse().unwrap() {
            IpAddr::V4(_) => address.to_owned(),
            IpAddr::V6(_) => format!("[{address}]"),
        };
        for host in ["evil.example", host.as_str()] {
            let target = Url::parse(&format!("https://{host}/")).unwrap();
            let result = client.get(target, Bounds::default()).await;
            assert!(
                matches!(result, Err(OutboundError::Refused { .. })),
                "{host} at {address}: {result:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_name_that_rebinds_between_requests_is_judged_at_each_connection() {
    let (address, accepted) = server(OK).await;
    let script = Script::new(&[&["127.0.0.1"], &["10.0.0.1"], &["127.0.0.1"]]);
    let client = outbound(Reach::Loopback, script);
    let target = url("farm.example", address, "/");
    let first = client.get(target.clone(), Bounds::default()).await.unwrap();
    assert_eq!(&first.body[..], b"hello");
    let second = client.get(target.clone(), Bounds::default()).await;
    assert!(matches!(second, Err(OutboundError::Refused { .. })));
    client.get(target, Bounds::default()).await.unwrap();
    assert_eq!(accepted.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_mixed_answer_is_narrowed_to_the_allowed_addresses() {
    let (address, _) = server(OK).await;
    let client = outbound(
        Reach::Loopback,
        Script::new(&[&["10.255.255.1", "127.0.0.1"]]),
    );
    let answer = client
        .get(url("farm.example", address, "/"), Bounds::default())
        .await
        .unwrap();
    assert_eq!(&answer.body[..], b"hello");
}

#[tokio::test]
async fn names_under_localhost_need_no_dns() {
    let (address, _) = server(OK).await;
    for reach in [Reach::Loopback, Reach::Operator] {
        let client = outbound(reach, Script::new(&[]));
        for host in ["localhost", "village.localhost"] {
            let target = url(host, address, "/");
            client.get(target, Bounds::default()).await.unwrap();
        }
    }
}

#[test]
fn urls_are_judged_by_scheme_credentials_and_literal() {
    let refused = |reach, text: &str| {
        let client = outbound(reach, Script::new(&[]));
        client.check_url(&Url::parse(text).unwrap()).is_err()
    };
    for text in [
        "http://farm.example/",
        "ftp://farm.example/",
        "https://user@farm.example/",
        "https://:secret@farm.example/",
        "https://localhost/",
        "https://a.LOCALHOST./",
        "https://127.0.0.1/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "data:text/plain,hello",
    ] {
        assert!(refused(Reach::PublicOnly, text), "{text}");
    }
    assert!(!refused(Reach::PublicOnly, "https://farm.example/"));
    assert!(!refused(Reach::PublicOnly, "https://93.184.216.34/"));
    assert!(!refused(Reach::Loopback, "http://127.0.0.1:8443/"));
    assert!(refused(Reach::Loopback, "http://192.168.1.1/"));
    assert!(!refused(Reach::Operator, "http://192.168.1.1/"));
    assert!(refused(Reach::Operator, "file:///etc/passwd"));
}

#[tokio::test]
async fn a_refusal_does_not_repeat_credentials() {
    let client = outbound(Reach::PublicOnly, Script::new(&[]));
    let target = Url::parse("https://bob:hunter2@farm.example/?token=hunter2").unwrap();
    let error = client.get(target, Bounds::default()).await.unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_byte_a_second_does_not_outlive_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
        stream.write_all(head).await.unwrap();
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        loop {
            tick.tick().await;
            if stream.write_all(b".").await.is_err() {
                break;
            }
        }
    });
    let bounds = Bounds {
        deadline: Duration::from_millis(1500),
        ..Bounds::default()
    };
    let client = outbound(Reach::Loopback, Script::new(&[]));
    let started = Instant::now();
    let result = client.get(url("127.0.0.1", address, "/"), bounds).await;
    assert!(matches!(result, Err(OutboundError::Deadline(_))));
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_body_is_cut_at_the_cap_announced_or_not() {
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
        8\r\n12345678\r\n8\r\n12345678\r\n8\r\n12345678\r\n";
    let exact = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n1234567890123456";
    let bounds = Bounds {
        body_bytes_max: 16,
        ..Bounds::default()
    };
    let client = outbound(Reach::Loopback, Script::new(&[]));
    for reply in [&announced[..], &chunked[..]] {
        let (address, _) = server(reply).await;
        let result = client.get(url("127.0.0.1", address, "/"), bounds).await;
        assert!(
            matches!(result, Err(OutboundError::TooLong { limit: 16 })),
            "{result:?}"
        );
    }
    let (address, _) = server(exact).await;
    let answer = client.get(url("127.0.0.1", address, "/"), bounds).await;
    assert_eq!(answer.unwrap().body.len(), 16);
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let reply = b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\
        connection: close\r\n\r\n";
    let (address, accepted) = server(reply).await;
    let client = outbound(Reach::Loopback, Script::new(&[]));
    let answer = client
        .get(url("127.0.0.1", address, "/"), Bounds::default())
        .await
        .unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(answer.headers["location"], "/elsewhere");
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
}

#[test]
fn a_ca_file_without_certificates_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let result = Outbound::with_ca_file(Reach::Operator, "farmops-test/1", file.path());
    assert!(matches!(result, Err(OutboundError::CaFile { .. })));
}
