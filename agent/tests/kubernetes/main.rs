//! The Kubernetes source against a server that does what a real one does not do on demand.

#![allow(clippy::unwrap_used)]

mod faults;
mod script;
#[allow(dead_code)]
#[path = "../cluster/source.rs"]
mod source;
