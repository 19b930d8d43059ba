//! The rules that proofs are scored by: as they are, and others in their place.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use farmops_protocol::scoring::RuleSet;
use farmops_service::problem::Problem;

use super::{
    frame::{Fault, Frame, Owner, OwnersForm, done, sentence},
    framed,
};
use crate::{
    app::App,
    domain::decide_rules,
    http::{farm::figures, refused::not_read},
};

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage {
    frame: Frame,
    digest: String,
    text: String,
}

/// Shows the rules.
pub(in crate::http) async fn show(State(app): State<App>, owner: Owner) -> Response {
    page(&app, (owner, None)).await
}

async fn page(app: &App, shown: (Owner, Option<Fault>)) -> Response {
    gather(app, shown).await.into_response()
}

async fn gather(app: &App, (owner, fault): (Owner, Option<Fault>)) -> Result<Response, Problem> {
    let farm = figures(app).await?;
    let rules = app.reads.rules(None).await.map_err(not_read)?;
    let rules = rules.ok_or_else(|| Problem::unavailable(1))?;
    let page = RulesPage {
        digest: rules.digest().to_string(),
        text: serde_json::to_string_pretty(&rules).map_err(|e| Problem::internal(&e))?,
        frame: owner.frame(&farm, "/settings", fault),
    };
    framed(app, &page.frame, &page)
}

/// Takes other rules; they count for later proofs.
pub(in crate::http) async fn adopt(State(app): State<App>, form: OwnersForm) -> Response {
    let rules = match RuleSet::parse(form.fields.text("rules").as_bytes()) {
        Ok(rules) => rules,
        Err(error) => {
            let reason = format!("{}: {}.", error.field, error.reason);
            return page(&app, form.fault("rules-file", reason)).await;
        }
    };
    let decide = move |state: &_, _| Ok(decide_rules(state, rules.clone()).into_iter().collect());
    match app.writer.decide(decide, |_| ()).await {
        Ok(()) => done(
            &app,
            "/rules",
            "Proofs are scored by these rules from here on.",
        ),
        Err(error) => page(&app, form.fault("rules-file", sentence(&error))).await,
    }
}
