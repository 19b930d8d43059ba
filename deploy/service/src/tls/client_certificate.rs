//! A client certificate that the handshake has verified.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};

use super::x509::Facts;

/// A client certificate whose chain leads to `tls.client_ca_file` and whose key the client holds.
///
/// A request extension: present when the client has shown a certificate on this connection. What it
/// allows is the service's decision.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate(Arc<Content>);

#[derive(PartialEq, Eq)]
struct Content {
    fingerprint: [u8; 32],
    names: Vec<String>,
}

impl ClientCertificate {
    pub(crate) fn new(certificate: &CertificateDer<'_>) -> Self {
        Self(Arc::new(Content {
            fingerprint: Sha256::digest(certificate).into(),
            names: Facts::of(certificate).map_or_else(Vec::new, |facts| facts.names),
        }))
    }

    /// The SHA-256 of the certificate (DER).
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.0.fingerprint
    }

    /// Its subject alternative names (mail, DNS, URI); without any, the subject's common name.
    pub fn names(&self) -> &[String] {
        &self.0.names
    }
}

/// The fingerprint in hexadecimal, as `openssl x509 -fingerprint -sha256` has it without colons.
impl fmt::Display for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.fingerprint))
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCertificate({self}, {:?})", self.0.names)
    }
}
