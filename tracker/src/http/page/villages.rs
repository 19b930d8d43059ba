//! The villages that the farm is in, joining one and leaving it.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use farmops_ledger::archive::Membership;
use farmops_service::problem::Problem;
use url::Url;

use super::{
    filters,
    frame::{Fault, Frame, Owner, OwnersForm, capital, done},
    framed,
    when::day,
};
use crate::{
    app::App,
    domain::{League, Schedule},
    http::{farm::figures, refused::not_read},
    store::Village,
    villages::{JoinError, Manner, join as ask_to_join, leave as go},
};

/// A league as it is shown.
struct Table {
    slug: String,
    name: String,
    /// Whether its village has other rules by now.
    changed: bool,
    village: Option<String>,
    since: String,
    left: Option<String>,
    seasons: Vec<(String, u64)>,
}

#[derive(Template)]
#[template(path = "villages.html")]
struct VillagesPage {
    frame: Frame,
    villages: Vec<(Village, String)>,
    leagues: Vec<Table>,
}

/// Shows the villages.
pub(in crate::http) async fn show(State(app): State<App>, owner: Owner) -> Response {
    page(&app, (owner, None)).await
}

pub(super) async fn page(app: &App, shown: (Owner, Option<Fault>)) -> Response {
    gather(app, shown).await.into_response()
}

async fn gather(app: &App, (owner, fault): (Owner, Option<Fault>)) -> Result<Response, Problem> {
    let farm = figures(app).await?;
    let schedule = &farm.profile.schedule;
    let villages = app.reads.villages().await.map_err(not_read)?;
    let leagues = app.reads.leagues().await.map_err(not_read)?;
    let members = villages.iter().filter(|v| VillagesPage::is_member(v));
    let members: Vec<Url> = members.filter_map(|v| Url::parse(&v.url).ok()).collect();
    // Only a member can look at what has changed, and take it.
    let changed = |slug: &str, league: &League| {
        members.iter().any(|village| league.is_of(village))
            && app.offered.changed(slug, league).is_some()
    };
    let page = VillagesPage {
        villages: villages
            .into_iter()
            .map(|village| {
                let since = day(schedule.day(village.joined_at));
                (village, since)
            })
            .collect(),
        leagues: leagues
            .into_iter()
            .map(|(slug, league)| Table {
                changed: changed(&slug, &league),
                ..table(slug, league, schedule)
            })
            .collect(),
        frame: owner.frame(&farm, "/villages", fault),
    };
    framed(app, &page.frame, &page)
}

fn table(slug: String, league: League, schedule: &Schedule) -> Table {
    Table {
        slug,
        changed: false,
        name: league.name,
        village: league.village.map(|village| village.to_string()),
        since: day(schedule.day(league.joined_at)),
        left: league.left_at.map(|left| day(schedule.day(left))),
        seasons: league.seasons.into_iter().rev().collect(),
    }
}

/// Asks a village to take the farm in.
pub(in crate::http) async fn join(State(app): State<App>, form: OwnersForm) -> Response {
    let invite = Some(form.fields.text("invite")).filter(|invite| !invite.is_empty());
    match ask_to_join(&app, form.fields.text("url"), invite).await {
        Ok(village) => {
            let told = match village.status {
                Membership::Active => "The farm is a member now.",
                Membership::Pending | Membership::Ended => {
                    "The village was asked; its people decide."
                }
            };
            done(&app, "/villages", told)
        }
        Err(error) => {
            let field = match &error {
                JoinError::Field(field) if field.field.contains("invite") => "village-invite",
                _ => "village-url",
            };
            page(&app, form.fault(field, capital(&error.to_string()))).await
        }
    }
}

/// Leaves a village.
pub(in crate::http) async fn leave(State(app): State<App>, form: OwnersForm) -> Response {
    let manner = if form.fields.has("forget") {
        Manner::Forgotten
    } else {
        Manner::Told
    };
    match go(&app, form.fields.text("village"), manner).await {
        Ok(()) => done(
            &app,
            "/villages",
            "The farm is not in that village any more.",
        ),
        Err(error) => page(&app, form.fault("villages", capital(&error.to_string()))).await,
    }
}

/// Helpers that the template calls.
impl VillagesPage {
    fn is_member(village: &Village) -> bool {
        village.status == Membership::Active
    }

    fn has_ended(village: &Village) -> bool {
        village.status == Membership::Ended
    }
}
