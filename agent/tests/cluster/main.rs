//! The Kubernetes source against a real API server.

#![allow(clippy::unwrap_used)]

mod changes;
mod source;
