//! Joining a village: one signed request to it, one row here.

use farmops_federation::{Account, account::authority};
use farmops_protocol::{
    field::FieldError,
    registration::{Applicant, MembershipStatus, RegistrationAnswer, RegistrationRequest},
};
use farmops_service::outbound::{Bounds, OutboundError};
use http::{HeaderValue, StatusCode};
use url::Url;

use crate::{
    app::App,
    domain::FarmView,
    store::{StoreError, Village},
    writer::{Outgoing, WriteError},
};

/// The path below a village's URL.
const REGISTER: &str = "/api/v1/farmers/register";
/// Characters of a village's reason that are passed on.
const REASON_CHARS_MAX: usize = 300;

/// The farm is not a member, and why.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The URL or the invite cannot be used.
    #[error("{0}")]
    Field(#[from] FieldError),
    /// The village does not answer.
    #[error("the village does not answer: {0}")]
    Unreachable(#[from] OutboundError),
    /// The village said no.
    #[error("the village refused ({status}): {reason}")]
    Refused {
        /// Its status.
        status: StatusCode,
        /// Its reason, shortened.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The writer could not write.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Asks the village at `url` to take the farm in, and remembers the answer.
pub async fn join(app: &App, url: &str, invite: Option<&str>) -> Result<Village, JoinError> {
    let url = origin(url)?;
    let farm = app.reads.farm().await?.ok_or(WriteError::Unavailable)?;
    let bytes = request(app, &farm, &url, invite)?;
    app.host.set_joining(&url, true);
    let answer = ask(app, &url, bytes).await;
    let joined = match answer {
        Ok((status, answer)) => remember(app, &farm, &url, status, answer).await,
        Err(error) => Err(error),
    };
    app.host.set_joining(&url, false);
    joined
}

fn request(
    app: &App,
    farm: &FarmView,
    village: &Url,
    invite: Option<&str>,
) -> Result<Vec<u8>, FieldError> {
    let actor = app.site.actor();
    let applicant = Applicant {
        actor: actor.as_str(),
        display_name: &farm.profile.name,
        handle: &farm.profile.handle,
        invite,
        tracker_url: &app.site.origin(),
        village_url: &village.origin().ascii_serialization(),
    };
    RegistrationRequest::sign(applicant, &app.farm_key, app.now())
}

async fn ask(
    app: &App,
    village: &Url,
    bytes: Vec<u8>,
) -> Result<(MembershipStatus, Option<RegistrationAnswer>), JoinError> {
    let mut url = village.clone();
    url.set_path(REGISTER);
    let json = HeaderValue::from_static("application/json");
    let answer = app
        .outbound
        .post(url, json, bytes, Bounds::default())
        .await?;
    let status = match answer.status {
        StatusCode::OK | StatusCode::CREATED => MembershipStatus::Active,
        StatusCode::ACCEPTED => MembershipStatus::Pending,
        status => {
            let problem: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
            let detail = problem.as_ref().and_then(|p| p.get("detail")?.as_str());
            let shown = detail.unwrap_or("no reason given").chars();
            return Err(JoinError::Refused {
                status,
                reason: shown
                    .filter(|c| !c.is_control())
                    .take(REASON_CHARS_MAX)
                    .collect(),
            });
        }
    };
    // The status says what counts; the document adds names.
    Ok((status, serde_json::from_slice(&answer.body).ok()))
}

async fn remember(
    app: &App,
    farm: &FarmView,
    url: &Url,
    status: MembershipStatus,
    answer: Option<RegistrationAnswer>,
) -> Result<Village, JoinError> {
    let origin = url.origin().ascii_serialization();
    let known = app.reads.villages().await?;
    let elsewhere = known
        .iter()
        .any(|village| village.home && village.url != origin);
    let host = authority(url).unwrap_or_default();
    let account = answer
        .as_ref()
        .and_then(|answer| Account::parse(&answer.account, app.site.reach()).ok())
        .filter(|account| account.host() == host && account.name() == farm.profile.handle)
        .map_or_else(
            || format!("{}@{host}", farm.profile.handle),
            |account| account.to_string(),
        );
    // A village names its own actor, and nobody else's.
    let actor = answer
        .map(|answer| answer.village)
        .filter(|actor| Url::parse(actor).is_ok_and(|a| a.origin() == url.origin()))
        .unwrap_or_else(|| format!("{origin}/ap/village"));
    let village = Village {
        actor,
        account,
        status,
        home: !elsewhere,
        joined_at: app.now(),
        url: origin,
    };
    let mut outgoing = Outgoing {
        villages: vec![village.clone()],
        ..Outgoing::default()
    };
    // The account that everyone should show may have moved to the village.
    let moved = village.home && status == MembershipStatus::Active;
    app.writer.say(outgoing.clone()).await?;
    if moved && let Ok(post) = actor_update(app).await {
        outgoing.villages.clear();
        outgoing.posts.push(post);
        app.writer.say(outgoing).await?;
        app.federation.wake();
    }
    Ok(village)
}

async fn actor_update(
    app: &App,
) -> Result<farmops_federation::Post, farmops_federation::FederationError> {
    let key = format!("actor-{}", app.now().second());
    app.federation.update_actor(crate::site::ACTOR, &key).await
}

/// Scheme and authority of what the owner typed.
fn origin(text: &str) -> Result<Url, FieldError> {
    let refuse = || {
        FieldError::new(
            "url",
            "expected a village's URL like https://orchard.example",
        )
    };
    let url = Url::parse(text.trim()).map_err(|_| refuse())?;
    if matches!(url.scheme(), "http" | "https") && matches!(url.path(), "" | "/") {
        Ok(url)
    } else {
        Err(refuse())
    }
}
