//! The running program: a village put together from its configuration, served until it stops.

use std::{path::Path, sync::Arc, time::SystemTime};

use anyhow::Context as _;
use axum::Router;
use farmops_federation::{Clock, Federation, Reach, Software};
use farmops_service::{
    metrics as metrics_listener,
    outbound::{self, Outbound},
    server::{self, Limits, Listener},
    storage_guard,
    tls::ServerTls,
    token::{Token, TokenHash},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    http,
    leagues::Leagues,
    store::Store,
    village::{Settings, Village},
};

const USER_AGENT: &str = concat!("farmops-village/", env!("CARGO_PKG_VERSION"));
/// The purpose of the admin's token, as it stands in the database.
const ADMIN: &str = "admin";

/// Puts the village together: database, token, engine and routes. Nothing runs yet.
pub async fn assemble(
    config: &Config,
    clock: Clock,
    stop: CancellationToken,
) -> anyhow::Result<(Village, Router)> {
    config.check()?;
    let leagues = Leagues::read(&config.leagues)?;
    if let Some(file) = config.database_file() {
        storage_guard::refuse_network_filesystem(file)?;
        // It holds keys.
        storage_guard::make_private(file)?;
    }
    let store = Store::open(&config.db)
        .await
        .context("the database cannot be opened")?;
    let admin = admin_token(&store, &config.token_file(), &clock).await?;
    let now = clock();
    let record = store
        .found(&config.slug(), &config.name, &config.description, now)
        .await?;
    let outbound = outbound(config)?;
    let settings = Settings {
        public_url: config.public_url.clone(),
        reach: config.reach(),
        registration: config.registration,
        leagues,
        source_url: config.source_url.clone(),
        clock: clock.clone(),
        stop,
    };
    let memory = store.federation();
    let village = Village::new(settings, record, store, outbound.clone(), admin);
    let federation = Federation::open(
        farmops_federation::Settings {
            public_url: config.public_url.clone(),
            reach: config.reach(),
            software: Software {
                name: "farmops-village".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                repository: config.source_url.clone(),
            },
            clock,
        },
        outbound.client(),
        Arc::new(memory),
        Arc::new(village.clone()),
    )
    .await?;
    village.federate(federation);
    let addresses = Arc::new(config.trusted_proxies.clone());
    let limit = config.requests_per_minute.limit("requests", &addresses);
    let router = http::router(&village, &Limits::default(), &limit);
    Ok((village, router))
}

/// Serves a village on `listener` until `stop`.
pub async fn run(
    village: Village,
    router: Router,
    listener: impl Into<Listener>,
    stop: CancellationToken,
) {
    let resumed = tokio::spawn({
        let village = village.clone();
        async move { village.resume().await }
    });
    let workers = tokio::spawn({
        let (federation, stop) = (village.federation().clone(), stop.clone());
        async move { federation.run(stop).await }
    });
    server::serve(listener, router, Limits::default(), stop).await;
    resumed.abort();
    if let Err(error) = workers.await {
        tracing::error!(%error, "the federation workers ended badly");
    }
    village.store().close().await;
}

/// The whole program: from a configuration to a clean end.
pub async fn main(config: Config) -> anyhow::Result<()> {
    let stop = farmops_service::stop::on_signal()?;
    metrics_listener::install()?;
    let tls = ServerTls::open(&config.tls, SystemTime::now())?;
    let (village, router) =
        assemble(&config, farmops_federation::system_clock(), stop.clone()).await?;
    let listener = TcpListener::bind((config.listen, config.port))
        .await
        .with_context(|| format!("cannot listen on {}:{}", config.listen, config.port))?;
    if let Some(address) = config.metrics {
        metrics_listener::listen(address, stop.clone()).await?;
    }
    tracing::info!(
        village = %config.name,
        url = %village.url(),
        listen = %listener.local_addr()?,
        tls = tls.is_some(),
        "the village is open"
    );
    run(village, router, Listener::new(listener, tls), stop).await;
    tracing::info!("the village is closed");
    Ok(())
}

fn outbound(config: &Config) -> anyhow::Result<Outbound> {
    let reach = match config.reach() {
        Reach::Public => outbound::Reach::PublicOnly,
        Reach::Loopback => outbound::Reach::Loopback,
    };
    Ok(match &config.ca_file {
        Some(file) => Outbound::with_ca_file(reach, USER_AGENT, file)?,
        None => Outbound::new(reach, USER_AGENT)?,
    })
}

/// The hash of the admin's token, made at the first start and written once to `file`.
///
/// A crash between the file and the database leaves the file; the next start takes it over.
async fn admin_token(store: &Store, file: &Path, clock: &Clock) -> anyhow::Result<TokenHash> {
    if let Some(hash) = store.token_hash(ADMIN).await? {
        return Ok(hash);
    }
    let token = match Token::read_file(file) {
        Ok(token) => token,
        Err(error) if error.is_not_found() => {
            let token = Token::generate_file(file, &mut rand::rng())?;
            tracing::info!(file = %file.display(), "the admin's token was written");
            token
        }
        Err(error) => return Err(error.into()),
    };
    let hash = token.hash();
    store.keep_token(ADMIN, &hash, clock()).await?;
    Ok(hash)
}
