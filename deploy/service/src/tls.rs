//! TLS: one provider for the process, certificates from files, and who a peer is.
//!
//! * [`init`] installs the provider. The HTTP clients of this workspace are compiled without a
//!   default one, so building a client before panics: every `main` and every test that makes one
//!   calls it first.
//! * [`ServerTls`] is what a listener needs: the chain and key of [`Settings`], read anew when the
//!   files change, and optionally the authorities of client certificates.
//! * [`ClientIdentity`] is the matching half of an outbound client.
//! * [`ClientCertificate`] is how a handler learns of a verified client certificate.

mod client_certificate;
mod files;
mod identity;
mod server;
mod settings;
mod x509;

#[cfg(test)]
mod tests;

pub use client_certificate::ClientCertificate;
pub use files::TlsError;
pub use identity::ClientIdentity;
pub use server::ServerTls;
pub use settings::{ClientAuth, Settings};

/// Installs the ring provider for the whole process. Calling it again changes nothing.
pub fn init() {
    // An error only says that a provider is already there, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
