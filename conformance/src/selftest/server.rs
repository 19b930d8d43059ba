//! The self-test's village and tracker: state and routes.

use std::{
    collections::HashSet,
    io,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{any, delete, get, post},
};
use farmops_protocol::key::SecretKey;
use rsa::RsaPrivateKey;
use serde_json::Value;
use tokio::net::TcpListener;
use url::Url;

use super::{Fault, agents, identity, inbox, intake, leagues, log, membership};
use crate::{http::Client, target::Kind};

static KEY: LazyLock<RsaPrivateKey> = LazyLock::new(make_key);

#[expect(clippy::expect_used, reason = "2,048 is a size that keys have")]
fn make_key() -> RsaPrivateKey {
    RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).expect("an RSA key of 2,048 bits")
}

/// One server.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) kind: Kind,
    pub(super) base: Url,
    /// The account of its main actor.
    pub(super) account: String,
    /// The farmer at home here, whose actor lives on her tracker: account and actor.
    pub(super) guest: Option<(String, String)>,
    pub(super) fault: Option<Fault>,
    pub(super) client: Client,
    state: Arc<Mutex<Memory>>,
}

#[derive(Default)]
pub(super) struct Memory {
    /// Activities that arrived.
    pub(super) arrived: HashSet<String>,
    /// Figures on the front page.
    pub(super) shown: Vec<Value>,
    /// Farmers who registered.
    pub(super) members: Vec<Member>,
    /// Agents that presented themselves.
    pub(super) agents: agents::Agents,
}

/// A farmer who registered.
pub(super) struct Member {
    pub(super) id: String,
    pub(super) actor: String,
    /// The newest snapshot: sequence and coins.
    pub(super) newest: Option<(u64, Value)>,
}

/// A village, and a tracker whose farmer is at home there.
pub(super) struct World {
    pub(super) village: Url,
    pub(super) tracker: Url,
}

/// Starts both.
pub(super) async fn start(client: &Client, fault: Option<Fault>) -> io::Result<World> {
    tokio::task::spawn_blocking(|| LazyLock::force(&KEY))
        .await
        .map_err(io::Error::other)?;
    let (village_at, village) = listen("orchard").await?;
    let (tracker_at, tracker) = listen("farm").await?;
    let home = crate::sign::authority(&village);
    let alice = format!("alice@{home}");
    let server = |kind, base: &Url, account, guest| Server {
        kind,
        base: base.clone(),
        account,
        guest,
        fault,
        client: client.clone(),
        state: Arc::default(),
    };
    let guest = Some((alice.clone(), format!("{tracker}u/main")));
    serve(
        village_at,
        server(Kind::Village, &village, format!("orchard@{home}"), guest),
    );
    serve(tracker_at, server(Kind::Tracker, &tracker, alice, None));
    Ok(World { village, tracker })
}

async fn listen(name: &str) -> io::Result<(TcpListener, Url)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let text = format!("http://{name}.localhost:{}/", listener.local_addr()?.port());
    Ok((listener, Url::parse(&text).map_err(io::Error::other)?))
}

fn serve(listener: TcpListener, server: Server) {
    let router = Router::new()
        .route("/", get(identity::front_page))
        .route("/.well-known/webfinger", get(identity::webfinger))
        .route("/.well-known/nodeinfo", get(identity::nodeinfo_links))
        .route("/about-this-node", get(identity::nodeinfo))
        .route("/u/{name}", get(identity::actor))
        .route("/u/{name}/mail", post(inbox::receive))
        .route("/api/v1/public/snapshot", get(identity::snapshot))
        .route("/checkpoint", get(log::checkpoint))
        .route("/tile/{*path}", get(log::tile))
        .route("/api/v1/proofs", any(intake::proof))
        .route("/api/v1/agents/enroll", post(intake::enrolment))
        .route("/api/v1/agents/{id}/rotate", post(agents::rotate))
        .route("/api/v1/agents/{id}/chain-reset", post(agents::ask_reset))
        .route("/api/v1/agents/{id}/{act}", post(agents::owned))
        .route("/api/v1/farmers/register", post(membership::register))
        .route("/api/v1/farmers/{id}", delete(membership::leave))
        .route("/api/v1/leagues", get(leagues::list))
        .route("/api/v1/leagues/{league}", get(leagues::show))
        .with_state(server);
    tokio::spawn(async move { axum::serve(listener, router).await });
}

impl Server {
    pub(super) fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn actor_id(&self, name: &str) -> String {
        format!("{}u/{name}", self.base)
    }

    pub(super) fn rsa_key() -> &'static RsaPrivateKey {
        &KEY
    }

    pub(super) fn farm_key() -> SecretKey {
        SecretKey::from_bytes([11; 32])
    }
}

/// An answer with a media type of one's own.
pub(super) fn typed(status: StatusCode, media_type: &'static str, document: &Value) -> Response {
    (status, [(CONTENT_TYPE, media_type)], document.to_string()).into_response()
}
