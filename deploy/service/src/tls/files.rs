//! PEM files, and what can be wrong with them, in words for the operator.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::x509::{Facts, Moment};
use crate::secret_file::{self, SecretFileError};

/// Longest file of certificates that is read. A system's whole bundle is a quarter of it.
const BYTES_MAX: u64 = 1024 * 1024;

/// Why there is no TLS. Every message names the file and what helps.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One setting needs another.
    #[error("`tls.{given}` is set: set `tls.{missing}` as well")]
    Incomplete {
        /// The setting that is there.
        given: &'static str,
        /// The setting that is not.
        missing: &'static str,
    },
    /// The file cannot be read.
    #[error("cannot read {path}: {source}; does it exist, and may this user read it?")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The key's file is open to everyone.
    #[error(transparent)]
    KeyFile(#[from] SecretFileError),
    /// The file does not hold what it should.
    #[error("{path}: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What was found, and what was expected.
        reason: String,
    },
    /// The certificate's time is over, or has not come.
    #[error("{path}: the certificate is {fault} (it is valid from {from} to {until}): renew it")]
    OutOfTime {
        /// The file.
        path: PathBuf,
        /// `expired` or `not valid yet`.
        fault: &'static str,
        /// Its first second.
        from: Moment,
        /// Its last second.
        until: Moment,
    },
    /// The key is another certificate's.
    #[error(
        "the key in {key} is not that of the first certificate in {cert}: use the key that it was \
         issued for, and put the server's own certificate first"
    )]
    Mismatch {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
}

impl TlsError {
    pub(super) fn content(path: &Path, reason: impl Into<String>) -> Self {
        Self::Content {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}

/// The bytes of a certificate chain and of its key, and where they are from.
pub(super) struct PairFiles {
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
    pub(super) cert_pem: Vec<u8>,
    pub(super) key_pem: Vec<u8>,
}

/// A chain with its key, checked against each other and the clock.
pub(super) struct Pair {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) not_after: SystemTime,
}

impl PairFiles {
    pub(super) fn read(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let cert_pem = read(cert)?;
        // Before the key's file is looked at: where the two are exchanged, its mode is beside the point.
        certificates(cert, &cert_pem)?;
        Ok(Self {
            cert: cert.to_owned(),
            key: key.to_owned(),
            cert_pem,
            key_pem: secret_file::read_for_group(key)?,
        })
    }

    pub(super) fn check(
        &self,
        provider: &CryptoProvider,
        now: SystemTime,
    ) -> Result<Pair, TlsError> {
        let chain = certificates(&self.cert, &self.cert_pem)?;
        let key = private_key(&self.key, &self.key_pem)?;
        let not_after = check_time(&self.cert, &chain[0], now)?;
        let key = provider.key_provider.load_private_key(key);
        let key = key.map_err(|error| TlsError::content(&self.key, error.to_string()))?;
        let certified = CertifiedKey::new(chain, key);
        certified.keys_match().map_err(|_| TlsError::Mismatch {
            cert: self.cert.clone(),
            key: self.key.clone(),
        })?;
        Ok(Pair {
            certified: Arc::new(certified),
            not_after,
        })
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::Read {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let mut bounded = std::io::Read::take(file, BYTES_MAX + 1);
    std::io::Read::read_to_end(&mut bounded, &mut bytes).map_err(failed)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(TlsError::content(path, "too long for certificates"));
    }
    Ok(bytes)
}

/// The certificates of a PEM file, at least one.
pub(super) fn certificates(
    path: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::content(path, format!("not PEM: {error:?}")))?;
    if certificates.is_empty() {
        let reason = if contains(pem, b"PRIVATE KEY-----") {
            "holds a key and no certificate; are the two files exchanged?"
        } else {
            "holds no certificate: expected PEM with `-----BEGIN CERTIFICATE-----`"
        };
        return Err(TlsError::content(path, reason));
    }
    Ok(certificates)
}

/// The authorities of a PEM file.
pub(super) fn authorities(path: &Path, pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, pem)? {
        roots
            .add(certificate)
            .map_err(|error| TlsError::content(path, error.to_string()))?;
    }
    Ok(roots)
}

fn private_key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
        let reason = if contains(pem, b"ENCRYPTED") {
            "the key is protected by a passphrase: write it without one, for example with \
             `openssl pkey`"
        } else if contains(pem, b"-----BEGIN CERTIFICATE-----") {
            "holds a certificate and no key; are the two files exchanged?"
        } else {
            "holds no key: expected PEM with `-----BEGIN PRIVATE KEY-----`"
        };
        TlsError::content(path, reason)
    })
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The end of a certificate's validity, if `now` is in it.
fn check_time(
    path: &Path,
    certificate: &CertificateDer<'_>,
    now: SystemTime,
) -> Result<SystemTime, TlsError> {
    let facts = Facts::of(certificate)
        .ok_or_else(|| TlsError::content(path, "not an X.509 certificate that can be read"))?;
    let (from, until) = (facts.not_before, facts.not_after);
    let fault = if now > until.time() {
        "expired"
    } else if now < from.time() {
        "not valid yet"
    } else {
        return Ok(until.time());
    };
    Err(TlsError::OutOfTime {
        path: path.to_owned(),
        fault,
        from,
        until,
    })
}
