//! Reading from a registry (OCI distribution specification 1.1, §3): manifests and blobs, anonymously or
//! with the token that the registry itself hands out to anybody.

use std::collections::BTreeMap;

use farmops_protocol::digest::Digest;
use farmops_service::outbound::{BoundedResponse, Bounds, Outbound, OutboundError, Reach};
use http::header::{ACCEPT, AUTHORIZATION, LOCATION, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use serde::Deserialize;
use url::{Host, Url};

use super::signature::{SIGNATURE, SIMPLE_SIGNING, Signed};
use super::{Artifact, EXCHANGE_DEADLINE, OciError, Wanted, component_layer};

const MANIFEST_TYPES: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
const MANIFEST_BYTES_MAX: usize = 256 * 1024;
const PAYLOAD_BYTES_MAX: u64 = 64 * 1024;
const SIGNATURES_MAX: usize = 16;
/// From a registry to where its blobs are.
const REDIRECTS_MAX: usize = 3;

/// An image manifest, as far as it is of use here.
#[derive(Debug, Deserialize)]
pub(super) struct ImageManifest {
    #[serde(default)]
    pub(super) layers: Vec<Descriptor>,
}

/// What a manifest says of a blob.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: BlobDigest,
    pub(super) size: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// `sha256:…`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct BlobDigest(pub(super) Digest);

impl TryFrom<String> for BlobDigest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digest = text
            .strip_prefix("sha256:")
            .and_then(|hex| hex.parse().ok());
        digest
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not sha256:…"))
    }
}

/// One repository of one registry.
struct Repository {
    client: Outbound,
    registry: String,
    base: Url,
    name: String,
    token: Option<String>,
}

/// Everything about the wanted artifact that the registry has.
pub(super) async fn pull(wanted: &Wanted) -> Result<Artifact, OciError> {
    let mut repository = Repository::of(&wanted.reference)?;
    let named = format!("sha256:{}", wanted.digest);
    let manifest = repository
        .manifest(&named)
        .await?
        .ok_or_else(|| repository.answered(StatusCode::NOT_FOUND, &named))?;
    super::is(&manifest, wanted.digest)?;
    let layer = component_layer(&manifest)?;
    let component = repository.blob(&layer).await?;
    let signatures = if wanted.keys.is_empty() {
        Vec::new()
    } else {
        repository.signatures(wanted.digest).await?
    };
    Ok(Artifact {
        manifest,
        component,
        signatures,
    })
}

impl Repository {
    fn of(reference: &str) -> Result<Self, OciError> {
        let bad = || OciError::Reference(reference.to_owned());
        let (place, _) = reference.split_once('@').ok_or_else(bad)?;
        let (registry, name) = place.split_once('/').ok_or_else(bad)?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"/._-".contains(&b);
        if name.is_empty() || !name.bytes().all(plain) || name.contains("..") {
            return Err(bad());
        }
        // As everywhere with registries: plain http on this machine only.
        let base = Url::parse(&format!("https://{registry}/v2/")).map_err(|_| bad())?;
        let local = match base.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(domain)) => domain == "localhost",
            None => false,
        };
        let base = if local {
            Url::parse(&format!("http://{registry}/v2/")).map_err(|_| bad())?
        } else {
            base
        };
        if base.path() != "/v2/" || !base.username().is_empty() {
            return Err(bad());
        }
        let client = Outbound::new(Reach::Operator, crate::USER_AGENT);
        Ok(Self {
            client: client.map_err(|source| exchange(registry, source))?,
            registry: registry.to_owned(),
            base,
            name: name.to_owned(),
            token: None,
        })
    }

    /// A manifest by digest or tag; `None` when there is none.
    async fn manifest(&mut self, named: &str) -> Result<Option<Vec<u8>>, OciError> {
        let path = format!("manifests/{named}");
        let answer = self.get(&path, MANIFEST_BYTES_MAX).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer.body.into())),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(self.answered(status, &path)),
        }
    }

    /// A blob, which has the digest that was asked for.
    async fn blob(&mut self, blob: &Descriptor) -> Result<Vec<u8>, OciError> {
        let path = format!("blobs/sha256:{}", blob.digest.0);
        let size = usize::try_from(blob.size).unwrap_or(usize::MAX);
        let answer = self.get(&path, size).await?;
        if answer.status != StatusCode::OK {
            return Err(self.answered(answer.status, &path));
        }
        super::is(&answer.body, blob.digest.0)?;
        Ok(answer.body.into())
    }

    /// What cosign keeps under the tag `sha256-<hex>.sig`.
    async fn signatures(&mut self, digest: Digest) -> Result<Vec<Signed>, OciError> {
        let Some(manifest) = self.manifest(&format!("sha256-{digest}.sig")).await? else {
            return Ok(Vec::new());
        };
        let manifest: ImageManifest = serde_json::from_slice(&manifest)
            .map_err(|error| OciError::Shape(format!("the signatures' manifest: {error}")))?;
        let mut signatures = Vec::new();
        for mut layer in manifest.layers.into_iter().take(SIGNATURES_MAX) {
            let signature = layer.annotations.remove(SIGNATURE);
            let fits = layer.media_type == SIMPLE_SIGNING && layer.size <= PAYLOAD_BYTES_MAX;
            if let (true, Some(signature)) = (fits, signature) {
                // What is no text is no JSON, and signs nothing.
                let payload = String::from_utf8(self.blob(&layer).await?).unwrap_or_default();
                signatures.push(Signed { payload, signature });
            }
        }
        Ok(signatures)
    }

    /// One read, with a token if the registry wants one.
    async fn get(&mut self, path: &str, bytes_max: usize) -> Result<BoundedResponse, OciError> {
        let url = self.base.join(&format!("{}/{path}", self.name));
        let url = url.map_err(|_| OciError::Reference(self.name.clone()))?;
        let answer = self.follow(url.clone(), bytes_max).await?;
        if answer.status != StatusCode::UNAUTHORIZED || self.token.is_some() {
            return Ok(answer);
        }
        let challenge = answer.headers.get(WWW_AUTHENTICATE);
        let challenge = challenge.and_then(|value| value.to_str().ok());
        let Some(token_url) = challenge.and_then(|text| token_url(text, &self.name)) else {
            return Ok(answer);
        };
        self.token = Some(self.fetch_token(token_url).await?);
        self.follow(url, bytes_max).await
    }

    /// Registries keep their blobs elsewhere; the token goes to the registry alone.
    async fn follow(&self, mut url: Url, bytes_max: usize) -> Result<BoundedResponse, OciError> {
        for _ in 0..=REDIRECTS_MAX {
            let mut request = self.client.request(Method::GET, url.clone());
            request = request.header(ACCEPT, MANIFEST_TYPES);
            if let Some(token) = self
                .token
                .as_ref()
                .filter(|_| url.origin() == self.base.origin())
            {
                request = request.header(AUTHORIZATION, format!("Bearer {token}"));
            }
            let answer = self.send(request, bytes_max).await?;
            let elsewhere = answer
                .headers
                .get(LOCATION)
                .filter(|_| answer.status.is_redirection());
            match elsewhere.and_then(|to| url.join(to.to_str().ok()?).ok()) {
                // Never from https down to http.
                Some(to) if to.scheme() == url.scheme() => url = to,
                _ => return Ok(answer),
            }
        }
        Err(OciError::Shape(
            "it is redirected again and again".to_owned(),
        ))
    }

    async fn fetch_token(&self, url: Url) -> Result<String, OciError> {
        #[derive(Deserialize)]
        struct Token {
            #[serde(alias = "access_token")]
            token: String,
        }
        let request = self.client.request(Method::GET, url);
        let answer = self.send(request, MANIFEST_BYTES_MAX).await?;
        let token: Result<Token, _> = serde_json::from_slice(&answer.body);
        token
            .map(|token| token.token)
            .map_err(|_| self.answered(answer.status, "a token"))
    }

    async fn send(
        &self,
        request: farmops_service::outbound::reqwest::RequestBuilder,
        bytes_max: usize,
    ) -> Result<BoundedResponse, OciError> {
        let bounds = Bounds {
            deadline: EXCHANGE_DEADLINE,
            body_bytes_max: bytes_max,
        };
        let failed = |source| exchange(&self.registry, source);
        let request = request
            .build()
            .map_err(OutboundError::Request)
            .map_err(failed)?;
        self.client.execute(request, bounds).await.map_err(failed)
    }

    fn answered(&self, status: StatusCode, what: &str) -> OciError {
        OciError::Status {
            registry: self.registry.clone(),
            status,
            what: what.to_owned(),
        }
    }
}

fn exchange(registry: &str, source: OutboundError) -> OciError {
    OciError::Exchange {
        registry: registry.to_owned(),
        source,
    }
}

/// Where `Bearer realm="…",service="…"` sends us for a token to read `repository`. The token service
/// is taken over https, or on this machine.
pub(super) fn token_url(challenge: &str, repository: &str) -> Option<Url> {
    let parameters = challenge.strip_prefix("Bearer ")?;
    let value = |name: &str| {
        let (_, rest) = parameters.split_once(&format!("{name}=\""))?;
        rest.split_once('"').map(|(value, _)| value)
    };
    let mut url = Url::parse(value("realm")?).ok()?;
    let local = matches!(url.host(), Some(Host::Ipv4(address)) if address.is_loopback());
    if url.scheme() != "https" && !local {
        return None;
    }
    let mut query = url.query_pairs_mut();
    if let Some(service) = value("service") {
        query.append_pair("service", service);
    }
    query.append_pair("scope", &format!("repository:{repository}:pull"));
    drop(query);
    Some(url)
}
