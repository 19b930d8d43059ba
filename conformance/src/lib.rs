//! The conformance suite: what a FarmOps server must do, looked at from outside.
//!
//! In scope: checks over HTTP against a running server of any make, each tied to clauses of
//! `protocol-spec/docs`; a probe actor that the server can fetch, follow back and write to; and a
//! self-test in which every check is seen failing against a server with a deliberate fault.
//!
//! Out of scope: starting or configuring the server, and anything that needs its owner's credentials.
//! The suite shares no code with the servers it looks at, except the protocol itself.
//!
//! To add a check: 1. write it in a file of [`checks`], 2. add it to that file's table with the clauses
//! it looks at, 3. give [`selftest`] a fault that it must find.

pub mod check;
pub mod checks;
pub mod cli;
pub mod http;
pub mod probe;
pub mod report;
pub mod run;
pub mod selftest;
pub mod session;
pub mod sign;
pub mod target;
