//! Listeners and clients with certificates made here, all on loopback.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use axum::routing::get;
use axum::{Extension, Router};
use http::Version;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::{ClientAuth, ClientCertificate, ClientIdentity, ServerTls, Settings, TlsError};
use crate::outbound::{Bounds, Outbound, OutboundError, Reach};
use crate::server::{self, Limits, Listener};

/// An authority, and a folder for what it issues.
struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        let issuer = Issuer::new(params, key);
        Self { folder, issuer }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Issues `<name>.pem` and `<name>.key`.
    fn issue(&self, name: &str, names: &[&str]) {
        self.issue_until(name, names, 4000);
    }

    fn issue_until(&self, name: &str, names: &[&str], year: i32) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(self.path(&format!("{name}.pem")), certificate.pem()).unwrap();
        write_key(&self.path(&format!("{name}.key")), &key.serialize_pem());
    }

    fn settings(&self, client_auth: Option<ClientAuth>) -> Settings {
        Settings {
            cert_file: Some(self.path("server.pem")),
            key_file: Some(self.path("server.key")),
            client_ca_file: client_auth.map(|_| self.path("ca.pem")),
            client_auth,
        }
    }

    fn identity(&self, name: &str) -> ClientIdentity {
        let (cert, key) = (format!("{name}.pem"), format!("{name}.key"));
        ClientIdentity::from_files(&self.path(&cert), &self.path(&key), now()).unwrap()
    }

    fn client(&self, identity: Option<&ClientIdentity>) -> Outbound {
        let ca = self.path("ca.pem");
        match identity {
            Some(identity) => {
                Outbound::with_identity(Reach::Operator, "test", Some(&ca), identity).unwrap()
            }
            None => Outbound::with_ca_file(Reach::Operator, "test", &ca).unwrap(),
        }
    }
}

fn write_key(path: &Path, pem: &str) {
    fs::write(path, pem).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
}

fn now() -> SystemTime {
    SystemTime::now()
}

/// Tells who asks, and by which version of HTTP.
fn who() -> Router {
    Router::new().route(
        "/",
        get(
            async |version: Version, who: Option<Extension<ClientCertificate>>| match who {
                Some(Extension(who)) => format!("{version:?} {} {who}", who.names().join(",")),
                None => format!("{version:?} nobody"),
            },
        ),
    )
}

async fn start(tls: ServerTls, limits: Limits) -> SocketAddr {
    serve(Some(tls), limits).await
}

async fn serve(tls: Option<ServerTls>, limits: Limits) -> SocketAddr {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let router = server::harden(who(), &limits);
    let never = CancellationToken::new();
    tokio::spawn(server::serve(
        Listener::new(tcp, tls),
        router,
        limits,
        never,
    ));
    address
}

async fn ask(client: &Outbound, address: SocketAddr) -> Result<String, OutboundError> {
    let url = format!("https://localhost:{}/", address.port());
    let answer = client.get(url.parse().unwrap(), Bounds::default()).await?;
    Ok(String::from_utf8(answer.body.to_vec()).unwrap())
}

fn open(settings: &Settings) -> Result<ServerTls, TlsError> {
    Ok(ServerTls::open(settings, now())?.unwrap())
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_speaks_http_2() {
    let ca = Authority::new();
    ca.issue("server", &["localhost"]);
    let address = start(open(&ca.settings(None)).unwrap(), Limits::default()).await;
    let answer = ask(&ca.client(None), address).await.unwrap();
    assert_eq!(answer, "HTTP/2.0 nobody");
    let stranger = Outbound::new(Reach::Operator, "test").unwrap();
    let refused = ask(&stranger, address).await;
    assert!(matches!(refused, Err(OutboundError::Transport(_))));
}

#[tokio::test]
async fn what_is_wrong_with_a_road_is_said_so_that_it_can_be_mended() {
    let said = async |client: &Outbound, url: String| {
        let answer = client.get(url.parse().unwrap(), Bounds::default()).await;
        answer.unwrap_err().to_string()
    };
    let ca = Authority::new();
    ca.issue("server", &["localhost"]);
    let address = start(open(&ca.settings(None)).unwrap(), Limits::default()).await;
    let stranger = Outbound::new(Reach::Operator, "test").unwrap();
    let unknown = said(&stranger, format!("https://localhost:{}/", address.port())).await;
    assert!(
        unknown.contains("an authority that is not known here"),
        "{unknown}"
    );
    let plain = said(&stranger, format!("http://localhost:{}/", address.port())).await;
    assert!(
        plain.contains("should the URL begin with https?"),
        "{plain}"
    );

    let without = serve(None, Limits::default()).await;
    let secure = said(&stranger, format!("https://localhost:{}/", without.port())).await;
    assert!(
        secure.contains("should the URL begin with http?"),
        "{secure}"
    );
}

#[tokio::test]
async fn handlers_learn_of_a_client_certificate_where_it_is_optional() {
    let ca = Authority::new();
    ca.issue("server", &["localhost"]);
    ca.issue("agent", &["agent.farm.example"]);
    let tls = open(&ca.settings(Some(ClientAuth::Optional))).unwrap();
    let address = start(tls, Limits::default()).await;
    let identity = ca.identity("agent");
    let answer = ask(&ca.client(Some(&identity)), address).await.unwrap();
    let known = "HTTP/2.0 agent.farm.example ";
    let fingerprint = answer.strip_prefix(known).unwrap();
    assert_eq!(fingerprint.len(), 64);
    let answer = ask(&ca.client(None), address).await.unwrap();
    assert_eq!(answer, "HTTP/2.0 nobody");
}

#[tokio::test]
async fn no_handshake_without_a_certificate_where_it_is_required() {
    let ca = Authority::new();
    ca.issue("server", &["localhost"]);
    ca.issue("agent", &["agent.farm.example"]);
    let tls = open(&ca.settings(Some(ClientAuth::Required))).unwrap();
    let address = start(tls, Limits::default()).await;
    let agent = ca.identity("agent");
    assert!(ask(&ca.client(Some(&agent)), address).await.is_ok());
    assert!(ask(&ca.client(None), address).await.is_err());
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_even_where_it_is_optional() {
    let (ca, other) = (Authority::new(), Authority::new());
    ca.issue("server", &["localhost"]);
    other.issue("agent", &["agent.farm.example"]);
    let tls = open(&ca.settings(Some(ClientAuth::Optional))).unwrap();
    let address = start(tls, Limits::default()).await;
    let forged = other.identity("agent");
    assert!(ask(&ca.client(Some(&forged)), address).await.is_err());
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_over_and_a_broken_one_is_not() {
    let (ca, next) = (Authority::new(), Authority::new());
    ca.issue("server", &["localhost"]);
    next.issue("server", &["localhost"]);
    let tls = open(&ca.settings(None)).unwrap();
    let address = start(tls.clone(), Limits::default()).await;
    assert!(!tls.look(now()), "nothing has changed");

    // Half of a renewal: the chain is there, its key is not.
    fs::copy(next.path("server.pem"), ca.path("server.pem")).unwrap();
    assert!(!tls.look(now()));
    assert!(
        ask(&ca.client(None), address).await.is_ok(),
        "the old stays"
    );

    fs::copy(next.path("server.key"), ca.path("server.key")).unwrap();
    tls.look(now());
    assert!(ask(&next.client(None), address).await.is_ok());
    assert!(ask(&ca.client(None), address).await.is_err());

    fs::remove_file(ca.path("server.pem")).unwrap();
    assert!(!tls.look(now()));
    assert!(ask(&next.client(None), address).await.is_ok());
}

#[tokio::test]
async fn who_does_not_shake_hands_is_let_go() {
    let ca = Authority::new();
    ca.issue("server", &["localhost"]);
    let limits = Limits {
        header_read_timeout: Duration::from_millis(200),
        connections_max: 1,
        ..Limits::default()
    };
    let address = start(open(&ca.settings(None)).unwrap(), limits).await;
    // Silence; plain HTTP; the head of a TLS record whose body never comes.
    for opening in [
        &b""[..],
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(opening).await.unwrap();
        let mut answer = Vec::new();
        let end = stream.read_to_end(&mut answer);
        let end = tokio::time::timeout(Duration::from_secs(30), end).await;
        assert!(end.is_ok(), "{opening:?}");
        assert!(!answer.starts_with(b"HTTP"));
    }
    // The only place is free again.
    assert!(ask(&ca.client(None), address).await.is_ok());
}

#[test]
fn each_fault_names_its_file_and_what_helps() {
    let ca = Authority::new();
    ca.issue("server", &["localhost"]);
    ca.issue("other", &["localhost"]);
    ca.issue_until("old", &["localhost"], 2001);
    let told = |cert: &str, key: &str| {
        let mut settings = ca.settings(None);
        settings.cert_file = Some(ca.path(cert));
        settings.key_file = Some(ca.path(key));
        open(&settings).err().unwrap().to_string()
    };
    let check = |cert: &str, key: &str, file: &str, words: &str| {
        let message = told(cert, key);
        assert!(
            message.contains(file) && message.contains(words),
            "{message}"
        );
    };
    check("none.pem", "server.key", "none.pem", "does it exist");
    check("server.pem", "none.key", "none.key", "cannot access");
    check(
        "server.pem",
        "other.key",
        "other.key",
        "not that of the first",
    );
    check("old.pem", "old.key", "old.pem", "expired");
    check("server.key", "server.pem", "server.key", "exchanged?");
    fs::write(ca.path("empty.pem"), "").unwrap();
    check("empty.pem", "server.key", "empty.pem", "BEGIN CERTIFICATE");
    write_key(&ca.path("empty.key"), "");
    check("server.pem", "empty.key", "empty.key", "BEGIN PRIVATE KEY");
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    write_key(&ca.path("locked.key"), locked);
    check("server.pem", "locked.key", "locked.key", "passphrase");
    let public = fs::Permissions::from_mode(0o644);
    fs::set_permissions(ca.path("server.key"), public).unwrap();
    check("server.pem", "server.key", "server.key", "0644");
}

#[test]
fn half_of_the_settings_names_the_other_half() {
    let ca = Authority::new();
    ca.issue("server", &["localhost"]);
    let full = ca.settings(Some(ClientAuth::Optional));
    let told = |settings: Settings| open(&settings).err().unwrap().to_string();
    for (settings, missing) in [
        (
            Settings {
                cert_file: None,
                ..full.clone()
            },
            "tls.cert_file",
        ),
        (
            Settings {
                key_file: None,
                ..full.clone()
            },
            "tls.key_file",
        ),
        (
            Settings {
                client_auth: None,
                ..full.clone()
            },
            "tls.client_auth",
        ),
        (
            Settings {
                client_ca_file: None,
                ..full
            },
            "tls.client_ca_file",
        ),
    ] {
        let message = told(settings);
        assert!(message.contains(&format!("set `{missing}`")), "{message}");
    }
    assert!(
        ServerTls::open(&Settings::default(), now())
            .unwrap()
            .is_none()
    );
}
