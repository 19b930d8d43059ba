//! The messages and the service of `farmops.plugin.v1`, generated from `protocol-spec/proto`.
//!
//! The generated file is committed; `UPDATE=1 cargo test -p farmops-protocol --test generated` writes it.

#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
#[rustfmt::skip]
#[path = "gen/farmops.plugin.v1.rs"]
pub mod v1;
