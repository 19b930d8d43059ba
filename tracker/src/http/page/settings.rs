//! The farm's name, and what the owner can take away with her.

use askama::Template;
use axum::{
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use farmops_service::problem::Problem;
use futures::Stream;
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    frame::{Fault, Frame, Owner, OwnersForm, done, sentence},
    framed,
};
use crate::{
    app::App,
    domain::decide_rename,
    http::farm::figures,
    store::{LedgerLine, StoreError},
};

/// Entries that are read at once.
const PAGE: u32 = 500;

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    frame: Frame,
    handle: String,
    farmer_key: String,
    url: String,
    entries: u64,
}

/// Shows the settings.
pub(in crate::http) async fn show(State(app): State<App>, owner: Owner) -> Response {
    page(&app, (owner, None)).await
}

async fn page(app: &App, shown: (Owner, Option<Fault>)) -> Response {
    gather(app, shown).await.into_response()
}

async fn gather(app: &App, (owner, fault): (Owner, Option<Fault>)) -> Result<Response, Problem> {
    let farm = figures(app).await?;
    let page = SettingsPage {
        handle: farm.profile.handle.clone(),
        farmer_key: farm.profile.farmer_key.to_string(),
        url: app.site.origin(),
        entries: farm.ledger_size,
        frame: owner.frame(&farm, "/settings", fault),
    };
    framed(app, &page.frame, &page)
}

/// Gives the farm another name.
pub(in crate::http) async fn rename(State(app): State<App>, form: OwnersForm) -> Response {
    let name = form.fields.text("name").to_owned();
    let decide = move |state: &_, _| Ok(decide_rename(state, &name)?.into_iter().collect());
    match app.writer.decide(decide, |_| ()).await {
        Ok(()) => done(&app, "/settings", "The name is kept."),
        Err(error) => page(&app, form.fault("name", sentence(&error))).await,
    }
}

#[derive(Serialize)]
struct Exported<'a> {
    position: u64,
    kind: &'a str,
    recorded_at: String,
    /// Null once it is archived.
    body: Option<&'a RawValue>,
}

/// The whole ledger, an entry on each line.
pub(in crate::http) async fn ledger(State(app): State<App>, _: Owner) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/jsonl")),
        (
            CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"ledger.jsonl\""),
        ),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, Body::from_stream(lines(app))).into_response()
}

/// The entries, a page at a time.
fn lines(app: App) -> impl Stream<Item = Result<Bytes, ExportError>> {
    futures::stream::try_unfold((app, 0), |(app, after)| async move {
        let entries = app.reads.ledger(after, PAGE).await?;
        let Some(last) = entries.last().map(|entry| entry.position) else {
            return Ok(None);
        };
        let mut text = Vec::new();
        for entry in &entries {
            write_line(&mut text, entry)?;
        }
        Ok(Some((Bytes::from(text), (app, last))))
    })
}

fn write_line(text: &mut Vec<u8>, entry: &LedgerLine) -> Result<(), ExportError> {
    let line = Exported {
        position: entry.position,
        kind: &entry.kind,
        recorded_at: entry.recorded_at.to_string(),
        body: entry.body.bytes().map(serde_json::from_slice).transpose()?,
    };
    serde_json::to_writer(&mut *text, &line)?;
    text.push(b'\n');
    Ok(())
}

/// The download ends before its end, so that nobody takes it for whole.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("an entry of the ledger is no JSON")]
    Json(#[from] serde_json::Error),
}
