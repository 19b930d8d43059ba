//! `GET /.well-known/webfinger?resource=…` (RFC 7033).

use axum::{
    Json,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use farmops_protocol::field::FieldError;
use http::{HeaderValue, header};
use serde::Deserialize;
use url::Url;

use super::Problem;
use crate::{
    account::Account,
    federation::{Federation, FederationError, INSTANCE},
    host::{Resource, Subject},
    protocol::jrd::{Jrd, MEDIA_TYPES},
};

#[derive(Deserialize)]
pub(super) struct Asked {
    resource: Option<String>,
}

/// The account, and the actor, behind a name.
pub(super) async fn show(
    State(federation): State<Federation>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let text = asked
        .resource
        .ok_or_else(|| Problem::field(FieldError::new("resource", "is missing")))?;
    let resource = read(&federation, &text).map_err(Problem::field)?;
    let subject = match own(&federation, &resource) {
        Some(own) => Some(own),
        None => federation
            .host()
            .webfinger(&resource)
            .await
            .map_err(FederationError::Host)?,
    };
    let subject = subject.ok_or_else(Problem::not_found)?;
    let mut response = Json(Jrd::write(&subject)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(MEDIA_TYPES[0]),
    );
    // Anyone's page may ask, as RFC 7033 §5 wants.
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    Ok(response)
}

fn read(federation: &Federation, text: &str) -> Result<Resource, FieldError> {
    if text.contains("://") {
        let url = Url::parse(text).map_err(|_| FieldError::new("resource", "is not a URL"))?;
        return Ok(Resource::Url(url));
    }
    Account::parse(text, federation.inner.settings.reach)
        .map(Resource::Account)
        .map_err(|e| FieldError::new("resource", e.reason))
}

/// The engine's own answer: the instance actor.
fn own(federation: &Federation, resource: &Resource) -> Option<Subject> {
    let actor = federation.instance_actor();
    let id = federation.actor_id(INSTANCE);
    let asked = match resource {
        Resource::Account(account) => *account == actor.account,
        Resource::Url(url) => *url == id,
    };
    asked.then_some(Subject {
        account: actor.account,
        actor: id,
        page: actor.page,
    })
}
