//! The `tls` section of a service's configuration.

use std::path::PathBuf;

use serde::Deserialize;

/// With `cert_file` and `key_file` the listener speaks TLS only; without both, plain HTTP.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// PEM: the server's certificate, then the intermediate ones.
    #[serde(deserialize_with = "crate::config::path")]
    pub cert_file: Option<PathBuf>,
    /// PEM: the key of the first certificate; not readable by everyone.
    #[serde(deserialize_with = "crate::config::path")]
    pub key_file: Option<PathBuf>,
    /// PEM: the authorities that client certificates must come from.
    #[serde(deserialize_with = "crate::config::path")]
    pub client_ca_file: Option<PathBuf>,
    /// What is asked of clients; goes with `client_ca_file`.
    pub client_auth: Option<ClientAuth>,
}

/// What is asked of clients. A certificate that is shown is always verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuth {
    /// A client may show a certificate; handlers learn of it.
    Optional,
    /// No handshake without one. Browsers and peers need one as well, then.
    Required,
}
