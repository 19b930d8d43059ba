//! `/following`: the farms of followed farmers.

use askama::Template;
use axum::{extract::State, response::Response};
use farmops_service::problem::Query;
use serde::Deserialize;

use super::{
    PageError, render,
    text::{counted, day, streak},
    view::{FarmPicture, Shell},
};
use crate::{
    farmer::Farmer,
    http::{After, failed},
    policy::visibility,
    village::Village,
};

/// Farms on one page; each is a whole picture.
const FARMS: u32 = 24;
const LIST: &str = "followed farms";

#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "following.html")]
struct FollowingPage {
    shell: Shell,
    farms: Vec<FollowedFarm>,
    waiting: Vec<String>,
    next: Option<String>,
}

struct FollowedFarm {
    href: String,
    name: String,
    handle: String,
    farm: FarmPicture,
    facts: Vec<String>,
}

pub(super) async fn show(
    State(village): State<Village>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, PageError> {
    let after = After::read(LIST, parameters.cursor.as_deref())
        .map_err(|problem| village.page_error(problem))?;
    let inside = |error| village.page_error(failed(error));
    let mut followed = village
        .store()
        .followed(after.as_deref(), FARMS + 1)
        .await
        .map_err(inside)?;
    let more = followed.len() > FARMS as usize;
    followed.truncate(FARMS as usize);
    let next = followed.last().filter(|_| more).map(|last| {
        format!(
            "/following?cursor={}",
            After::write(LIST, &last.account.to_string())
        )
    });
    let mut page = FollowingPage {
        shell: Shell::live(&village, "following"),
        farms: Vec::new(),
        waiting: Vec::new(),
        next,
    };
    for farmer in &followed {
        let standing = village
            .store()
            .standing(farmer.id)
            .await
            .map_err(inside)?
            .unwrap_or_default();
        if visibility(standing).federated {
            page.farms.push(farm(&village, farmer).await?);
        } else if !standing.blocked {
            page.waiting.push(farmer.account.to_handle());
        }
    }
    Ok(render(&page))
}

async fn farm(village: &Village, farmer: &Farmer) -> Result<FollowedFarm, PageError> {
    let newest = village
        .store()
        .newest_snapshot(farmer.id)
        .await
        .map_err(|error| village.page_error(failed(error)))?;
    let home = village.host_name();
    let (sequence, facts) = match &newest {
        None => (0, vec!["waiting for the first snapshot".to_owned()]),
        Some(stored) => {
            let snapshot = stored.document.snapshot();
            let facts = vec![
                counted(snapshot.total_coins.value(), "coin", "coins"),
                format!("level {}", snapshot.level),
                streak(snapshot.streak_days.value()),
                day(stored.document.post().published),
            ];
            (snapshot.sequence.value(), facts)
        }
    };
    Ok(FollowedFarm {
        href: farmer.path(home),
        name: farmer.display_name.clone(),
        handle: farmer.account.to_handle(),
        farm: FarmPicture::small(&farmer.account, home, &farmer.display_name, sequence),
        facts,
    })
}
