//! `GET /ap/{name}/outbox`, `followers` and `following`.

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{Problem, objects::activity_json};
use crate::{
    actor::FollowersVisibility,
    federation::{Federation, FederationError},
    protocol::{
        collection::{collection, page},
        tolerant::URL_BYTES_MAX,
    },
    relation::{Direction, RelationState},
    store::RelationFilter,
};

const PAGE_ITEMS: u32 = 20;

#[derive(Deserialize)]
pub(super) struct Turn {
    #[serde(default)]
    page: bool,
    before: Option<u64>,
    after: Option<String>,
}

/// What the actor posted, newest first.
pub(super) async fn outbox(
    State(federation): State<Federation>,
    Path(name): Path<String>,
    Query(turn): Query<Turn>,
) -> Result<Response, Problem> {
    let actor = present(&federation, &name).await?.0;
    let id = below(&actor, "outbox", &[]);
    if !turn.page {
        let total = federation.store().count_outbox(&actor).await?;
        let first = below(&actor, "outbox", &[("page", "true")]);
        return Ok(activity_json(&collection(&id, total, Some(&first))));
    }
    let posts = federation
        .store()
        .outbox(&actor, turn.before, PAGE_ITEMS)
        .await?;
    let full = posts.len() == PAGE_ITEMS as usize;
    let next = posts.last().filter(|_| full).map(|(position, _)| {
        below(
            &actor,
            "outbox",
            &[("page", "true"), ("before", &position.to_string())],
        )
    });
    let items: Vec<Value> = posts
        .iter()
        .filter_map(|(_, post)| serde_json::from_str(&post.body).ok())
        .collect();
    Ok(activity_json(&page(
        &here(&id, turn.before.map(|p| p.to_string()), "before"),
        &id,
        next.as_ref(),
        &items,
    )))
}

/// Who follows the actor.
pub(super) async fn followers(
    federation: State<Federation>,
    name: Path<String>,
    turn: Query<Turn>,
) -> Result<Response, Problem> {
    relations(federation, name, turn, Direction::Follower, "followers").await
}

/// Whom the actor follows.
pub(super) async fn following(
    federation: State<Federation>,
    name: Path<String>,
    turn: Query<Turn>,
) -> Result<Response, Problem> {
    relations(federation, name, turn, Direction::Following, "following").await
}

async fn relations(
    State(federation): State<Federation>,
    Path(name): Path<String>,
    Query(turn): Query<Turn>,
    direction: Direction,
    part: &str,
) -> Result<Response, Problem> {
    let (actor, visibility) = present(&federation, &name).await?;
    let id = below(&actor, part, &[]);
    let filter = RelationFilter {
        local: actor.clone(),
        direction,
        state: Some(RelationState::Accepted),
    };
    let public = visibility == FollowersVisibility::Public;
    if !turn.page {
        let total = federation.store().count_relations(&filter).await?;
        let first = below(&actor, part, &[("page", "true")]);
        return Ok(activity_json(&collection(
            &id,
            total,
            public.then_some(&first),
        )));
    }
    if !public {
        return Err(Problem::not_found());
    }
    let after = turn.after.filter(|after| after.len() <= URL_BYTES_MAX);
    let after_url = after.as_deref().and_then(|after| Url::parse(after).ok());
    let found = federation
        .store()
        .relations(&filter, after_url.as_ref(), PAGE_ITEMS)
        .await?;
    let full = found.len() == PAGE_ITEMS as usize;
    let next = found.last().filter(|_| full).map(|last| {
        below(
            &actor,
            part,
            &[("page", "true"), ("after", last.remote.as_str())],
        )
    });
    let items: Vec<Value> = found
        .iter()
        .map(|r| Value::from(r.remote.as_str()))
        .collect();
    Ok(activity_json(&page(
        &here(&id, after, "after"),
        &id,
        next.as_ref(),
        &items,
    )))
}

async fn present(
    federation: &Federation,
    name: &str,
) -> Result<(Url, FollowersVisibility), Problem> {
    match federation.local(name).await {
        Ok(actor) => Ok((federation.actor_id(name), actor.followers_visibility)),
        Err(FederationError::NoSuchActor(_)) => Err(Problem::not_found()),
        Err(error) => Err(error.into()),
    }
}

fn below(actor: &Url, part: &str, query: &[(&str, &str)]) -> Url {
    let mut url = actor.clone();
    url.set_path(&format!("{}/{part}", actor.path()));
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

/// The id of the page at hand.
fn here(collection: &Url, at: Option<String>, name: &str) -> Url {
    let mut url = collection.clone();
    url.query_pairs_mut().append_pair("page", "true");
    if let Some(at) = at {
        url.query_pairs_mut().append_pair(name, &at);
    }
    url
}
