//! How agent and plugin find each other: an environment of two variables, and one line on stdout.
//!
//! The agent starts the binary with an empty environment but for [`SOCKET_VARIABLE`], the path of a
//! Unix socket in a folder that only its user can enter, and [`COOKIE_VARIABLE`]. The plugin listens
//! there and prints [`line()`]. The agent holds the plugin's standard input open; when it closes, the
//! agent is gone and the plugin ends.

use std::path::{Path, PathBuf};

/// The path of the socket to listen on.
pub const SOCKET_VARIABLE: &str = "FARMOPS_PLUGIN_SOCKET";
/// Tells a plugin that an agent started it, and not a person by mistake. No secret.
pub const COOKIE_VARIABLE: &str = "FARMOPS_PLUGIN_COOKIE";
/// The cookie's value.
pub const COOKIE: &str = "3f2c1d0e-farmops-plugin";
/// The version of the contract: package `farmops.plugin.v1`.
pub const CONTRACT_VERSION: u32 = 1;

/// A first line that is not the handshake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// Not five fields that begin with `FARMOPS`.
    #[error("expected FARMOPS|{CONTRACT_VERSION}|unix|<path>|grpc")]
    Shape,
    /// Another version of the contract.
    #[error("the plugin speaks contract version {0}, the agent {CONTRACT_VERSION}")]
    Version(String),
}

/// The line a plugin prints once it listens on `socket`.
pub fn line(socket: &Path) -> String {
    format!("FARMOPS|{CONTRACT_VERSION}|unix|{}|grpc", socket.display())
}

/// Reads the line and returns the socket's path.
///
/// # Errors
/// [`BadLine`] when it is another line.
pub fn parse(line: &str) -> Result<PathBuf, BadLine> {
    let mut fields = line.trim_end().split('|');
    let mut next = || fields.next().ok_or(BadLine::Shape);
    if next()? != "FARMOPS" {
        return Err(BadLine::Shape);
    }
    let version = next()?;
    if version != CONTRACT_VERSION.to_string() {
        return Err(BadLine::Version(version.chars().take(16).collect()));
    }
    let (network, path, protocol) = (next()?, next()?, next()?);
    if network == "unix" && protocol == "grpc" && fields.next().is_none() {
        Ok(PathBuf::from(path))
    } else {
        Err(BadLine::Shape)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_plugin_prints_the_agent_reads() {
        let socket = Path::new("/run/farm/p0.sock");
        assert_eq!(parse(&format!("{}\n", line(socket))).unwrap(), socket);
    }

    #[test]
    fn other_lines_and_other_versions_are_told_apart() {
        for text in [
            "",
            "hello",
            "FARMOPS|1|tcp|127.0.0.1:1|grpc",
            "FARMOPS|1|unix|/a|grpc|x",
        ] {
            assert_eq!(parse(text), Err(BadLine::Shape), "{text}");
        }
        let newer = parse("FARMOPS|2|unix|/a|grpc");
        assert_eq!(newer, Err(BadLine::Version("2".to_owned())));
    }
}
