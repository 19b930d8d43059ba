//! The suite's own actors: documents that the server under test can fetch, inboxes it can write to.

mod actor;
mod mailbox;
mod oddity;

use std::{
    net::SocketAddr,
    sync::{Arc, LazyLock},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use farmops_protocol::key::SecretKey;
use rsa::RsaPrivateKey;
use serde::Deserialize;
use tokio::net::TcpListener;
use url::Url;

pub use self::{
    actor::{Actor, public_pem},
    mailbox::{Letter, Mailbox},
    oddity::Oddity,
};
use crate::{
    http::ACTIVITY_JSON,
    sign::{Received, authority},
};

const BODY_BYTES_MAX: usize = 1024 * 1024;
/// More than a document may have.
const DOCUMENT_BYTES_ODD: usize = 300 * 1024;
/// How the names of actors on the blocked host begin.
const BLOCKED: &str = "blocked";

/// The keys of every probe actor of this process. Making them takes seconds, so they are made once.
static KEYS: LazyLock<Keys> = LazyLock::new(Keys::make);

/// The keys of the probe's actors.
pub struct Keys {
    /// The actors' RSA key.
    pub own: RsaPrivateKey,
    /// An RSA key that no document of an honest actor shows.
    pub other: RsaPrivateKey,
    /// The actors' farm key.
    pub farm: SecretKey,
    /// A farm key that no document shows.
    pub other_farm: SecretKey,
}

impl Keys {
    fn make() -> Self {
        Self {
            own: rsa_key(),
            other: rsa_key(),
            farm: farm_key(),
            other_farm: farm_key(),
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "2,048 is a size that keys have; only the system's randomness can fail"
)]
fn rsa_key() -> RsaPrivateKey {
    RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).expect("an RSA key of 2,048 bits")
}

fn farm_key() -> SecretKey {
    // Two version 4 UUIDs hold 244 random bits: enough for a key that lives as long as one run.
    let mut seed = [0; 32];
    seed[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    seed[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    SecretKey::from_bytes(seed)
}

/// The probe: a small server with as many actors as the checks need.
#[derive(Clone)]
pub struct Probe {
    base: Url,
    /// The same place under a host that the server under test blocks.
    blocked: Option<Url>,
    mailbox: Arc<Mailbox>,
}

impl Probe {
    /// Listens at `listen`. The server under test reaches it at `public`, or, without one, at
    /// `probe.localhost` and the port that was given; and also under the name `blocked_host`, if there is one.
    pub async fn start(
        listen: SocketAddr,
        public: Option<Url>,
        blocked_host: Option<&str>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let base = match public {
            Some(public) => public,
            None => Url::parse(&format!(
                "http://probe.localhost:{}/",
                listener.local_addr()?.port()
            ))
            .map_err(std::io::Error::other)?,
        };
        let blocked = blocked_host
            .map(|host| {
                let mut url = base.clone();
                url.set_host(Some(host)).map(|()| url)
            })
            .transpose()
            .map_err(std::io::Error::other)?;
        let probe = Self {
            base,
            blocked,
            mailbox: Arc::default(),
        };
        tokio::task::spawn_blocking(|| LazyLock::force(&KEYS))
            .await
            .map_err(std::io::Error::other)?;
        let router = Router::new()
            .route("/.well-known/webfinger", get(webfinger))
            .route("/actors/{name}", get(document))
            .route("/actors/{name}/inbox", post(receive))
            .with_state(probe.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(probe)
    }

    /// The keys of all its actors.
    pub fn keys() -> &'static Keys {
        &KEYS
    }

    /// An actor that nobody has seen before.
    pub fn fresh_actor(&self) -> Actor {
        self.actor(&format!("probe-{}", uuid::Uuid::new_v4().simple()))
    }

    /// An actor whose document is gone.
    pub fn absent_actor(&self) -> Actor {
        self.actor("absent")
    }

    /// An actor that nobody has seen before, and whose document is odd.
    pub fn odd_actor(&self, oddity: Oddity) -> Actor {
        let unique = uuid::Uuid::new_v4().simple();
        self.actor(&format!("{}-{unique}", oddity.as_str()))
    }

    /// An actor on the host that the server under test blocks, if there is one.
    pub fn blocked_actor(&self) -> Option<Actor> {
        self.blocked.as_ref()?;
        let unique = uuid::Uuid::new_v4().simple();
        Some(self.actor(&format!("{BLOCKED}-{unique}")))
    }

    fn actor(&self, name: &str) -> Actor {
        let base = match &self.blocked {
            Some(blocked) if name.starts_with(BLOCKED) => blocked,
            _ => &self.base,
        };
        Actor::new(base, name)
    }

    /// The first letter that fits, if one comes in time.
    pub async fn letter(
        &self,
        patience: Duration,
        fits: impl Fn(&Letter) -> bool,
    ) -> Option<Letter> {
        self.mailbox.wait(patience, fits).await
    }

    /// How many letters so far fit.
    pub fn count(&self, fits: impl Fn(&Letter) -> bool) -> usize {
        self.mailbox.count(fits)
    }
}

async fn document(State(probe): State<Probe>, Path(name): Path<String>) -> Response {
    if name == "absent" {
        return StatusCode::GONE.into_response();
    }
    let mut document = probe.actor(&name).document();
    let mut media_type = ACTIVITY_JSON;
    match Oddity::of(&name) {
        Some(Oddity::UnderOtherId) => document["id"] = probe.actor("another").id.into(),
        Some(Oddity::AsText) => media_type = "text/plain",
        Some(Oddity::TooLarge) => document["summary"] = "x".repeat(DOCUMENT_BYTES_ODD).into(),
        None => {}
    }
    ([(CONTENT_TYPE, media_type)], document.to_string()).into_response()
}

#[derive(Deserialize)]
struct Asked {
    resource: String,
}

async fn webfinger(State(probe): State<Probe>, Query(asked): Query<Asked>) -> Response {
    let host = authority(&probe.base);
    let name = asked
        .resource
        .strip_prefix("acct:")
        .and_then(|a| a.strip_suffix(&format!("@{host}")));
    let by_url = asked
        .resource
        .strip_prefix(&format!("{}actors/", probe.base));
    match name.or(by_url) {
        Some(name) => {
            let jrd = Json(probe.actor(name).jrd());
            ([(CONTENT_TYPE, "application/jrd+json")], jrd).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn receive(
    State(probe): State<Probe>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> StatusCode {
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE;
    };
    let request = Received {
        path: uri.path().to_owned(),
        headers,
        body: body.to_vec(),
    };
    probe.mailbox.put(Letter::new(request));
    StatusCode::ACCEPTED
}
