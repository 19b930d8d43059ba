//! A component from an OCI registry: named by digest, signed by a known key, kept on the shelf.
//!
//! The distribution specification's two reads (a manifest, a blob) go through the one outbound client; a
//! registry library would bring a second one. What came over the network and what lay on the shelf
//! pass the same [`Artifact::check`], so a key that is struck from the manifest counts at once.

mod registry;
mod signature;

use std::path::{Path, PathBuf};
use std::time::Duration;

use farmops_component::bounds::COMPONENT_BYTES_MAX;
use farmops_protocol::digest::{Digest, sha256};
use farmops_service::outbound::OutboundError;

use self::registry::{Descriptor, ImageManifest};
use self::signature::Signed;
pub use self::signature::{Key, NotAKey};
use super::shelf;

/// For one exchange with the registry.
const EXCHANGE_DEADLINE: Duration = Duration::from_mins(1);
/// The type of the one layer.
const WASM: &str = "application/wasm";

/// Why an artifact is not taken.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// Not `registry/repository@sha256:…`.
    #[error("`source.oci`: `{0}` is not registry/repository@sha256:…")]
    Reference(String),
    /// The registry does not answer.
    #[error("`source.oci`: {registry}: {source}")]
    Exchange {
        /// The registry.
        registry: String,
        /// What happened.
        source: OutboundError,
    },
    /// It answers with something else.
    #[error("`source.oci`: {registry} answers {status} for {what}")]
    Status {
        /// The registry.
        registry: String,
        /// The HTTP status.
        status: http::StatusCode,
        /// What was asked for.
        what: String,
    },
    /// What came is not what was asked for.
    #[error("`source.oci`: what came as {asked} has the digest {found}: it was tampered with")]
    OtherContent {
        /// The digest asked for.
        asked: Digest,
        /// The digest of what came.
        found: Digest,
    },
    /// Not an artifact with a component in it.
    #[error("`source.oci`: not a plugin: {0}")]
    Shape(String),
    /// Nobody signed it.
    #[error(
        "`source.signed_by`: there is no signature of it in the registry: have it signed (`cosign sign --key`), or write `unsigned: true`"
    )]
    Unsigned,
    /// Others signed it.
    #[error("`source.signed_by`: none of its {0} signatures is by one of the keys")]
    WrongKey(usize),
    /// The copy cannot be kept.
    #[error("`source.oci`: cannot keep a copy in the data folder: {0}")]
    Keep(#[source] std::io::Error),
}

/// Everything that says what an artifact is.
#[derive(Debug)]
pub(super) struct Artifact {
    /// The image manifest, byte for byte.
    manifest: Vec<u8>,
    /// The layer.
    component: Vec<u8>,
    signatures: Vec<Signed>,
}

/// An artifact in a registry, and who must have signed it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) reference: String,
    pub(super) digest: Digest,
    /// Empty takes it unsigned.
    pub(super) keys: Vec<Key>,
}

impl Wanted {
    /// The component, from the shelf or else from the registry.
    pub(super) async fn component(&self, shelf: PathBuf) -> Result<Vec<u8>, OciError> {
        if let Some(component) = self.shelved(&shelf).await {
            return Ok(component);
        }
        let artifact = registry::pull(self).await?;
        artifact.check(self)?;
        let kept = tokio::task::spawn_blocking(move || {
            artifact.keep(&shelf)?;
            Ok(artifact.component)
        });
        let kept = kept.await.unwrap_or_else(|ended| Err(ended.into()));
        kept.map_err(OciError::Keep)
    }

    /// A copy that does not pass any more is pulled again.
    async fn shelved(&self, shelf: &Path) -> Option<Vec<u8>> {
        let artifact = Artifact::read(shelf).await.ok()?;
        artifact.check(self).ok()?;
        Some(artifact.component)
    }
}

/// The artifact's files in its folder on the shelf, each as it came.
const MANIFEST: &str = "manifest";
const COMPONENT: &str = "component";
const SIGNATURES: &str = "signatures.json";

impl Artifact {
    /// Each file appears whole; what does not belong together does not pass the check.
    fn keep(&self, shelf: &Path) -> std::io::Result<()> {
        let signatures = serde_json::to_vec(&self.signatures)?;
        for (name, content) in [
            (MANIFEST, &self.manifest),
            (SIGNATURES, &signatures),
            (COMPONENT, &self.component),
        ] {
            shelf::put(&shelf.join(name), content, 0o400)?;
        }
        Ok(())
    }

    async fn read(shelf: &Path) -> std::io::Result<Self> {
        let signatures = tokio::fs::read(shelf.join(SIGNATURES)).await?;
        Ok(Self {
            manifest: tokio::fs::read(shelf.join(MANIFEST)).await?,
            component: tokio::fs::read(shelf.join(COMPONENT)).await?,
            signatures: serde_json::from_slice(&signatures)?,
        })
    }

    /// Holds the artifact against what is wanted.
    fn check(&self, wanted: &Wanted) -> Result<(), OciError> {
        is(&self.manifest, wanted.digest)?;
        let layer = component_layer(&self.manifest)?;
        is(&self.component, layer.digest.0)?;
        if !wanted.keys.is_empty() {
            signature::check(&self.signatures, wanted.digest, &wanted.keys)?;
        }
        Ok(())
    }
}

fn is(content: &[u8], asked: Digest) -> Result<(), OciError> {
    let found = sha256(content);
    if found == asked {
        Ok(())
    } else {
        Err(OciError::OtherContent { asked, found })
    }
}

/// The one layer of an artifact that holds a component.
fn component_layer(manifest: &[u8]) -> Result<Descriptor, OciError> {
    let shape = |reason: &str| OciError::Shape(reason.to_owned());
    let manifest: ImageManifest =
        serde_json::from_slice(manifest).map_err(|error| OciError::Shape(error.to_string()))?;
    let [layer] = <[Descriptor; 1]>::try_from(manifest.layers)
        .map_err(|layers| OciError::Shape(format!("it has {} layers, not one", layers.len())))?;
    if layer.media_type != WASM {
        return Err(shape("its layer is not of type application/wasm"));
    }
    if layer.size > COMPONENT_BYTES_MAX as u64 {
        let reason = format!("its layer is larger than {COMPONENT_BYTES_MAX} bytes");
        return Err(OciError::Shape(reason));
    }
    Ok(layer)
}

#[cfg(test)]
mod tests;
