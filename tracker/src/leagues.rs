//! The leagues that a village supplies: looked at, taken on the owner's word, and watched for other
//! rules, which never count by themselves (`protocol-spec/docs/league.md`).
//!
//! What a village says is asked in `leagues/ask.rs`; how its rules differ from others is worked out
//! in `leagues/difference.rs`; whether they have changed is remembered in `leagues/watch.rs`.

mod ask;
mod difference;
mod watch;

use std::{collections::BTreeMap, time::Duration};

use farmops_ledger::archive::Membership;
use farmops_protocol::{digest::Digest, field::FieldError, league::League as Supplied};
use farmops_service::outbound::OutboundError;
use http::StatusCode;
use url::Url;

pub use self::{
    difference::{Difference, differences},
    watch::{Offered, watch},
};
use crate::{
    app::App,
    domain::{League, LeagueOffer, decide_take_league},
    store::StoreError,
    villages::origin,
    writer::WriteError,
};

/// The longest that an owner waits for a village's leagues, however many it has.
const LOOK_MAX: Duration = Duration::from_secs(20);

/// A village's league cannot be looked at or taken, and why.
#[derive(Debug, thiserror::Error)]
pub enum LeagueError {
    /// The URL cannot be used.
    #[error("{0}")]
    Field(#[from] FieldError),
    /// The farm is not a member there.
    #[error("the farm is no member of that village")]
    NotAMember,
    /// The village does not answer, or with too much.
    #[error("the village gave no answer of use: {0}")]
    Unreachable(#[from] OutboundError),
    /// It answers too slowly.
    #[error("the village needs more than {} seconds to show its leagues", LOOK_MAX.as_secs())]
    Slow,
    /// The village said no.
    #[error("the village refused ({status}): {reason}")]
    Refused {
        /// Its status.
        status: StatusCode,
        /// Its reason, shortened.
        reason: String,
    },
    /// It has no such league.
    #[error("the village has no league `{0}`")]
    NoSuchLeague(String),
    /// What it supplies breaks a rule; nothing of it is taken.
    #[error("what the village supplies {place} breaks a rule: {error}")]
    Broken {
        /// Where it is wrong.
        place: String,
        /// The member, and the rule.
        error: FieldError,
    },
    /// Its rules are not those that the owner looked at.
    #[error("the village has other rules by now, {0}; look at them before you take them")]
    Changed(Digest),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The writer could not write, or refused.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// How the farm stands to a league that a village supplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is not in it.
    New,
    /// It is in it, by these rules.
    Taken,
    /// It is in it, by rules that the village has changed since.
    Changed,
    /// It is in another league of the same slug, which has to be left first.
    Other,
}

/// A league that a village supplies, as the owner looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The league.
    pub league: Supplied,
    /// The name of its rules.
    pub digest: Digest,
    /// How the farm stands to it.
    pub standing: Standing,
    /// How its rules differ: from those that it has for the farm now, or else from the farm's own.
    pub differences: Vec<Difference>,
}

/// The leagues of the village at `url`.
///
/// # Errors
/// [`LeagueError`]; if one league is wrong, none is shown.
pub async fn offers(app: &App, url: &str) -> Result<(Url, Vec<Offer>), LeagueError> {
    let village = member_of(app, url).await?;
    let supplied = async {
        let mut leagues = Vec::new();
        for listed in ask::list(app, &village).await?.items {
            leagues.push(ask::league(app, &village, &listed.league).await?);
        }
        Ok::<_, LeagueError>(leagues)
    };
    let supplied = tokio::time::timeout(LOOK_MAX, supplied);
    let supplied = supplied.await.map_err(|_| LeagueError::Slow)??;
    let own = app.reads.rules(None).await?;
    let own = own.ok_or(WriteError::Unavailable)?;
    let joined = app.reads.leagues().await?;
    app.offered.saw(&village, &supplied);
    let offers = supplied.into_iter().map(|league| {
        let digest = league.rules.digest();
        let joined = joined.get(&league.league);
        let standing = standing(joined, &village, digest);
        let here = match (standing, joined) {
            (Standing::Changed, Some(joined)) => &joined.rules.set,
            _ => &own,
        };
        let differences = differences(here, &league.rules);
        Offer {
            league,
            digest,
            standing,
            differences,
        }
    });
    let offers = offers.collect();
    Ok((village, offers))
}

fn standing(joined: Option<&League>, village: &Url, digest: Digest) -> Standing {
    match joined {
        Some(league) if !league.is_free_for(village) => Standing::Other,
        Some(league) if league.left_at.is_none() && league.rules.digest == digest => {
            Standing::Taken
        }
        Some(league) if league.left_at.is_none() => Standing::Changed,
        _ => Standing::New,
    }
}

/// Takes the league `slug` of the village at `url`, if its rules are still those of `digest`. The
/// leagues afterwards.
///
/// # Errors
/// [`LeagueError`].
pub async fn take(
    app: &App,
    url: &str,
    slug: &str,
    digest: Digest,
) -> Result<BTreeMap<String, League>, LeagueError> {
    let village = member_of(app, url).await?;
    let league = ask::league(app, &village, slug).await?;
    let found = league.rules.digest();
    if found != digest {
        return Err(LeagueError::Changed(found));
    }
    let offer = LeagueOffer {
        league: league.league,
        name: league.name,
        rules: league.rules,
        village: Some(village),
    };
    let decide = move |state: &_, _| {
        Ok(decide_take_league(state, offer.clone())?
            .into_iter()
            .collect())
    };
    let taken = app.writer.decide(decide, |state| state.leagues.clone());
    Ok(taken.await?)
}

/// The village at `url`, if the farm is a member of it.
async fn member_of(app: &App, url: &str) -> Result<Url, LeagueError> {
    let origin = origin(url)?.origin().ascii_serialization();
    let villages = app.reads.villages().await?;
    let member = villages
        .iter()
        .find(|village| village.url == origin && village.status == Membership::Active);
    member
        .and_then(|village| Url::parse(&village.url).ok())
        .ok_or(LeagueError::NotAMember)
}
