//! Against a registry of Debian's, with artifacts that each test pushes itself.

#![allow(clippy::unwrap_used)]

use std::fs::Permissions;
use std::io::BufRead as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use farmops_service::outbound::{Bounds, Outbound, Reach};
use http::Method;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use url::Url;

use super::signature::{SIGNATURE, SIMPLE_SIGNING};
use super::*;

const WASM_BYTES: &[u8] = b"\0asm\x0d\0\x01\0 not much of a component";

/// A registry on loopback; it ends with this value.
struct Registry {
    child: Child,
    address: String,
    folder: tempfile::TempDir,
    client: Outbound,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Registry {
    /// Where it cannot be had, `deploy/need registry` says how to get it.
    fn start() -> Self {
        farmops_service::tls::init();
        let need = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/need");
        let need = Command::new(need).arg("registry").status().unwrap();
        assert!(need.success(), "docker-registry is needed");
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.yml");
        let text = json!({
            "version": 0.1, "log": {"level": "info", "formatter": "json"},
            "storage": {"filesystem": {"rootdirectory": folder.path().join("store")}},
            "http": {"addr": "127.0.0.1:0"},
        });
        std::fs::write(&config, text.to_string()).unwrap();
        let mut child = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines
                .next()
                .expect("the registry says where it listens")
                .unwrap();
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split(['"', ' ', ',']).next().unwrap().to_owned();
            }
        };
        // A full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address,
            folder,
            client: Outbound::new(Reach::Operator, "farmops-test").unwrap(),
        }
    }

    async fn send(&self, method: Method, url: Url, kind: &str, body: Vec<u8>) -> http::HeaderMap {
        let request = self
            .client
            .request(method, url)
            .header("content-type", kind)
            .body(body);
        let answer = self
            .client
            .execute(request.build().unwrap(), Bounds::default());
        let answer = answer.await.unwrap();
        assert!(
            answer.status.is_success(),
            "{} {:?}",
            answer.status,
            answer.body
        );
        answer.headers
    }

    async fn push_blob(&self, content: &[u8], kind: &str) -> Value {
        let start = format!("http://{}/v2/farmops/probe/blobs/uploads/", self.address);
        let start: Url = start.parse().unwrap();
        let headers = self.send(Method::POST, start.clone(), "", Vec::new()).await;
        let place = headers["location"].to_str().unwrap();
        let mut place = start.join(place).unwrap();
        let digest = format!("sha256:{}", sha256(content));
        place.query_pairs_mut().append_pair("digest", &digest);
        let octets = "application/octet-stream";
        self.send(Method::PUT, place, octets, content.to_vec())
            .await;
        json!({"mediaType": kind, "digest": digest, "size": content.len()})
    }

    /// Pushes a manifest under `tag`, or under its digest.
    async fn push(&self, layers: Vec<Value>, tag: Option<&str>) -> Digest {
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let config = self
            .push_blob(b"{}", "application/vnd.oci.empty.v1+json")
            .await;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers,
        });
        let manifest = manifest.to_string().into_bytes();
        let digest = sha256(&manifest);
        let name = tag.map_or_else(|| format!("sha256:{digest}"), str::to_owned);
        let url = format!("http://{}/v2/farmops/probe/manifests/{name}", self.address);
        self.send(Method::PUT, url.parse().unwrap(), kind, manifest)
            .await;
        digest
    }

    async fn push_component(&self) -> Digest {
        let layer = self.push_blob(WASM_BYTES, "application/wasm").await;
        self.push(vec![layer], None).await
    }

    /// As `cosign sign --key` does.
    async fn sign(&self, digest: Digest, says: Digest, sign: impl Fn(&[u8]) -> Vec<u8>) {
        let payload = json!({
            "critical": {
                "identity": {"docker-reference": format!("{}/farmops/probe", self.address)},
                "image": {"docker-manifest-digest": format!("sha256:{says}")},
                "type": "cosign container image signature",
            },
            "optional": null,
        });
        let payload = payload.to_string().into_bytes();
        let mut layer = self.push_blob(&payload, SIMPLE_SIGNING).await;
        layer["annotations"] = json!({SIGNATURE: STANDARD.encode(sign(&payload))});
        self.push(vec![layer], Some(&format!("sha256-{digest}.sig")))
            .await;
    }

    fn wanted(&self, digest: Digest, keys: &[&Key]) -> Wanted {
        Wanted {
            reference: format!("{}/farmops/probe@sha256:{digest}", self.address),
            digest,
            keys: keys.iter().map(|&key| key.clone()).collect(),
        }
    }

    /// What an agent with an empty shelf says of it.
    async fn pull(&self, wanted: &Wanted) -> Result<Vec<u8>, OciError> {
        let shelf = tempfile::tempdir().unwrap();
        wanted.component(shelf.path().join("shelf")).await
    }

    /// Changes a blob where the registry keeps it.
    fn tamper(&self, digest: Digest) {
        let hex = digest.to_string();
        let blobs = self
            .folder
            .path()
            .join("store/docker/registry/v2/blobs/sha256");
        let data = blobs.join(&hex[..2]).join(&hex).join("data");
        let mut content = std::fs::read(&data).unwrap();
        *content.last_mut().unwrap() ^= 1;
        std::fs::write(data, content).unwrap();
    }
}

fn pem(head: &[u8], key: &[u8]) -> Key {
    let body = STANDARD.encode([head, key].concat());
    let text = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
    Key::from_pem(&text).unwrap()
}

fn ed25519() -> (Ed25519KeyPair, Key) {
    let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap();
    let head = hex::decode("302a300506032b6570032100").unwrap();
    let key = pem(&head, pair.public_key().as_ref());
    (pair, key)
}

/// The files are the registry's own, and nobody else's to read.
fn assert_kept_as_it_came(place: &Path) {
    let mode = std::fs::metadata(place).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let entries = std::fs::read_dir(place).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [COMPONENT, MANIFEST, SIGNATURES]);
    assert_eq!(std::fs::read(place.join(COMPONENT)).unwrap(), WASM_BYTES);
    let signatures = std::fs::read_to_string(place.join(SIGNATURES)).unwrap();
    assert!(
        signatures.contains("docker-manifest-digest"),
        "{signatures}"
    );
}

#[tokio::test]
async fn what_one_of_the_keys_signed_is_taken_and_kept() {
    let registry = Registry::start();
    let digest = registry.push_component().await;
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let pair = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pair.as_ref(), &random).unwrap();
    let head = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
    let p256 = pem(&hex::decode(head).unwrap(), pair.public_key().as_ref());
    let (_, other) = ed25519();
    let sign = |payload: &[u8]| pair.sign(&random, payload).unwrap().as_ref().to_vec();
    registry.sign(digest, digest, sign).await;
    let wanted = registry.wanted(digest, &[&other, &p256]);
    let shelf = tempfile::tempdir().unwrap();
    let place = shelf.path().join("shelf");
    assert_eq!(wanted.component(place.clone()).await.unwrap(), WASM_BYTES);
    assert_kept_as_it_came(&place);
    // A copy that was damaged is pulled again.
    let copy = place.join(COMPONENT);
    std::fs::set_permissions(&copy, Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&copy, b"other").unwrap();
    assert_eq!(wanted.component(place.clone()).await.unwrap(), WASM_BYTES);
    assert_kept_as_it_came(&place);
    // From here on without the registry.
    drop(registry);
    assert_eq!(wanted.component(place.clone()).await.unwrap(), WASM_BYTES);
    // A key that is struck out counts no longer, whatever lies on the shelf.
    let struck = Wanted {
        keys: vec![other],
        ..wanted
    };
    let error = struck.component(place).await.unwrap_err();
    assert!(matches!(error, OciError::Exchange { .. }), "{error}");
}

#[tokio::test]
async fn signatures_by_others_over_others_and_none_are_told_apart() {
    let registry = Registry::start();
    let digest = registry.push_component().await;
    let ((pair, key), (_, stranger)) = (ed25519(), ed25519());
    let error = registry
        .pull(&registry.wanted(digest, &[&key]))
        .await
        .unwrap_err();
    assert!(matches!(error, OciError::Unsigned), "{error}");
    let sign = |payload: &[u8]| pair.sign(payload).as_ref().to_vec();
    registry
        .sign(digest, sha256(b"another artifact"), sign)
        .await;
    let error = registry
        .pull(&registry.wanted(digest, &[&key]))
        .await
        .unwrap_err();
    assert!(matches!(error, OciError::WrongKey(1)), "{error}");
    registry.sign(digest, digest, sign).await;
    let error = registry
        .pull(&registry.wanted(digest, &[&stranger]))
        .await
        .unwrap_err();
    assert!(matches!(error, OciError::WrongKey(1)), "{error}");
    assert_eq!(
        registry
            .pull(&registry.wanted(digest, &[&key]))
            .await
            .unwrap(),
        WASM_BYTES
    );
    assert_eq!(
        registry.pull(&registry.wanted(digest, &[])).await.unwrap(),
        WASM_BYTES
    );
}

#[tokio::test]
async fn what_is_not_what_was_asked_for_is_refused() {
    let registry = Registry::start();
    let nothing = registry.wanted(sha256(b"nothing"), &[]);
    let error = registry.pull(&nothing).await.unwrap_err();
    assert!(matches!(error, OciError::Status { .. }), "{error}");
    let layer = registry.push_blob(b"a picture", "image/png").await;
    let picture = registry.push(vec![layer.clone()], None).await;
    let error = registry
        .pull(&registry.wanted(picture, &[]))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("application/wasm"), "{error}");
    let two = registry.push(vec![layer.clone(), layer], None).await;
    let error = registry.pull(&registry.wanted(two, &[])).await.unwrap_err();
    assert!(error.to_string().contains("2 layers"), "{error}");
    let digest = registry.push_component().await;
    registry.tamper(sha256(WASM_BYTES));
    let error = registry
        .pull(&registry.wanted(digest, &[]))
        .await
        .unwrap_err();
    assert!(matches!(error, OciError::OtherContent { .. }), "{error}");
}

#[test]
fn a_layer_is_as_large_as_a_component_may_be() {
    let layer = |size: usize| {
        let digest = format!("sha256:{}", sha256(b""));
        let layer = json!({"mediaType": WASM, "digest": digest, "size": size});
        component_layer(json!({"layers": [layer]}).to_string().as_bytes())
    };
    layer(COMPONENT_BYTES_MAX).unwrap();
    let error = layer(COMPONENT_BYTES_MAX + 1).unwrap_err();
    assert!(
        error.to_string().contains("larger than 16777216 bytes"),
        "{error}"
    );
}

#[test]
fn a_token_is_fetched_over_https_only() {
    let bearer = |realm: &str| {
        let challenge = format!("Bearer realm=\"{realm}\",service=\"registry.example\"");
        registry::token_url(&challenge, "farmops/probe").map(|url| url.to_string())
    };
    let url = bearer("https://auth.example/token").unwrap();
    assert_eq!(
        url,
        "https://auth.example/token?service=registry.example&scope=repository%3Afarmops%2Fprobe%3Apull"
    );
    assert_eq!(bearer("http://auth.example/token"), None);
    assert_eq!(registry::token_url("Basic realm=\"x\"", "a/b"), None);
}
