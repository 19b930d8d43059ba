//! The process-wide TLS provider.
//!
//! The HTTP clients of this workspace are compiled without a default provider, so building one
//! before [`init`] panics. Every `main` and every test that makes a client calls it first.

/// Installs the ring provider for the whole process. Calling it again changes nothing.
pub fn init() {
    // An error only says that a provider is already there, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
