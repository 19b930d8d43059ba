//! What every page of the owner has around it, and what every form of hers goes through: the session,
//! the token of its forms, what to tell her, and what was wrong.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Redirect, Response},
};
use farmops_service::problem::{FormFields, Problem};
use http::{StatusCode, header::SET_COOKIE, request::Parts};

use crate::{app::App, domain::FarmView, session::Session, writer::WriteError};

/// Longest form: a rules file with everything escaped, with room to spare.
const FORM_BYTES_MAX: usize = 1024 * 1024;

/// The owner, by her session; everybody else is sent to log in.
pub(in crate::http) struct Owner {
    session: Session,
    /// What her last form did.
    told: Option<String>,
}

impl FromRequestParts<App> for Owner {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        Self::of(&parts.headers, app).ok_or_else(|| Redirect::to("/login").into_response())
    }
}

impl Owner {
    pub(super) fn of(headers: &http::HeaderMap, app: &App) -> Option<Self> {
        let session = app.keyring.session(headers, app.now())?;
        let told = app.sessions().told(headers);
        Some(Self { session, told })
    }

    /// The frame of the page at `path`.
    pub(super) fn frame(self, farm: &FarmView, path: &'static str, fault: Option<Fault>) -> Frame {
        Frame {
            farm: farm.profile.name.clone(),
            path,
            form_token: self.session.form_token,
            told: self.told.filter(|_| fault.is_none()),
            fault,
        }
    }
}

/// A form that one of the owner's pages made. Others are refused whatever they say.
pub(in crate::http) struct OwnersForm {
    pub(super) owner: Owner,
    pub(super) fields: Fields,
}

impl FromRequest<App> for OwnersForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let ended = || Problem::forbidden("the session has ended; log in again").into_response();
        let owner = Owner::of(request.headers(), app).ok_or_else(ended)?;
        let FormFields(fields) = FormFields::<FORM_BYTES_MAX>::from_request(request, app)
            .await
            .map_err(IntoResponse::into_response)?;
        let fields = Fields(fields);
        if owner.session.made(fields.text("form_token")) {
            Ok(Self { owner, fields })
        } else {
            Err(ended())
        }
    }
}

impl OwnersForm {
    /// The session that it came from.
    pub(super) fn session(&self) -> &Session {
        &self.owner.session
    }

    /// What was wrong with `field` of it.
    pub(super) fn fault(
        self,
        field: impl Into<String>,
        reason: impl Into<String>,
    ) -> (Owner, Option<Fault>) {
        let fault = Fault {
            field: field.into(),
            reason: reason.into(),
            fields: self.fields,
        };
        (self.owner, Some(fault))
    }
}

/// To the page at `path`, which tells what was done.
pub(super) fn done(app: &App, path: &str, told: &str) -> Response {
    let mut response = Redirect::to(path).into_response();
    if let Some(cookie) = app.sessions().tell(told) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// What was typed into a form.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The text of a field without the spaces around it; empty if it was not sent.
    pub(super) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// Whether a box was ticked, or a button pressed.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }
}

/// What was wrong with a form.
#[derive(Debug)]
pub(super) struct Fault {
    /// The id of the field on the page.
    pub(super) field: String,
    pub(super) reason: String,
    fields: Fields,
}

impl Fault {
    /// What is wrong at `field` of a page, where nothing was typed.
    pub(super) fn at(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
            fields: Fields::default(),
        }
    }
}

/// What is around every page of the owner.
pub(super) struct Frame {
    pub(super) farm: String,
    path: &'static str,
    pub(super) form_token: String,
    pub(super) told: Option<String>,
    pub(super) fault: Option<Fault>,
}

/// The pages, in the order of the navigation.
const PAGES: [(&str, &str); 10] = [
    ("/", "Overview"),
    ("/coins", "Coins"),
    ("/days", "Days"),
    ("/proofs", "Proofs"),
    ("/agents", "Agents"),
    ("/shop", "Shop"),
    ("/arrange", "Arrange"),
    ("/villages", "Villages"),
    ("/people", "People"),
    ("/settings", "Settings"),
];

/// What the templates ask.
impl Frame {
    /// The links of the navigation: where, what, and whether it is this page.
    pub(super) fn pages(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        let here = self.path;
        PAGES
            .into_iter()
            .map(move |(path, name)| (path, name, path == here))
    }

    /// What is wrong with a field; empty if nothing is.
    pub(super) fn wrong(&self, field: &str) -> &str {
        let fault = self.fault.as_ref().filter(|fault| fault.field == field);
        fault.map_or("", |fault| &fault.reason)
    }

    /// What was typed into the field `name` of the form whose field `id` is wrong.
    pub(super) fn typed(&self, id: &str, name: &str) -> &str {
        let fault = self.fault.as_ref().filter(|fault| fault.field == id);
        fault.map_or("", |fault| fault.fields.text(name))
    }

    /// What was typed into the field `name` of a form that was wrong.
    pub(super) fn entered(&self, name: &str) -> &str {
        self.fault
            .as_ref()
            .map_or("", |fault| fault.fields.text(name))
    }

    /// Whether the box `name` was ticked in a form that was wrong.
    pub(super) fn ticked(&self, name: &str) -> bool {
        self.fault
            .as_ref()
            .is_some_and(|fault| fault.fields.has(name))
    }

    /// The status of the page.
    pub(super) fn status(&self) -> StatusCode {
        if self.fault.is_some() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        }
    }
}

/// The reason of a refusal as a sentence.
pub(super) fn sentence(error: &WriteError) -> String {
    capital(&error.to_string())
}

/// A text with a capital at its beginning and a full stop at its end.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    let stop = if text.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{}{}{stop}", first.unwrap_or_default(), chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_what_was_typed_without_the_spaces_around_it() {
        let fields = Fields(vec![
            ("name".into(), " Hill farm ".into()),
            ("mon".into(), "on".into()),
        ]);
        assert_eq!(fields.text("name"), "Hill farm");
        assert_eq!(fields.text("none"), "");
        assert!(fields.has("mon") && !fields.has("tue"));
        assert_eq!(capital("no such agent"), "No such agent.");
    }
}
