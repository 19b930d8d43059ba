//! Joining a village: one signed request to it, one row here; and leaving it.

mod leave;

pub use leave::{LeaveError, Manner, leave};

use farmops_federation::{Account, account::authority};
use farmops_ledger::archive::Membership;
use farmops_protocol::{
    field::FieldError,
    registration::{Applicant, RegistrationAnswer, RegistrationRequest},
};
use farmops_service::outbound::{Bounds, OutboundError};
use http::{HeaderMap, HeaderValue, StatusCode, header::LOCATION};
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
/// Bytes of the URL at which a village keeps a membership.
const PLACE_BYTES_MAX: usize = 512;

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
        Ok(welcome) => remember(app, &farm, &url, welcome).await,
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

/// What a village said to a farm that it takes.
struct Welcome {
    status: Membership,
    /// Names; the status says what counts.
    answer: Option<RegistrationAnswer>,
    place: Option<String>,
}

async fn ask(app: &App, village: &Url, bytes: Vec<u8>) -> Result<Welcome, JoinError> {
    let mut url = village.clone();
    url.set_path(REGISTER);
    let json = HeaderValue::from_static("application/json");
    let answer = app
        .outbound
        .post(url, json, bytes, Bounds::default())
        .await?;
    let status = match answer.status {
        StatusCode::OK | StatusCode::CREATED => Membership::Active,
        StatusCode::ACCEPTED => Membership::Pending,
        status => {
            return Err(JoinError::Refused {
                status,
                reason: reason(&answer.body),
            });
        }
    };
    Ok(Welcome {
        status,
        answer: serde_json::from_slice(&answer.body).ok(),
        place: place(village, &answer.headers),
    })
}

/// Why a village said no, shortened.
pub(crate) fn reason(body: &[u8]) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let detail = problem.as_ref().and_then(|p| p.get("detail")?.as_str());
    let shown = detail.unwrap_or("no reason given").chars();
    shown
        .filter(|c| !c.is_control())
        .take(REASON_CHARS_MAX)
        .collect()
}

/// Where the village keeps the membership (`REG-ANSWER-001`): a place of its own, and nobody else's.
fn place(village: &Url, headers: &HeaderMap) -> Option<String> {
    let place = village.join(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    let own = place.origin() == village.origin() && place.as_str().len() <= PLACE_BYTES_MAX;
    own.then(|| place.into())
}

async fn remember(
    app: &App,
    farm: &FarmView,
    url: &Url,
    welcome: Welcome,
) -> Result<Village, JoinError> {
    let Welcome {
        status,
        answer,
        place,
    } = welcome;
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
        place,
    };
    let outgoing = Outgoing {
        villages: vec![village.clone()],
        ..Outgoing::default()
    };
    app.writer.say(outgoing).await?;
    if village.home && status == Membership::Active {
        tell_account(app).await?;
    }
    Ok(village)
}

/// Tells everyone by which account the farm is known, after that has changed.
async fn tell_account(app: &App) -> Result<(), WriteError> {
    let key = format!("actor-{}", app.now().second());
    // An actor that cannot be told now is read anew by whoever looks it up.
    if let Ok(post) = app.federation.update_actor(crate::site::ACTOR, &key).await {
        let outgoing = Outgoing {
            posts: vec![post],
            ..Outgoing::default()
        };
        app.writer.say(outgoing).await?;
        app.federation.wake();
    }
    Ok(())
}

/// Scheme and authority of what the owner typed.
pub(crate) fn origin(text: &str) -> Result<Url, FieldError> {
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
