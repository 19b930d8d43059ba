//! TLS of a listener, with files that may change while it runs.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{Acceptor, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::files::{self, PairFiles, TlsError};
use super::{ClientAuth, ClientCertificate, Settings};

/// How often the files are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);
/// Handshakes that are computed at the same time. A client that has not said hello needs none.
const HANDSHAKES_MAX: usize = 64;
/// A certificate that ends sooner is worth a warning.
const RENEWAL_DUE: Duration = Duration::from_hours(7 * 24);

/// What a listener needs to speak TLS. Clones share everything.
#[derive(Clone)]
pub struct ServerTls(Arc<Shared>);

struct Shared {
    files: Files,
    provider: Arc<CryptoProvider>,
    config: RwLock<Arc<ServerConfig>>,
    /// What was seen at the last look, so that one change is told once.
    seen: Mutex<Seen>,
    handshakes: Semaphore,
}

struct Files {
    cert: PathBuf,
    key: PathBuf,
    client: Option<(PathBuf, ClientAuth)>,
}

/// The files' contents (their digest), or why they could not be read.
type Seen = Result<[u8; 32], String>;

/// The contents of all files at one moment.
struct Contents {
    pair: PairFiles,
    client_ca: Option<Vec<u8>>,
}

impl ServerTls {
    /// Reads the files of the settings; `None` if they ask for plain HTTP.
    pub fn open(settings: &Settings, now: SystemTime) -> Result<Option<Self>, TlsError> {
        let Some(files) = Files::of(settings)? else {
            return Ok(None);
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let contents = files.read()?;
        let config = files.config(&contents, &provider, now)?;
        Ok(Some(Self(Arc::new(Shared {
            seen: Mutex::new(Ok(contents.digest())),
            config: RwLock::new(Arc::new(config)),
            handshakes: Semaphore::new(HANDSHAKES_MAX),
            files,
            provider,
        }))))
    }

    /// Looks at the files; if they have changed, takes them over. What cannot be used is told in
    /// the log and changes nothing. Gives whether something was taken over.
    pub fn look(&self, now: SystemTime) -> bool {
        let shared = &self.0;
        let contents = shared.files.read();
        let seen = match &contents {
            Ok(contents) => Ok(contents.digest()),
            Err(error) => Err(error.to_string()),
        };
        {
            // Poison would only say that a look panicked between two whole values.
            let mut last = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if *last == seen {
                return false;
            }
            *last = seen;
        }
        let config = contents.and_then(|c| shared.files.config(&c, &shared.provider, now));
        match config {
            Ok(config) => {
                *shared
                    .config
                    .write()
                    .unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                metrics::counter!("farmops_tls_reloads_total", "outcome" => "taken").increment(1);
                tracing::info!(file = %shared.files.cert.display(), "the new certificate is in use");
                true
            }
            Err(error) => {
                metrics::counter!("farmops_tls_reloads_total", "outcome" => "refused").increment(1);
                tracing::error!(%error, "the changed TLS files are not used; the earlier ones stay");
                false
            }
        }
    }

    /// Looks at the files again and again.
    pub(crate) async fn keep_looking(self, cancel: CancellationToken) {
        // They have just been read.
        let begin = Instant::now() + LOOK_INTERVAL;
        let mut tick = tokio::time::interval_at(begin, LOOK_INTERVAL);
        while cancel.run_until_cancelled(tick.tick()).await.is_some() {
            let this = self.clone();
            let looked = tokio::task::spawn_blocking(move || this.look(SystemTime::now()));
            if looked.await.is_err() {
                tracing::error!("a look at the TLS files panicked");
            }
        }
    }

    /// The server's half of the handshake. The caller sets the deadline.
    pub(crate) async fn accept<S>(
        &self,
        stream: S,
    ) -> io::Result<(TlsStream<S>, Option<ClientCertificate>)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        // The semaphore is never closed. Only who has said hello gets a place.
        let _place = self.0.handshakes.acquire().await;
        let config = self.0.config.read();
        let config = Arc::clone(&config.unwrap_or_else(PoisonError::into_inner));
        let stream = hello.into_stream(config).await?;
        let shown = stream.get_ref().1.peer_certificates();
        let certificate = shown
            .and_then(|chain| chain.first())
            .map(ClientCertificate::new);
        Ok((stream, certificate))
    }
}

impl Files {
    fn of(settings: &Settings) -> Result<Option<Self>, TlsError> {
        let incomplete = |given, missing| Err(TlsError::Incomplete { given, missing });
        let client = match (&settings.client_ca_file, settings.client_auth) {
            (Some(file), Some(auth)) => Some((file.clone(), auth)),
            (None, None) => None,
            (Some(_), None) => return incomplete("client_ca_file", "client_auth"),
            (None, Some(_)) => return incomplete("client_auth", "client_ca_file"),
        };
        match (&settings.cert_file, &settings.key_file) {
            (Some(cert), Some(key)) => Ok(Some(Self {
                cert: cert.clone(),
                key: key.clone(),
                client,
            })),
            (Some(_), None) => incomplete("cert_file", "key_file"),
            (None, Some(_)) => incomplete("key_file", "cert_file"),
            (None, None) if client.is_some() => incomplete("client_ca_file", "cert_file"),
            (None, None) => Ok(None),
        }
    }

    fn read(&self) -> Result<Contents, TlsError> {
        let client_ca = self.client.as_ref().map(|(file, _)| files::read(file));
        Ok(Contents {
            pair: PairFiles::read(&self.cert, &self.key)?,
            client_ca: client_ca.transpose()?,
        })
    }

    fn config(
        &self,
        contents: &Contents,
        provider: &Arc<CryptoProvider>,
        now: SystemTime,
    ) -> Result<ServerConfig, TlsError> {
        let pair = contents.pair.check(provider, now)?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::content(&self.cert, error.to_string()))?;
        let builder = match (&self.client, &contents.client_ca) {
            (Some((path, auth)), Some(pem)) => {
                let roots = Arc::new(files::authorities(path, pem)?);
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider));
                let verifier = match auth {
                    ClientAuth::Optional => verifier.allow_unauthenticated(),
                    ClientAuth::Required => verifier,
                };
                let verifier = verifier.build();
                builder.with_client_cert_verifier(
                    verifier.map_err(|error| TlsError::content(path, error.to_string()))?,
                )
            }
            _ => builder.with_no_client_auth(),
        };
        let resolver = SingleCertAndKey::from(Arc::clone(&pair.certified));
        let mut config = builder.with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        self.tell_end(pair.not_after, now);
        Ok(config)
    }

    fn tell_end(&self, not_after: SystemTime, now: SystemTime) {
        let second = not_after.duration_since(UNIX_EPOCH).unwrap_or_default();
        metrics::gauge!("farmops_tls_certificate_not_after_seconds").set(second.as_secs_f64());
        let left = not_after.duration_since(now).unwrap_or_default();
        if left < RENEWAL_DUE {
            let (file, hours_left) = (self.cert.display(), left.as_secs() / 3600);
            tracing::warn!(%file, hours_left, "the certificate ends soon: renew it");
        }
    }
}

impl Contents {
    fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in [
            Some(&self.pair.cert_pem),
            Some(&self.pair.key_pem),
            self.client_ca.as_ref(),
        ]
        .into_iter()
        .flatten()
        {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}
