//! Followers to let in, turn away or block, and whom the farmer follows.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use farmops_federation::{Account, FederationError, RelationState};
use farmops_service::problem::Problem;
use url::Url;

use super::{
    frame::{Fault, Frame, Owner, OwnersForm, capital, done},
    framed,
};
use crate::{
    app::App,
    http::{farm, federation::Shown},
    site::ACTOR,
};

/// Relations on the page, of each kind.
const SHOWN_MAX: u32 = 200;

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    frame: Frame,
    account: Option<String>,
    waiting: Vec<Shown>,
    followers: Vec<Shown>,
    blocked: Vec<Shown>,
    following: Vec<Shown>,
}

/// Shows them.
pub(in crate::http) async fn show(State(app): State<App>, owner: Owner) -> Response {
    page(&app, (owner, None)).await
}

async fn page(app: &App, shown: (Owner, Option<Fault>)) -> Response {
    gather(app, shown).await.into_response()
}

async fn gather(app: &App, (owner, fault): (Owner, Option<Fault>)) -> Result<Response, Problem> {
    let view = farm::figures(app).await?;
    let failed = |error: FederationError| Problem::internal(&error);
    let federation = &app.federation;
    let waiting = federation.followers(ACTOR, Some(RelationState::Pending), None, SHOWN_MAX);
    let waiting = waiting.await.map_err(failed)?;
    let followers = federation.followers(ACTOR, Some(RelationState::Accepted), None, SHOWN_MAX);
    let followers = followers.await.map_err(failed)?;
    let blocked = federation.followers(ACTOR, Some(RelationState::Blocked), None, SHOWN_MAX);
    let blocked = blocked.await.map_err(failed)?;
    let following = federation.following(ACTOR, None, None, SHOWN_MAX);
    let following = following.await.map_err(failed)?;
    let page = PeoplePage {
        account: farm::account(app, &view).await?,
        waiting: waiting.into_iter().map(Shown::from).collect(),
        followers: followers.into_iter().map(Shown::from).collect(),
        blocked: blocked.into_iter().map(Shown::from).collect(),
        following: following.into_iter().map(Shown::from).collect(),
        frame: owner.frame(&view, "/people", fault),
    };
    framed(app, &page.frame, &page)
}

/// Lets a waiting follower in.
pub(in crate::http) async fn accept(State(app): State<App>, form: OwnersForm) -> Response {
    let Ok(actor) = form.fields.text("actor").parse::<Url>() else {
        return page(&app, form.fault("followers", "That is nobody's address.")).await;
    };
    match app.federation.accept_follower(ACTOR, &actor).await {
        Ok(_) => done(&app, "/people", "The follower is let in."),
        Err(error) => page(&app, form.fault("followers", capital(&error.to_string()))).await,
    }
}

/// Turns a follower away.
pub(in crate::http) async fn reject(State(app): State<App>, form: OwnersForm) -> Response {
    let Ok(actor) = form.fields.text("actor").parse::<Url>() else {
        return page(&app, form.fault("followers", "That is nobody's address.")).await;
    };
    match app.federation.reject_follower(ACTOR, &actor).await {
        Ok(_) => done(&app, "/people", "The follower is turned away."),
        Err(error) => page(&app, form.fault("followers", capital(&error.to_string()))).await,
    }
}

/// Turns a follower away for good.
pub(in crate::http) async fn block(State(app): State<App>, form: OwnersForm) -> Response {
    let Ok(actor) = form.fields.text("actor").parse::<Url>() else {
        return page(&app, form.fault("followers", "That is nobody's address.")).await;
    };
    match app.federation.block_follower(ACTOR, &actor).await {
        Ok(_) => done(&app, "/people", "They are blocked."),
        Err(error) => page(&app, form.fault("followers", capital(&error.to_string()))).await,
    }
}

/// Lets a blocked follower ask again.
pub(in crate::http) async fn unblock(State(app): State<App>, form: OwnersForm) -> Response {
    let Ok(actor) = form.fields.text("actor").parse::<Url>() else {
        return page(&app, form.fault("followers", "That is nobody's address.")).await;
    };
    match app.federation.unblock_follower(ACTOR, &actor).await {
        Ok(true) => done(&app, "/people", "They may ask again."),
        Ok(false) => done(&app, "/people", "They were not blocked."),
        Err(error) => page(&app, form.fault("followers", capital(&error.to_string()))).await,
    }
}

/// Asks to follow someone.
pub(in crate::http) async fn follow(State(app): State<App>, form: OwnersForm) -> Response {
    let account = match Account::parse(form.fields.text("handle"), app.site.reach()) {
        Ok(account) => account,
        Err(error) => return page(&app, form.fault("handle", capital(&error.reason))).await,
    };
    let asked = async {
        let actor = app.federation.resolve(&account.to_handle()).await?;
        app.federation.follow(ACTOR, &actor.id).await
    };
    match asked.await {
        Ok(_) => done(
            &app,
            "/people",
            "They were asked; the answer comes by itself.",
        ),
        Err(error) => page(&app, form.fault("handle", capital(&error.to_string()))).await,
    }
}

/// Stops following someone.
pub(in crate::http) async fn unfollow(State(app): State<App>, form: OwnersForm) -> Response {
    let Ok(actor) = form.fields.text("actor").parse::<Url>() else {
        return page(&app, form.fault("following", "That is nobody's address.")).await;
    };
    match app.federation.unfollow(ACTOR, &actor).await {
        Ok(true) => done(&app, "/people", "You do not follow them any more."),
        Ok(false) => done(&app, "/people", "You did not follow them."),
        Err(error) => page(&app, form.fault("following", capital(&error.to_string()))).await,
    }
}
