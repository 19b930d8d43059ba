//! A server comes up, survives what its test does to it, and leaves nothing behind.
#![allow(clippy::unwrap_used)]

use std::{
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use farmops_postgres::{Server, database};

fn folder(url: &str) -> PathBuf {
    url.split_once("?host=").unwrap().1.into()
}

fn answers(folder: &Path) -> bool {
    UnixStream::connect(folder.join(".s.PGSQL.5432")).is_ok()
}

#[test]
fn each_call_makes_another_database_in_one_cluster() {
    let (one, other) = (database().unwrap(), database().unwrap());
    assert_ne!(one, other);
    assert_eq!(folder(&one), folder(&other));
    assert!(answers(&folder(&one)));
}

#[test]
fn a_killed_server_starts_again_and_a_dropped_one_is_gone() {
    let mut server = Server::start().unwrap();
    let home = folder(&server.create("kept").unwrap());
    server.kill().unwrap();
    assert!(!answers(&home));
    server.restart().unwrap();
    assert!(answers(&home));
    // It is there already.
    assert!(server.create("kept").is_err());
    drop(server);
    assert!(!home.exists());
}

#[test]
fn a_server_does_not_outlive_a_panic() {
    let server = Server::start().unwrap();
    let home = folder(&server.url("any"));
    let died = std::thread::spawn(move || {
        let _server = server;
        std::panic::resume_unwind(Box::new(()));
    });
    assert!(died.join().is_err());
    assert!(!home.exists());
}
