//! How a village is told what to do: flags over `FARMOPS_*` variables over a file over the
//! defaults.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use farmops_federation::Reach;
use farmops_protocol::registration::check_display_name;
use farmops_service::{
    rate_limit::{ClientAddresses, PerMinute},
    telemetry::Format,
    tls,
};
use serde::Deserialize;
use url::Url;

use crate::{names, roster::Registration};

/// Everything that can be set. Each member's comment is its documentation.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Where the database is: `sqlite://PATH`.
    #[serde(default = "default_db")]
    pub db: String,
    /// The address to listen on.
    #[serde(default = "default_listen")]
    pub listen: IpAddr,
    /// The port.
    #[serde(default = "default_port")]
    pub port: u16,
    /// Where the world reaches this village: scheme and host, without a path.
    pub public_url: Url,
    /// The village's name.
    pub name: String,
    /// The village's handle before the `@`; made from the name at the first start without it,
    /// and never changed after that.
    #[serde(default)]
    pub handle: Option<String>,
    /// A line about the village, shown on its pages.
    #[serde(default)]
    pub description: String,
    /// Who may join: `open`, `invite` or `approval`.
    #[serde(default)]
    pub registration: Registration,
    /// Files with the leagues whose rules the village supplies, one league in each.
    #[serde(default)]
    pub leagues: Vec<PathBuf>,
    /// Development: talk to loopback addresses over plain HTTP.
    #[serde(default)]
    pub allow_loopback: bool,
    /// A file with further certificate authorities for outgoing HTTPS.
    #[serde(default, deserialize_with = "farmops_service::config::path")]
    pub ca_file: Option<PathBuf>,
    /// TLS on the port, and client certificates; plain HTTP without it.
    #[serde(default)]
    pub tls: tls::Settings,
    /// Networks of proxies whose `Forwarded` and `X-Forwarded-For` are believed.
    #[serde(default)]
    pub trusted_proxies: ClientAddresses,
    /// How many requests one client may make in a minute.
    #[serde(default = "default_requests_per_minute")]
    pub requests_per_minute: PerMinute,
    /// Where Prometheus metrics are served; not at all without it.
    #[serde(default)]
    pub metrics: Option<SocketAddr>,
    /// Where the source of this very program is offered; the licence asks for it.
    #[serde(default = "default_source_url")]
    pub source_url: Url,
    /// How much is logged, in the syntax of `env_logger`.
    #[serde(default = "default_log")]
    pub log: String,
    /// `text` or `json`.
    #[serde(default)]
    pub log_format: Format,
}

/// A value that parses and still makes no village.
#[derive(Debug, thiserror::Error)]
#[error("`{key}`: {reason}")]
pub struct Unfit {
    key: &'static str,
    reason: String,
}

impl Unfit {
    /// A value of `key`, and what would be right.
    pub fn new(key: &'static str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { key, reason }
    }
}

impl Config {
    /// Checks what types cannot say.
    pub fn check(&self) -> Result<(), Unfit> {
        let unfit = |key, reason: &str| Err(Unfit::new(key, reason));
        if let Err(error) = check_display_name(&self.name) {
            return unfit("name", &error.reason);
        }
        if let Err(error) = farmops_protocol::registration::check_handle(&self.slug()) {
            return unfit("handle", &error.reason);
        }
        if self.description.chars().count() > 500 || self.description.contains(char::is_control) {
            return unfit("description", "expected one line of at most 500 characters");
        }
        if self.public_url.scheme() != "https" && !self.allow_loopback {
            return unfit("public_url", "must be https, unless loopback is allowed");
        }
        if self.database_file().is_none() {
            return unfit("db", "expected sqlite://PATH");
        }
        Ok(())
    }

    /// The village's handle before the `@`, for its founding.
    pub fn slug(&self) -> String {
        self.handle
            .clone()
            .unwrap_or_else(|| names::slug_of(&self.name))
    }

    /// The file of the database.
    pub fn database_file(&self) -> Option<&Path> {
        let rest = self.db.strip_prefix("sqlite:")?;
        let path = rest.strip_prefix("//").unwrap_or(rest).split('?').next()?;
        (!path.is_empty() && path != ":memory:").then(|| Path::new(path))
    }

    /// The file of the admin's token, beside the database.
    pub fn token_file(&self) -> PathBuf {
        let directory = self
            .database_file()
            .and_then(Path::parent)
            .unwrap_or(Path::new(""));
        directory.join("admin.token")
    }

    /// Whom the federation may talk to.
    pub fn reach(&self) -> Reach {
        if self.allow_loopback {
            Reach::Loopback
        } else {
            Reach::Public
        }
    }
}

fn default_db() -> String {
    "sqlite://farmops-village.db".to_owned()
}

const fn default_listen() -> IpAddr {
    IpAddr::V4(Ipv4Addr::LOCALHOST)
}

const fn default_port() -> u16 {
    8080
}

fn default_source_url() -> Url {
    // Invariant: a constant that parses; a test below reads it.
    #[allow(clippy::unwrap_used)]
    crate::SOURCE.parse().unwrap()
}

const fn default_requests_per_minute() -> PerMinute {
    PerMinute::new(6_000)
}

fn default_log() -> String {
    "info".to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn load(flags: serde_json::Value) -> Config {
        farmops_service::config::load(None, "FARMOPS_", Vec::new(), flags).unwrap()
    }

    fn flags() -> serde_json::Value {
        serde_json::json!({ "name": "Orchard", "public_url": "https://orchard.example" })
    }

    #[test]
    fn two_values_make_a_village() {
        let config = load(flags());
        config.check().unwrap();
        assert_eq!((config.port, config.slug().as_str()), (8080, "orchard"));
        assert_eq!(config.token_file(), Path::new("admin.token"));
        assert_eq!(config.source_url.as_str(), crate::SOURCE);
    }

    #[test]
    fn unfit_values_name_their_key() {
        for (key, value) in [
            ("name", "two\nlines"),
            ("handle", "Not A Handle"),
            ("public_url", "http://orchard.example"),
            ("db", "postgres://x"),
            ("db", "sqlite::memory:"),
        ] {
            let mut flags = flags();
            flags[key] = value.into();
            let error = load(flags).check().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{key}`")), "{error}");
        }
    }

    #[test]
    fn the_token_lies_beside_the_database() {
        let mut flags = flags();
        flags["db"] = "sqlite:///var/lib/farmops/village.db?mode=rwc".into();
        let config = load(flags);
        assert_eq!(
            config.token_file(),
            Path::new("/var/lib/farmops/admin.token")
        );
    }
}
