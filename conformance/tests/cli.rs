//! The program itself: what it prints and how it exits.

#![allow(clippy::unwrap_used)]

use std::{
    net::TcpListener,
    process::{Command, Output},
};

use farmops_conformance::checks;
use serde_json::Value;

fn program(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_farmops-conformance"))
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn the_list_names_every_check_and_its_clauses() {
    let output = program(&["list"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for check in checks::all() {
        assert!(text.contains(&format!("{}  {}", check.name, check.clauses.join(" "))));
    }
}

#[test]
fn a_wrong_command_line_is_2_and_says_why() {
    for (args, reason) in [
        (&["run"][..], "--target"),
        (
            &["run", "--target", "http://farm.localhost"],
            "--allow-loopback",
        ),
    ] {
        let output = program(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(reason), "{text}");
    }
}

#[test]
fn a_server_that_does_not_answer_is_1_and_a_report_all_the_same() {
    // A port that was free a moment ago, and that nobody listens on.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let target = format!("http://nobody.localhost:{port}");
    let output = program(&["run", "--target", &target, "--allow-loopback", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let reports: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(reports[0]["lines"][0]["check"], "discovery");
    assert_eq!(reports[0]["lines"][0]["result"], "fail");
}
