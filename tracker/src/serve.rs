//! Starting, running and stopping the tracker.

mod opening;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use anyhow::Context as _;
use farmops_federation::{Federation, OpenError, Settings, Software, system_clock};
use farmops_protocol::log::commitment::SaltSource;
use farmops_service::{
    outbound::{Outbound, Reach},
    server::{self, Limits, Listener},
    tls::ServerTls,
};
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use url::Url;

use self::opening::Opened;
use crate::{
    app::{App, Parts},
    config::{self, Config},
    desk::Desk,
    host::FarmHost,
    http,
    keyring::Keyring,
    leagues::{self, Offered},
    publisher::Publisher,
    site::Site,
    store::Database,
};

/// The file, beside the database, that the owner's token is written to at the first start.
pub const TOKEN_FILE: &str = "owner.token";
/// What we say we are, in `User-Agent`.
const USER_AGENT: &str = concat!("farmops-tracker/", env!("CARGO_PKG_VERSION"));

/// A tracker that is listening.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What the handlers have at hand.
    pub app: App,
    serving: tokio::task::JoinHandle<()>,
    workers: JoinSet<()>,
    stop_workers: CancellationToken,
    writing: tokio::task::JoinHandle<()>,
    stop_writer: CancellationToken,
    database: Database,
}

/// Opens the database, founds the farm at the first start, and begins to listen. Cancelling `stop`
/// begins the end; [`Running::wait`] sees it through.
pub async fn start(config: &Config, stop: CancellationToken) -> anyhow::Result<Running> {
    let tls = ServerTls::open(&config.tls, SystemTime::now())?;
    let clock = system_clock();
    let Opened {
        database,
        secrets,
        access,
        writer,
        handle,
    } = Opened::open(config, &clock).await?;
    let stop_writer = CancellationToken::new();
    let writing = tokio::spawn(writer.run(stop_writer.clone()));

    let site = Site::new(config.public_url.clone(), config.reach());
    let bell = Arc::new(Notify::new());
    let host = Arc::new(FarmHost::new(
        site.clone(),
        secrets.public_key(),
        config.publish.accept_followers,
        database.reads(),
        handle.clone(),
        bell.clone(),
    ));
    let outbound = outbound(config)?;
    let federation = Federation::open(
        settings(config)?,
        outbound.client(),
        database.federation(),
        host.clone(),
    )
    .await
    .map_err(|error| explained(error, &config.public_url))?;
    let publisher = Publisher {
        site: site.clone(),
        key: secrets.farm_key.clone(),
        settings: config.publish,
        federation: federation.clone(),
        writer: handle.clone(),
        bell,
        clock: clock.clone(),
    };
    let app = App::new(Parts {
        keyring: Arc::new(Keyring::new(
            access,
            secrets.farm_secret.clone(),
            site.is_encrypted(),
        )),
        site,
        db: config.db.clone(),
        reads: database.reads(),
        writer: handle,
        federation: federation.clone(),
        host,
        outbound,
        farm_key: secrets.farm_key,
        salts: SaltSource::new(secrets.farm_secret),
        desk: Arc::new(Desk::new(&mut rand::rng())),
        offered: Offered::default(),
        folds: Semaphore::new(1),
        stop: stop.clone(),
        clock,
    });
    let limits = Limits::default();
    let listener = TcpListener::bind((config.listen, config.port))
        .await
        .with_context(|| {
            let (listen, port) = (config.listen, config.port);
            format!("listening on {listen}:{port} (the settings `listen` and `port`)")
        })?;
    let address = listener.local_addr()?;
    let guard = http::Guard::new(config);
    let router = http::router(&app, &limits, &guard);
    let encrypted = tls.is_some();
    let listener = Listener::new(listener, tls);
    let serving = tokio::spawn(server::serve(listener, router, limits, stop));
    let stop_workers = CancellationToken::new();
    let workers = work(&app, publisher, federation, &stop_workers);
    tracing::info!(%address, tls = encrypted, public_url = %config.public_url, "the tracker is listening");
    Ok(Running {
        address,
        app,
        serving,
        workers,
        stop_workers,
        writing,
        stop_writer,
        database,
    })
}

/// Begins what goes on beside the answers, until `stop`.
fn work(
    app: &App,
    publisher: Publisher,
    federation: Federation,
    stop: &CancellationToken,
) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    workers.spawn(publisher.run(stop.clone()));
    let engine_stop = stop.clone();
    workers.spawn(async move { federation.run(engine_stop).await });
    workers.spawn(leagues::watch(app.clone(), stop.clone()));
    workers
}

/// A part of the tracker has ended, and nobody had stopped it.
#[derive(Debug, thiserror::Error)]
#[error("the {part} has died; the tracker stops, so that it can be started again")]
pub struct Died {
    part: &'static str,
    #[source]
    cause: Option<tokio::task::JoinError>,
}

impl Died {
    fn new(part: &'static str, ended: Result<(), tokio::task::JoinError>) -> Self {
        let cause = ended.err();
        tracing::error!(part, ?cause, "a part of the tracker has died");
        Self { part, cause }
    }
}

impl Running {
    /// What ends the writer as if it had died.
    #[doc(hidden)]
    pub fn writer(&self) -> tokio::task::AbortHandle {
        self.writing.abort_handle()
    }

    /// Waits for the end: first the last requests, then the workers, then the writer, then the
    /// database.
    ///
    /// # Errors
    /// [`Died`], as soon as one of them has ended before its time: what is left can do no good.
    pub async fn wait(mut self) -> anyhow::Result<()> {
        tokio::select! {
            served = &mut self.serving => served?,
            written = &mut self.writing => return Err(Died::new("writer", written).into()),
            Some(worked) = self.workers.join_next() => {
                return Err(Died::new("publisher, federation or watch over leagues", worked).into());
            }
        }
        self.stop_workers.cancel();
        while let Some(ended) = self.workers.join_next().await {
            ended?;
        }
        self.stop_writer.cancel();
        self.writing.await?;
        let closed = self.database.close().await;
        closed.context("closing the database")?;
        Ok(())
    }
}

/// Why the federation does not start, with the setting that is to be changed.
fn explained(error: OpenError, url: &Url) -> anyhow::Error {
    match error {
        wrong @ OpenError::PublicUrl(_) => config::Unfit::public_url(url, &wrong).into(),
        other => anyhow::Error::new(other).context("starting the federation"),
    }
}

/// The file that the owner's token is written to.
pub fn token_path(config: Option<&Config>, folder: &Path) -> PathBuf {
    let named = config.and_then(|config| config.owner_token_path.clone());
    named.unwrap_or_else(|| folder.join(TOKEN_FILE))
}

fn outbound(config: &Config) -> anyhow::Result<Outbound> {
    let reach = if config.allow_loopback {
        Reach::Loopback
    } else {
        Reach::PublicOnly
    };
    Ok(match &config.ca_file {
        Some(file) => Outbound::with_ca_file(reach, USER_AGENT, file)?,
        None => Outbound::new(reach, USER_AGENT)?,
    })
}

fn settings(config: &Config) -> anyhow::Result<Settings> {
    Ok(Settings {
        public_url: config.public_url.clone(),
        reach: config.reach(),
        software: Software {
            name: "farmops-tracker".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            repository: Url::parse(crate::SOURCE_URL)?,
        },
        clock: system_clock(),
    })
}
