//! The gRPC messages and services between agent and tracker, generated from `protocol-spec/proto`.
//!
//! The generated files are committed; `UPDATE=1 cargo test -p farmops-protocol --test generated`
//! writes them anew. Building needs no `protoc`.

/// `farmops.proof`.
pub mod proof {
    /// `farmops.proof.v1`.
    #[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
    #[rustfmt::skip]
    #[path = "farmops.proof.v1.rs"]
    pub mod v1;
}

/// `farmops.tracker`.
pub mod tracker {
    /// `farmops.tracker.v1`.
    #[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
    #[rustfmt::skip]
    #[path = "farmops.tracker.v1.rs"]
    pub mod v1;
}
