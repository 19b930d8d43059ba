//! Alice looks at the league of her village, takes it, and is shown with what it brought.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::PATIENCE;
use crate::village::LEAGUE;
use crate::wait::until;
use crate::world::World;

/// As the owner does it: look at the rules, take them by their digest.
pub(super) async fn take(world: &mut World) -> Result<String> {
    let cast = world.cast.clone();
    let village = cast.orchard.url.as_str().trim_end_matches('/');
    let look = ["--json", "leagues", "offers", village];
    let supplied: Value = serde_json::from_str(&world.owner(&cast.alice, &look).await?)?;
    let league = &supplied["leagues"][0];
    ensure!(
        league["league"] == LEAGUE,
        "the village supplies {supplied}"
    );
    ensure!(
        league["differences"]
            .as_array()
            .is_some_and(|d| !d.is_empty()),
        "the league's rules are those of the farm: {supplied}"
    );
    let digest = league["rules_digest"].as_str().context("no digest")?;
    let take = ["leagues", "take", village, LEAGUE, "--digest", digest];
    world.owner(&cast.alice, &take).await?;
    Ok(format!("{} by the rules {}", league["name"], &digest[..9]))
}

/// The village shows what the league has brought, beside the farm's own coins.
pub(super) async fn counts(world: &mut World) -> Result<String> {
    let cast = world.cast.clone();
    let name = format!("@{}", cast.alice.handle);
    until(PATIENCE, async || {
        let page = world.village(&cast.orchard).farmer_page(&name).await?;
        let league = format!("{} harvest: ", cast.orchard.title);
        let line = page.split("<li>").find(|line| line.starts_with(&league));
        let line = line.with_context(|| format!("no league on the page of {name}"))?;
        let said = line.split("</li>").next().unwrap_or_default().to_owned();
        ensure!(!said.contains(": 0 "), "{said}");
        Ok(said)
    })
    .await
}
