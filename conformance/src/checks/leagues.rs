//! The rules that a village supplies for its leagues.

use farmops_protocol::{
    field::FieldError,
    league::{League, LeagueList, ListedLeague},
};

use crate::{
    check::{Check, Look, Miss, Verdict, ensure, ensure_status, fail, skip},
    http::Answer,
    session::Session,
    target::Kind,
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "leagues",
        clauses: &["LGE-FORM-001", "LGE-LIST-001", "LGE-SERVE-001"],
        title: "each league that is listed is served, by the rules whose digest the list has",
        kinds: &[Kind::Village],
        look: Look::By(|s| Box::pin(leagues(s))),
    },
    Check {
        name: "league-unknown",
        clauses: &["LGE-SERVE-001"],
        title: "a league that the village does not have is 404",
        kinds: &[Kind::Village],
        look: Look::By(|s| Box::pin(unknown(s))),
    },
];

/// The village's list, or a skip where it has none.
async fn list(session: &Session) -> Result<LeagueList, Miss> {
    let answer = ask(session, "/api/v1/leagues").await?;
    if answer.status == 404 {
        return skip("the village has no leagues");
    }
    ensure_json("the list of leagues", &answer)?;
    LeagueList::parse(&answer.body).or_else(|error| broken("the list of leagues", &error))
}

async fn ask(session: &Session, path: &str) -> Result<Answer, Miss> {
    let url = session.url(path);
    Ok(session.client.get(&url, "application/json").await?)
}

fn ensure_json(what: &str, answer: &Answer) -> Verdict {
    ensure_status(what, answer, &[200])?;
    ensure(answer.media_type == "application/json", || {
        format!("{what}: media type {:?}", answer.media_type)
    })
}

fn broken<T>(what: &str, error: &FieldError) -> Result<T, Miss> {
    fail(format!("{what}: {error}"))
}

async fn leagues(session: &Session) -> Verdict {
    let list = list(session).await?;
    if list.items.is_empty() {
        return skip("the village has no leagues");
    }
    for listed in &list.items {
        served(session, listed).await?;
    }
    Ok(())
}

async fn served(session: &Session, listed: &ListedLeague) -> Verdict {
    let what = format!("the league {}", listed.league);
    let answer = ask(session, &format!("/api/v1/leagues/{}", listed.league)).await?;
    ensure_json(&what, &answer)?;
    let league = League::parse(&answer.body).or_else(|error| broken(&what, &error))?;
    let found = league.listed();
    ensure(found == *listed, || {
        format!(
            "{what}: the list says {} “{}” {}, and served is {} “{}” {}",
            listed.league,
            listed.name,
            listed.rules_digest,
            found.league,
            found.name,
            found.rules_digest
        )
    })
}

async fn unknown(session: &Session) -> Verdict {
    list(session).await?;
    let nobodys = format!("/api/v1/leagues/nobodys-{}", uuid::Uuid::new_v4().simple());
    let answer = ask(session, &nobodys).await?;
    ensure_status("a league that nobody has", &answer, &[404])
}
