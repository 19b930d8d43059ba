//! The farmer's days: the year behind, days of rest, and the calendar.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use farmops_service::problem::Problem;
use jiff::{ToSpan as _, civil::Date};

use super::{
    frame::{Fault, Frame, Owner, OwnersForm, done, sentence},
    framed,
    when::day,
    year::{Past, Year, year},
};
use crate::{
    app::App,
    domain::{Term, decide_calendar, decide_rest},
    http::{farm::figures, refused::not_read},
};

/// Days in the year that is shown, at most.
const DAYS_MAX: u32 = 372;

/// The boxes of the days of the week.
const WEEK: [(&str, &str); 7] = [
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
];

#[derive(Template)]
#[template(path = "days.html")]
struct DaysPage {
    frame: Frame,
    streak: u32,
    longest: u32,
    freezes: u32,
    year: Year,
    today: Date,
    rest: Vec<(Date, String)>,
    latest: Term,
    /// From when on, if the calendar is to begin tomorrow only.
    begins: Option<String>,
}

/// Shows the days.
pub(in crate::http) async fn show(State(app): State<App>, owner: Owner) -> Response {
    page(&app, (owner, None)).await
}

async fn page(app: &App, shown: (Owner, Option<Fault>)) -> Response {
    gather(app, shown).await.into_response()
}

async fn gather(app: &App, (owner, fault): (Owner, Option<Fault>)) -> Result<Response, Problem> {
    let farm = figures(app).await?;
    let schedule = &farm.profile.schedule;
    let today = schedule.day(app.now());
    let rest = &farm.known.rest_days;
    let days = app.reads.days(DAYS_MAX).await.map_err(not_read)?;
    let work: BTreeMap<Date, _> = days
        .iter()
        .filter_map(|(day, totals)| Some((day.parse().ok()?, *totals)))
        .collect();
    let year_ago = today.saturating_sub(i64::from(DAYS_MAX).days());
    let founded = schedule.day(farm.created_at);
    let past = Past {
        schedule,
        known: &farm.known,
        // Work may have been done before the tracker was there.
        first: work.keys().next().copied().unwrap_or(founded).min(founded),
        work: &work,
    };
    let latest = schedule.latest().clone();
    let page = DaysPage {
        streak: farm.streak_days(app.now()),
        longest: farm.streak_longest,
        freezes: farm.freezes_held(app.now()),
        year: year(today, &past),
        today,
        rest: rest
            .iter()
            .rev()
            .filter(|rest| **rest >= year_ago)
            .map(|rest| (*rest, day(*rest)))
            .collect(),
        begins: latest.from.filter(|from| *from > today).map(day),
        latest,
        frame: owner.frame(&farm, "/days", fault),
    };
    framed(app, &page.frame, &page)
}

/// Marks a day as one of rest, or as one no longer.
pub(in crate::http) async fn rest(State(app): State<App>, form: OwnersForm) -> Response {
    let Ok(marked) = form.fields.text("day").parse::<Date>() else {
        return page(
            &app,
            form.fault("rest-day", "Choose a day, like 2026-12-24."),
        )
        .await;
    };
    let rest = !form.fields.has("work");
    let decide =
        move |state: &_, now| Ok(decide_rest(state, marked, rest, now)?.into_iter().collect());
    match app.writer.decide(decide, |_| ()).await {
        Ok(()) if rest => done(&app, "/days", &format!("{} is a day of rest.", day(marked))),
        Ok(()) => {
            let told = format!("{} is a day of rest no longer.", day(marked));
            done(&app, "/days", &told)
        }
        Err(error) => page(&app, form.fault("rest-day", sentence(&error))).await,
    }
}

/// Lives by another calendar from tomorrow on.
pub(in crate::http) async fn calendar(State(app): State<App>, form: OwnersForm) -> Response {
    let zone = form.fields.text("time_zone").to_owned();
    let week = WEEK.map(|(name, _)| form.fields.has(name));
    let decide = move |state: &_, now| {
        let event = decide_calendar(state, &zone, week, now)?;
        Ok(event.into_iter().collect())
    };
    match app.writer.decide(decide, |_| ()).await {
        Ok(()) => {
            let told = "The calendar is kept. It counts from tomorrow on.";
            done(&app, "/days", told)
        }
        Err(error) => {
            let field = match &error {
                crate::writer::WriteError::Refused(refusal)
                    if refusal.field().contains("working_days") =>
                {
                    "working-days"
                }
                _ => "time-zone",
            };
            page(&app, form.fault(field, sentence(&error))).await
        }
    }
}
