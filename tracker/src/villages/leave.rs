//! Leaving a village: it is told, in the farmer's name, where it keeps the membership (`REG-LEAVE-001`).
//!
//! The village is told first. Whatever ends the tracker in between, the row is there still, and leaving again
//! is heard as the first time.

use farmops_federation::FederationError;
use farmops_ledger::archive::Membership;
use farmops_protocol::{departure::DepartureRequest, field::FieldError};
use farmops_service::outbound::{Bounds, OutboundError};
use http::{Method, StatusCode, header::CONTENT_TYPE};
use url::Url;

use super::{origin, reason, tell_account};
use crate::{
    app::App,
    site::ACTOR,
    store::{StoreError, Village},
    writer::{Outgoing, WriteError},
};

/// How a farm goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// The village is told, and nothing changes here unless it has heard.
    Told,
    /// The village is not told: it may be gone. It is shown out as a follower and forgotten here.
    Forgotten,
}

/// The farm has not left, and why.
#[derive(Debug, thiserror::Error)]
pub enum LeaveError {
    /// The URL cannot be used.
    #[error("{0}")]
    Field(#[from] FieldError),
    /// The farm is not in that village.
    #[error("the farm is in no such village")]
    NotThere,
    /// The village never said where it keeps the membership.
    #[error(
        "the village never said where it keeps the membership; join it once more, which changes nothing there, \
         or forget it"
    )]
    NoPlace,
    /// The village does not answer.
    #[error("the village does not answer: {0}; if it is gone for good, forget it")]
    Unreachable(#[from] OutboundError),
    /// The village said no.
    #[error("the village refused ({status}): {reason}")]
    Refused {
        /// Its status.
        status: StatusCode,
        /// Its reason, shortened.
        reason: String,
    },
    /// It could not be shown out.
    #[error(transparent)]
    Federation(#[from] FederationError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The writer could not write.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Leaves the village at `url`. If the handle lived there, it moves to the village that was joined next,
/// or back to the tracker.
pub async fn leave(app: &App, url: &str, manner: Manner) -> Result<(), LeaveError> {
    let origin = origin(url)?.origin().ascii_serialization();
    let mut villages = app.reads.villages().await?;
    let at = villages.iter().position(|village| village.url == origin);
    let left = villages.remove(at.ok_or(LeaveError::NotThere)?);
    match manner {
        Manner::Told => depart(app, &left).await?,
        Manner::Forgotten => show_out(app, &left).await?,
    }
    let heir = villages.into_iter().find(|_| left.home);
    let outgoing = Outgoing {
        villages: heir
            .into_iter()
            .map(|heir| Village { home: true, ..heir })
            .collect(),
        villages_left: vec![left.url],
        ..Outgoing::default()
    };
    app.writer.say(outgoing).await?;
    if left.home && left.status == Membership::Active {
        tell_account(app).await?;
    }
    Ok(())
}

/// Tells the village. One that does not know the farm any more has nothing left to hear.
async fn depart(app: &App, village: &Village) -> Result<(), LeaveError> {
    let place = village.place.as_deref().ok_or(LeaveError::NoPlace)?;
    let place = Url::parse(place).map_err(|_| LeaveError::NoPlace)?;
    let actor = app.site.actor();
    let bytes = DepartureRequest::sign(actor.as_str(), &village.url, &app.farm_key, app.now())?;
    let request = app
        .outbound
        .request(Method::DELETE, place)
        .header(CONTENT_TYPE, "application/json")
        .body(bytes)
        .build()
        .map_err(OutboundError::Request)?;
    let answer = app.outbound.execute(request, Bounds::default()).await?;
    match answer.status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Ok(()),
        status if status.is_success() => Ok(()),
        status => Err(LeaveError::Refused {
            status,
            reason: reason(&answer.body),
        }),
    }
}

/// Sends the village nothing more.
async fn show_out(app: &App, village: &Village) -> Result<(), LeaveError> {
    let Ok(actor) = village.actor.parse::<Url>() else {
        return Ok(());
    };
    match app.federation.reject_follower(ACTOR, &actor).await {
        Ok(_) | Err(FederationError::NoSuchRelation) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
