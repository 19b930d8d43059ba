//! `/api/v1/farm/name`, `/calendar`, `/rest-days`: what the owner says about herself.

use axum::{Json, extract::State};
use farmops_protocol::time::Timestamp;
use farmops_service::problem::{Path, Problem, StrictJson};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    farm::figures,
    refused::{not_read, not_written},
};
use crate::{
    app::App,
    domain::{Schedule, Term, decide_calendar, decide_rename, decide_rest},
};

/// A name.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = FarmName)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    #[schema(min_length = 1, max_length = 80, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    name: String,
}

/// Gives the farm another name.
#[utoipa::path(
    put,
    path = "/api/v1/farm/name",
    tag = "farm",
    request_body(content = Named),
    responses((status = 200, description = "The name now", body = Named)),
)]
pub(super) async fn rename(
    State(app): State<App>,
    StrictJson(named): StrictJson<Named, 2048>,
) -> Result<Json<Named>, Problem> {
    let name = named.name.clone();
    let decide = move |state: &_, _| Ok(decide_rename(state, &name)?.into_iter().collect());
    let renamed = app.writer.decide(decide, |_| ()).await;
    renamed.map(|()| Json(named)).map_err(|e| not_written(&e))
}

/// The farmer's days.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Calendar)]
#[serde(deny_unknown_fields)]
pub(super) struct Days {
    /// An IANA time zone.
    #[schema(pattern = "^[A-Za-z][A-Za-z0-9_+/-]*$")]
    time_zone: String,
    /// The days of the week that count, Monday first.
    #[schema(min_items = 7, max_items = 7)]
    working_days: [bool; 7],
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarList)]
pub(super) struct Calendars {
    /// The farmer's day now.
    today: Date,
    /// Every calendar, oldest first; the first one has no first day.
    calendars: Vec<Term>,
}

impl Calendars {
    fn of(schedule: Schedule, now: Timestamp) -> Json<Self> {
        Json(Self {
            today: schedule.day(now),
            calendars: schedule.into(),
        })
    }
}

/// Shows the calendars that counted, that counts, and that will count from tomorrow on.
#[utoipa::path(
    get,
    path = "/api/v1/farm/calendar",
    tag = "farm",
    responses((status = 200, description = "The calendars", body = Calendars)),
)]
pub(super) async fn calendars(State(app): State<App>) -> Result<Json<Calendars>, Problem> {
    let farm = figures(&app).await?;
    Ok(Calendars::of(farm.profile.schedule, app.now()))
}

/// Lives by another calendar from tomorrow on.
#[utoipa::path(
    put,
    path = "/api/v1/farm/calendar",
    tag = "farm",
    request_body(content = Days),
    responses((status = 200, description = "The calendars now", body = Calendars)),
)]
pub(super) async fn calendar(
    State(app): State<App>,
    StrictJson(days): StrictJson<Days, 2048>,
) -> Result<Json<Calendars>, Problem> {
    let decide = move |state: &_, now| {
        let event = decide_calendar(state, &days.time_zone, days.working_days, now)?;
        Ok(event.into_iter().collect())
    };
    let changed = app.writer.decide(decide, |_| ()).await;
    changed.map_err(|e| not_written(&e))?;
    calendars(State(app)).await
}

/// Days of rest.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RestDayList)]
pub(super) struct RestDays {
    rest_days: Vec<Date>,
}

/// Lists the days of rest, the earliest first.
#[utoipa::path(
    get,
    path = "/api/v1/farm/rest-days",
    tag = "farm",
    responses((status = 200, description = "The days", body = RestDays)),
)]
pub(super) async fn rest_days(State(app): State<App>) -> Result<Json<RestDays>, Problem> {
    let days = app.reads.rest_days().await.map_err(not_read)?;
    Ok(Json(RestDays {
        rest_days: days.into_iter().collect(),
    }))
}

/// Marks a day as one of rest.
#[utoipa::path(
    put,
    path = "/api/v1/farm/rest-days/{date}",
    tag = "farm",
    params(("date" = Date, Path, description = "A day of the farmer")),
    responses((status = 200, description = "The days now", body = RestDays)),
)]
pub(super) async fn rest(
    State(app): State<App>,
    Path(date): Path<String>,
) -> Result<Json<RestDays>, Problem> {
    mark(&app, &date, true).await
}

/// Marks a day as one of rest no longer.
#[utoipa::path(
    delete,
    path = "/api/v1/farm/rest-days/{date}",
    tag = "farm",
    params(("date" = Date, Path, description = "A day of the farmer")),
    responses((status = 200, description = "The days now", body = RestDays)),
)]
pub(super) async fn work(
    State(app): State<App>,
    Path(date): Path<String>,
) -> Result<Json<RestDays>, Problem> {
    mark(&app, &date, false).await
}

async fn mark(app: &App, date: &str, rest: bool) -> Result<Json<RestDays>, Problem> {
    let day: Date = date
        .parse()
        .map_err(|_| Problem::bad_request("date", "expected a day like 2026-12-24"))?;
    let decide =
        move |state: &_, now| Ok(decide_rest(state, day, rest, now)?.into_iter().collect());
    let marked = app
        .writer
        .decide(decide, |state| state.known.rest_days.clone());
    let days = marked.await.map_err(|e| not_written(&e))?;
    Ok(Json(RestDays {
        rest_days: days.into_iter().collect(),
    }))
}
