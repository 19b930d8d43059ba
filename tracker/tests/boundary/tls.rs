//! The port with TLS: REST and gRPC, with and without a client certificate.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::SystemTime};

use farmops_protocol::wire::tracker::v1 as wire;
use farmops_service::{
    outbound::{Outbound, Reach},
    tls::ClientIdentity,
};
use farmops_tracker::serve::{Running, start};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};
use wire::tracker_client::TrackerClient;

use crate::{
    cast::TestAgent,
    server::{config, now},
};

/// A tracker with a certificate, whose authority has also issued `agent.pem`.
struct Encrypted {
    folder: TempDir,
    running: Running,
    stop: CancellationToken,
}

impl Encrypted {
    async fn begin(client_auth: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        issue(folder.path());
        let path = |name: &str| folder.path().join(name);
        let mut config = config(&folder);
        config.tls = serde_json::from_value(serde_json::json!({
            "cert_file": path("server.pem"),
            "key_file": path("server.key"),
            "client_ca_file": path("ca.pem"),
            "client_auth": client_auth,
        }))
        .unwrap();
        let stop = CancellationToken::new();
        let running = start(&config, stop.clone()).await.unwrap();
        Self {
            folder,
            running,
            stop,
        }
    }

    fn identity(&self) -> ClientIdentity {
        let path = |name: &str| self.folder.path().join(name);
        ClientIdentity::from_files(&path("agent.pem"), &path("agent.key"), SystemTime::now())
            .unwrap()
    }

    fn base(&self) -> String {
        format!("https://localhost:{}", self.running.address.port())
    }

    async fn greet(&self, identity: Option<&ClientIdentity>) -> Result<bool, String> {
        let ca = fs::read(self.folder.path().join("ca.pem")).unwrap();
        let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca));
        if let Some(identity) = identity {
            tls = tls.identity(Identity::from_pem(identity.cert_pem(), identity.key_pem()));
        }
        // The address, because `localhost` may be another one first.
        let dialled = format!("https://{}", self.running.address);
        let endpoint = Channel::from_shared(dialled).unwrap();
        let endpoint = endpoint.tls_config(tls.domain_name("localhost")).unwrap();
        let channel = endpoint.connect().await.map_err(|e| e.to_string())?;
        let canonical_json = TestAgent::new(1).enrolment(now());
        let answer = TrackerClient::new(channel)
            .enroll(wire::EnrollRequest { canonical_json })
            .await;
        let answer = answer.map_err(|status| status.to_string())?.into_inner();
        Ok(!answer.answer_json.is_empty())
    }

    async fn end(self) {
        self.stop.cancel();
        self.running.wait().await.unwrap();
    }
}

fn issue(folder: &Path) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = authority.self_signed(&key).unwrap();
    fs::write(folder.join("ca.pem"), certificate.pem()).unwrap();
    let issuer = Issuer::new(authority, key);
    for (file, name) in [("server", "localhost"), ("agent", "agent.example")] {
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        fs::write(folder.join(format!("{file}.pem")), certificate.pem()).unwrap();
        let path = folder.join(format!("{file}.key"));
        fs::write(&path, key.serialize_pem()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[tokio::test]
async fn rest_and_grpc_share_the_encrypted_port() {
    let tracker = Encrypted::begin("optional").await;
    assert_eq!(tracker.greet(None).await, Ok(true));
    assert_eq!(tracker.greet(Some(&tracker.identity())).await, Ok(true));
    let ca = tracker.folder.path().join("ca.pem");
    let client = Outbound::with_ca_file(Reach::Operator, "test", &ca).unwrap();
    let url = format!("{}/healthz", tracker.base());
    assert!(client.client().get(url).send().await.unwrap().status() == 200);
    let plain = format!("http://{}/healthz", tracker.running.address);
    assert!(client.client().get(plain).send().await.is_err());
    tracker.end().await;
}

#[tokio::test]
async fn an_agent_without_a_certificate_is_refused_where_one_is_required() {
    let tracker = Encrypted::begin("required").await;
    assert!(tracker.greet(None).await.is_err());
    assert_eq!(tracker.greet(Some(&tracker.identity())).await, Ok(true));
    tracker.end().await;
}

#[tokio::test]
async fn the_owner_reaches_an_encrypted_tracker_from_the_terminal() {
    let tracker = Encrypted::begin("required").await;
    let path = |name: &str| tracker.folder.path().join(name);
    let (url, ca) = (tracker.base(), path("ca.pem"));
    let (cert, key, token) = (path("agent.pem"), path("agent.key"), path("owner.token"));
    let run = async |files: &[(&str, &Path)]| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_farmops-tracker"));
        command.args(["farm", "show", "--url", &url, "--token-file"]);
        command.arg(&token);
        for (flag, file) in files {
            command.arg(flag).arg(file);
        }
        command.output().await.unwrap()
    };
    let ca: (&str, &Path) = ("--tracker-ca", &ca);
    let shown = [ca, ("--client-cert", &cert), ("--client-key", &key)];
    let output = run(&shown).await;
    assert!(output.status.success(), "{output:?}");
    for too_little in [&shown[..1], &shown[1..], &shown[..2], &[]] {
        assert!(!run(too_little).await.status.success(), "{too_little:?}");
    }
    tracker.end().await;
}
