//! Where a plugin's code comes from, and how it is known to be the right one.

use std::path::{Path, PathBuf};

use farmops_protocol::digest::Digest;
use serde::Deserialize;

use super::Fault;
use crate::plugins::oci::Key;
use crate::plugins::shelf::digest_of;

/// Where a plugin's code comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginSource {
    /// A WebAssembly component, run inside the agent.
    Component {
        /// The file.
        file: PathBuf,
        /// SHA-256 of its content as it was when the manifest was read.
        digest: Digest,
    },
    /// A program, run beside the agent.
    Binary {
        /// The file.
        file: PathBuf,
        /// SHA-256 of its content as it was when the manifest was read.
        digest: Digest,
    },
    /// A component in an OCI registry.
    Oci {
        /// `registry/repository@sha256:…`.
        reference: String,
        /// The digest in it: of the artifact's manifest.
        digest: Digest,
        /// Keys of which one must have signed it; empty takes it unsigned.
        signed_by: Vec<Key>,
    },
}

impl PluginSource {
    /// The key in the manifest.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Component { .. } => "component",
            Self::Binary { .. } => "binary",
            Self::Oci { .. } => "oci",
        }
    }

    /// SHA-256 of the code; of an artifact, of its manifest, which holds the code's.
    pub const fn digest(&self) -> Digest {
        match self {
            Self::Component { digest, .. }
            | Self::Binary { digest, .. }
            | Self::Oci { digest, .. } => *digest,
        }
    }
}

/// The source as it is written.
#[derive(Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    component: Option<PathBuf>,
    #[serde(default)]
    binary: Option<PathBuf>,
    #[serde(default)]
    oci: Option<String>,
    #[serde(default)]
    sha256: Option<String>,
    #[serde(default)]
    signed_by: Vec<String>,
    #[serde(default)]
    unsigned: bool,
}

impl Written {
    /// Finds the file, or takes the reference apart. Relative paths start from `folder`.
    pub(super) fn checked(self, folder: &Path) -> Result<PluginSource, Fault> {
        let fault = |key: &str, fix: &str| (format!("source.{key}"), fix.to_owned());
        let is_oci = self.oci.is_some();
        if !is_oci && (self.unsigned || !self.signed_by.is_empty()) {
            let key = if self.unsigned {
                "unsigned"
            } else {
                "signed_by"
            };
            return Err(fault(
                key,
                "goes with `oci`; a file is pinned with `sha256`",
            ));
        }
        match (self.component, self.binary, self.oci) {
            (Some(file), None, None) => {
                let (file, digest) = pinned("component", &file, self.sha256, folder)?;
                Ok(PluginSource::Component { file, digest })
            }
            (None, Some(file), None) => {
                let (file, digest) = pinned("binary", &file, self.sha256, folder)?;
                Ok(PluginSource::Binary { file, digest })
            }
            (None, None, Some(reference)) => {
                if self.sha256.is_some() {
                    return Err(fault(
                        "sha256",
                        "`oci` carries its digest itself: remove it",
                    ));
                }
                oci(reference, &self.signed_by, self.unsigned, folder)
            }
            _ => Err((
                "source".to_owned(),
                "takes exactly one of component, binary and oci".to_owned(),
            )),
        }
    }
}

fn oci(
    reference: String,
    signed_by: &[String],
    unsigned: bool,
    folder: &Path,
) -> Result<PluginSource, Fault> {
    let fault = |key: &str, fix: String| (format!("source.{key}"), fix);
    let digest = reference.split_once("@sha256:").map(|(_, digest)| digest);
    let Some(digest) = digest.and_then(|digest| digest.parse().ok()) else {
        let fix = "name the artifact by its digest, registry/repository@sha256:…; a tag may change";
        return Err(fault("oci", fix.to_owned()));
    };
    if unsigned != signed_by.is_empty() {
        let fix = "name the keys that may have signed it, or write `unsigned: true`, not both";
        return Err(fault("signed_by", fix.to_owned()));
    }
    let keys = signed_by.iter().enumerate().map(|(at, written)| {
        let key = format!("signed_by.{at}");
        let pem = if written.contains("-----BEGIN") {
            written.clone()
        } else {
            let file = folder.join(written);
            std::fs::read_to_string(&file).map_err(|error| {
                let fix = format!("cannot read the key {}: {error}", file.display());
                fault(&key, fix)
            })?
        };
        Key::from_pem(&pem).map_err(|error| fault(&key, error.to_string()))
    });
    Ok(PluginSource::Oci {
        signed_by: keys.collect::<Result<_, _>>()?,
        digest,
        reference,
    })
}

/// The file, and its digest, which must be the pinned one.
fn pinned(
    key: &str,
    written: &Path,
    pin: Option<String>,
    folder: &Path,
) -> Result<(PathBuf, Digest), Fault> {
    let fault = |key: &str, fix: String| (format!("source.{key}"), fix);
    let Some(file) = find(written, folder) else {
        let fix = format!(
            "there is no file {}; a path is relative to the manifest, a bare name is also looked for beside farmops-agent",
            written.display()
        );
        return Err(fault(key, fix));
    };
    let digest = digest_of(&file).map_err(|error| {
        let fix = format!("cannot read {}: {error}", file.display());
        fault(key, fix)
    })?;
    if let Some(pin) = pin {
        let pin: Digest = pin
            .parse()
            .map_err(|_| fault("sha256", "64 lower-case hexadecimal digits".to_owned()))?;
        if pin != digest {
            let fix = format!(
                "{} has the digest {digest}: get the right file, or change the pin",
                file.display()
            );
            return Err(fault("sha256", fix));
        }
    }
    Ok((file, digest))
}

/// A bare name is looked for beside this program, anything else relative to the manifest.
fn find(written: &Path, folder: &Path) -> Option<PathBuf> {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.join(written)))
        .filter(|_| written.components().count() == 1);
    let candidates = beside.into_iter().chain([folder.join(written)]);
    candidates
        .filter_map(|path| path.canonicalize().ok())
        .find(|path| path.is_file())
}
