//! A Kubernetes of the tests' own.
//!
//! In scope: a real API server over a real etcd, with the controller manager beside it, on loopback and in a
//! temporary folder, gone when the process that asked for it is, however it ended; and the `kubectl` and `helm`
//! to use it. Roles, Pod Security and controllers are Kubernetes' own and work as anywhere.
//!
//! Out of scope: nodes. Nothing runs a pod: a Deployment's pods are made and stay `Pending`, and tests write
//! the status they want to see (`kubectl patch --subresource=status`). The controllers that would tidy up after
//! lost nodes are off, so what a test says of nodes and pods stays said.
//!
//! [`shared`] is what most tests want: one cluster for the whole test process; separate tests take separate
//! namespaces. [`Cluster`] is a cluster of a test's own, whose API server it may stop.
//!
//! A machine without the programs fails these tests; `make testbed` builds them.

mod cluster;
mod error;
mod layout;
mod programs;
mod server;

use std::sync::LazyLock;

pub use self::{cluster::Cluster, error::Error, programs::Program};

static SHARED: LazyLock<Result<Cluster, Error>> = LazyLock::new(Cluster::start);

/// The cluster of this process.
///
/// # Errors
/// See [`Error`]; all of them are for a test to panic with.
pub fn shared() -> Result<&'static Cluster, &'static Error> {
    SHARED.as_ref()
}
