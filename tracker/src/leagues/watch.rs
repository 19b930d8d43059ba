//! Whether a village has changed the rules of a league that the farm is in. What is seen is kept in
//! memory and told; it changes no score (`LGE-TAKE-003`).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use farmops_protocol::{
    digest::Digest,
    league::{League as Supplied, ListedLeague},
};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{LeagueError, ask, member_of};
use crate::{app::App, domain::League};

/// Between two looks at the villages.
const LOOK_AGAIN: Duration = Duration::from_hours(6);

/// The rules that villages were last seen to have, by the village and the league's slug.
#[derive(Debug, Default)]
pub struct Offered(Mutex<BTreeMap<(String, String), Digest>>);

impl Offered {
    /// Remembers what `village` supplies.
    pub(super) fn saw(&self, village: &Url, leagues: &[Supplied]) {
        self.remember(village, leagues.iter().map(Supplied::listed));
    }

    fn remember(&self, village: &Url, leagues: impl IntoIterator<Item = ListedLeague>) {
        let origin = village.origin().ascii_serialization();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|(village, _), _| *village != origin);
        for league in leagues {
            seen.insert((origin.clone(), league.league), league.rules_digest);
        }
    }

    /// The rules that the village of a league has by now, if they are not those that the owner took.
    pub fn changed(&self, slug: &str, league: &League) -> Option<Digest> {
        let village = league.village.as_ref().filter(|v| league.is_of(v))?;
        let key = (village.origin().ascii_serialization(), slug.to_owned());
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = *seen.get(&key)?;
        (digest != league.rules.digest).then_some(digest)
    }
}

/// Looks at the start and every few hours, until `stop`.
pub async fn watch(app: App, stop: CancellationToken) {
    let mut turns = interval(LOOK_AGAIN);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let looking = async {
        loop {
            turns.tick().await;
            look(&app).await;
        }
    };
    stop.run_until_cancelled(looking).await;
}

/// Asks the villages of the leagues that the farm is in. One that does not answer is asked the next
/// time.
async fn look(app: &App) {
    let leagues = match app.reads.leagues().await {
        Ok(leagues) => leagues,
        Err(error) => return tracing::warn!(%error, "the leagues could not be read"),
    };
    let villages: BTreeSet<&Url> = leagues
        .values()
        .filter_map(|league| league.village.as_ref().filter(|v| league.is_of(v)))
        .collect();
    for village in villages {
        if let Err(error) = look_at(app, village).await {
            tracing::info!(%village, %error, "the village's leagues could not be looked at");
        }
    }
}

async fn look_at(app: &App, village: &Url) -> Result<(), LeagueError> {
    let origin = village.origin().ascii_serialization();
    let village = member_of(app, &origin).await?;
    let list = ask::list(app, &village).await?;
    app.offered.remember(&village, list.items);
    Ok(())
}
