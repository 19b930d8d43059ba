//! Who an outbound client is: a certificate with its key.

use std::fmt;
use std::path::Path;
use std::time::SystemTime;

use super::files::{PairFiles, TlsError};

/// A client certificate chain with its key, read from files and checked.
pub struct ClientIdentity {
    cert_pem: Vec<u8>,
    key_pem: Vec<u8>,
}

impl ClientIdentity {
    /// Reads and checks both files. They are read once: make a new identity for a new connection,
    /// and a renewed certificate is used by it.
    pub fn from_files(cert: &Path, key: &Path, now: SystemTime) -> Result<Self, TlsError> {
        let files = PairFiles::read(cert, key)?;
        files.check(&rustls::crypto::ring::default_provider(), now)?;
        Ok(Self {
            cert_pem: files.cert_pem,
            key_pem: files.key_pem,
        })
    }

    /// The chain, for libraries that want PEM.
    pub fn cert_pem(&self) -> &[u8] {
        &self.cert_pem
    }

    /// The key, for libraries that want PEM. It is a secret.
    pub fn key_pem(&self) -> &[u8] {
        &self.key_pem
    }

    /// Key and chain in one PEM.
    pub(crate) fn bundle(&self) -> Vec<u8> {
        [&self.key_pem[..], b"\n", &self.cert_pem[..]].concat()
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[client identity]")
    }
}
