//! The federation of farms and villages over `ActivityPub`.
//!
//! In scope: actors, WebFinger, NodeInfo, HTTP signatures, typed fetching, the inbox pipeline,
//! relations between actors, and the durable delivery log.
//!
//! Out of scope: SQL (`farmops-federation-store` implements [`store::Store`]), the decisions of a
//! service ([`Host`]), HTML, JSON-LD processing and LD-signatures (we neither make nor read them).
//!
//! A service builds one [`Federation`] and does three things with it:
//!
//! ```no_run
//! # async fn example(
//! #     settings: farmops_federation::Settings,
//! #     client: reqwest::Client,
//! #     store: std::sync::Arc<dyn farmops_federation::store::Store>,
//! #     host: std::sync::Arc<dyn farmops_federation::Host>,
//! #     stop: tokio_util::sync::CancellationToken,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use farmops_federation::Federation;
//!
//! // 1. Open it with the process's one guarded HTTP client.
//! let federation = Federation::open(settings, client, store, host).await?;
//! // 2. Mount its routes beside the service's own.
//! let app: axum::Router = axum::Router::new().merge(federation.router());
//! // 3. Run its workers until the process stops.
//! let workers = tokio::spawn({
//!     let federation = federation.clone();
//!     async move { federation.run(stop).await }
//! });
//! # drop((app, workers)); Ok(()) }
//! ```
//!
//! **Routes**: `/ap/{name}` and below it `inbox`, `outbox`, `followers`, `following`; `/ap/inbox`
//! (shared); `/ap/{kind}/{key}` (objects and activities); `/.well-known/webfinger`,
//! `/.well-known/nodeinfo`, `/nodeinfo/2.1`. Nothing else under `/ap` is free for the service.
//!
//! **Publishing** in the service's own transaction: make the [`Post`] with [`Federation::create`],
//! [`Federation::update`], [`Federation::announce`] or [`Federation::delete`], append it with
//! `farmops_federation_store::append_post(&mut conn, &post)`, commit, then [`Federation::wake`].
//! Outside a transaction [`Federation::publish`] does both.
//!
//! **Receiving**: the engine calls the [`Host`], at least once per activity, never with anything
//! whose sender was not verified.

pub mod account;
pub mod activities;
pub mod actor;
pub mod delivery;
pub mod federation;
pub mod fetch;
pub mod host;
pub mod http;
pub mod inbox;
pub mod policy;
pub mod post;
pub mod protocol;
pub mod relation;
pub mod settings;
pub mod signature;
pub mod store;
pub mod webfinger;

pub use self::{
    account::{Account, Reach},
    actor::{ActorKind, FarmKey, FollowersVisibility, Image, LocalActor, RemoteActor},
    federation::{Federation, FederationError, OpenError, check_public_url},
    host::{
        Deletion, FollowChange, FollowDecision, FollowRequest, Host, HostError, ReceivedNote,
        ReceivedSnapshot, Resource, Subject, Usage, Via,
    },
    post::{Audience, Post},
    relation::{Direction, Peer, PeerState, Relation, RelationState},
    settings::{Clock, Settings, Software, system_clock},
};
pub use farmops_protocol::{key::PublicKey, time::Timestamp};
