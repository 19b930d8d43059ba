//! The leagues that the farm's villages supply: looked at before they are taken, and left.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use farmops_ledger::archive::Membership;
use farmops_service::problem::{Problem, Query};
use serde::Deserialize;

use super::{
    frame::{Fault, Frame, Owner, OwnersForm, capital, done, sentence},
    framed,
};
use crate::{
    app::App,
    domain::decide_leave_league,
    http::{farm::figures, refused::not_read},
    leagues::{Offer, Standing, offers, take as take_on},
};

/// The id of the part of the page that shows a village's leagues.
const SUPPLIED: &str = "supplied";

/// Which village's leagues are looked at; without it, the villages are shown to choose from.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::http) struct Wanted {
    village: String,
}

#[derive(Template)]
#[template(path = "leagues.html")]
struct LeaguesPage {
    frame: Frame,
    village: String,
    villages: Vec<String>,
    offers: Vec<Offer>,
}

/// Shows them.
pub(in crate::http) async fn show(
    State(app): State<App>,
    owner: Owner,
    Query(wanted): Query<Wanted>,
) -> Response {
    let shown = gather(&app, (owner, None), wanted.village);
    shown.await.into_response()
}

async fn gather(
    app: &App,
    (owner, fault): (Owner, Option<Fault>),
    village: String,
) -> Result<Response, Problem> {
    let farm = figures(app).await?;
    let villages = app.reads.villages().await.map_err(not_read)?;
    let members = villages
        .into_iter()
        .filter(|village| village.status == Membership::Active);
    let (offers, fault) = if village.is_empty() {
        (Vec::new(), fault)
    } else {
        match offers(app, &village).await {
            Ok((_, offers)) => (offers, fault),
            Err(error) => {
                let trouble = Fault::at(SUPPLIED, capital(&error.to_string()));
                (Vec::new(), Some(fault.unwrap_or(trouble)))
            }
        }
    };
    let page = LeaguesPage {
        frame: owner.frame(&farm, "/villages", fault),
        village,
        villages: members.map(|village| village.url).collect(),
        offers,
    };
    framed(app, &page.frame, &page)
}

/// Takes a league by the rules that the page has shown.
pub(in crate::http) async fn take(State(app): State<App>, form: OwnersForm) -> Response {
    let village = form.fields.text("village").to_owned();
    let refused = async |form: OwnersForm, reason: String| {
        let shown = gather(&app, form.fault(SUPPLIED, reason), village.clone());
        shown.await.into_response()
    };
    let Ok(digest) = form.fields.text("digest").parse() else {
        return refused(form, "That names no rules.".to_owned()).await;
    };
    match take_on(&app, &village, form.fields.text("league"), digest).await {
        Ok(_) => done(
            &app,
            "/villages",
            "Proofs are scored by the league's rules as well from here on.",
        ),
        Err(error) => refused(form, capital(&error.to_string())).await,
    }
}

/// Leaves a league; what was earned in it stays.
pub(in crate::http) async fn leave(State(app): State<App>, form: OwnersForm) -> Response {
    let league = form.fields.text("league").to_owned();
    let decide = move |state: &_, _| Ok(decide_leave_league(state, &league)?.into_iter().collect());
    match app.writer.decide(decide, |_| ()).await {
        Ok(()) => done(
            &app,
            "/villages",
            "The farm is not in that league any more; what it earned there stays.",
        ),
        Err(error) => super::villages::page(&app, form.fault("leagues", sentence(&error))).await,
    }
}

/// Helpers that the template calls.
impl LeaguesPage {
    fn is_new(offer: &Offer) -> bool {
        offer.standing == Standing::New
    }

    fn is_taken(offer: &Offer) -> bool {
        offer.standing == Standing::Taken
    }

    fn is_changed(offer: &Offer) -> bool {
        offer.standing == Standing::Changed
    }
}
