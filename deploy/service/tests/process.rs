//! What concerns a whole process: signals, and a system without certificate authorities. Each
//! test starts this test program again as a child and talks to it.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use farmops_service::outbound::{Bounds, Outbound, OutboundError, Reach};
use farmops_service::stop;

/// Runs one of the ignored tests below as a program of its own.
fn program(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", name, "--ignored", "--nocapture"])
        .stdout(Stdio::piped());
    command
}

fn send(signal: &str, child: &Child) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
    assert!(sent.success());
}

fn wait_for(line: &str, output: &mut BufReader<ChildStdout>) {
    let mut seen = String::new();
    while !seen.trim_end().ends_with(line) {
        seen.clear();
        assert_ne!(
            output.read_line(&mut seen).unwrap(),
            0,
            "ended before `{line}`"
        );
    }
}

#[test]
fn the_first_signal_asks_and_the_second_ends() {
    for (first, second) in [("-TERM", "-INT"), ("-INT", "-TERM")] {
        let mut child = program("program_that_stops_slowly").spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        wait_for("ready", &mut output);
        send(first, &child);
        wait_for("cancelled", &mut output);
        send(second, &child);
        assert_eq!(child.wait().unwrap().code(), Some(130));
    }
}

#[tokio::test]
#[ignore = "started by the_first_signal_asks_and_the_second_ends"]
async fn program_that_stops_slowly() {
    let stopping = stop::on_signal().unwrap();
    println!("ready");
    // A signal that is not heeded must fail the test, not hang it.
    tokio::time::timeout(Duration::from_secs(30), stopping.cancelled())
        .await
        .unwrap();
    println!("cancelled");
    tokio::time::sleep(Duration::from_secs(30)).await;
}

#[test]
fn plain_http_works_without_certificate_authorities() {
    let status = program("program_without_certificate_authorities")
        .env("SSL_CERT_FILE", "/nonexistent/bundle.pem")
        .env("SSL_CERT_DIR", "/nonexistent")
        .status();
    assert!(status.unwrap().success());
}

#[tokio::test]
#[ignore = "started by plain_http_works_without_certificate_authorities"]
async fn program_without_certificate_authorities() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().route("/", axum::routing::get(async || "hello"));
    let limits = farmops_service::server::Limits::default();
    let never = tokio_util::sync::CancellationToken::new();
    tokio::spawn(farmops_service::server::serve(
        listener, router, limits, never,
    ));

    let client = Outbound::new(Reach::Operator, "farmops-test/1").unwrap();
    let plain = format!("http://{address}/").parse().unwrap();
    assert_eq!(
        client.get(plain, Bounds::default()).await.unwrap().body,
        "hello"
    );
    let tls = format!("https://{address}/").parse().unwrap();
    let refused = client.get(tls, Bounds::default()).await;
    assert!(matches!(refused, Err(OutboundError::Transport(_))));
}
