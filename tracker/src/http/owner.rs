//! The owner's doors: what a token opens, and what each route asks of it.
//!
//! Every route stands under one scope. The owner's token has them all; a token that she made has those that
//! she gave it. The check comes before the path, the query and the body are looked at.

use axum::{Router, middleware::from_extractor_with_state};
use farmops_protocol::time::Timestamp;
use farmops_service::token::{Granted, Scope, ScopedToken, TokenId, TokenStore};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    agents, coins, farm, federation, layout, leagues, ledger, offers, opening, proofs, rules,
    served, settings, shop, tokens, villages,
};
use crate::{app::App, keyring::TokenScope, writer::WriteError};

macro_rules! scopes {
    ($($name:ident),+) => {
        $(#[doc = concat!("May do what needs `", stringify!($name), "`.")]
        pub(super) struct $name;
        impl Scope for $name {
            const NAME: &'static str = TokenScope::$name.as_str();
        })+

        /// The owner's routes, each behind its scope.
        pub(super) fn routes(app: &App) -> Router {
            Router::new()$(.merge(served(table(TokenScope::$name), app).route_layer(
                from_extractor_with_state::<Granted<$name>, _>(app.clone()),
            )))+
        }
    };
}

scopes!(Read, Agents, Farm, Social, Admin);

/// The routes that a scope opens.
pub(super) fn table(scope: TokenScope) -> OpenApiRouter<App> {
    match scope {
        TokenScope::Read => OpenApiRouter::new()
            .routes(routes!(proofs::list))
            .routes(routes!(proofs::show))
            .routes(routes!(ledger::list))
            .routes(routes!(opening::open))
            .routes(routes!(farm::show))
            .routes(routes!(farm::balance))
            .routes(routes!(coins::history))
            .routes(routes!(farm::stats))
            .routes(routes!(farm::upgrades))
            .routes(routes!(settings::calendars))
            .routes(routes!(layout::document))
            .routes(routes!(settings::rest_days))
            .routes(routes!(rules::show))
            .routes(routes!(rules::by_digest))
            .routes(routes!(leagues::leagues))
            .routes(routes!(shop::items))
            .routes(routes!(shop::purchases))
            .routes(routes!(agents::list))
            .routes(routes!(villages::list))
            .routes(routes!(offers::supplied))
            .routes(routes!(federation::followers))
            .routes(routes!(federation::following)),
        TokenScope::Agents => OpenApiRouter::new()
            .routes(routes!(agents::approve))
            .routes(routes!(agents::revoke))
            .routes(routes!(agents::dismiss))
            .routes(routes!(agents::reset_chain)),
        TokenScope::Farm => OpenApiRouter::new()
            .routes(routes!(settings::rename))
            .routes(routes!(settings::calendar))
            .routes(routes!(layout::merge))
            .routes(routes!(settings::rest, settings::work))
            .routes(routes!(rules::adopt))
            .routes(routes!(leagues::join, leagues::leave))
            .routes(routes!(offers::take))
            .routes(routes!(shop::purchase)),
        TokenScope::Social => OpenApiRouter::new()
            .routes(routes!(villages::join))
            .routes(routes!(villages::leave))
            .routes(routes!(federation::accept))
            .routes(routes!(federation::reject))
            .routes(routes!(federation::block))
            .routes(routes!(federation::unblock))
            .routes(routes!(federation::follow))
            .routes(routes!(federation::unfollow)),
        TokenScope::Admin => OpenApiRouter::new()
            .routes(routes!(tokens::list, tokens::create))
            .routes(routes!(tokens::revoke))
            .routes(routes!(tokens::replace_owner))
            .routes(routes!(tokens::end_sessions)),
    }
}

impl TokenStore for App {
    type Error = WriteError;

    fn is_master(&self, presented: &str) -> bool {
        self.keyring.is_owner(presented)
    }

    async fn token(&self, id: TokenId) -> Result<Option<ScopedToken>, WriteError> {
        Ok(self.keyring.token(id))
    }

    async fn note_use(&self, id: TokenId, at: i64) -> Result<(), WriteError> {
        self.keyring.note_use(&self.writer, id, at).await
    }

    fn now(&self) -> i64 {
        Timestamp::second(App::now(self))
    }
}
