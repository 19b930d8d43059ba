//! Everybody arrives: villages, trackers, agents, and the farms in their villages.

use anyhow::{Context, Result, ensure};

use super::PATIENCE;
use crate::cast::{Farmer, Village};
use crate::wait::until;
use crate::world::World;
use crate::{agent, alertmanager, tracker, village};

pub(super) async fn open_villages(world: &mut World) -> Result<String> {
    let cast = world.cast.clone();
    for village in cast.villages() {
        world.start(village::line(world.program(village::PROGRAM), village)?)?;
    }
    for village in cast.villages() {
        until(PATIENCE, async || world.village(village).ready().await).await?;
    }
    Ok(format!("{} and {}", cast.orchard.url, cast.harbour.url))
}

pub(super) async fn start_trackers(world: &mut World) -> Result<String> {
    let cast = world.cast.clone();
    for (farmer, _) in cast.farmers() {
        let line = tracker::line(world.program(tracker::PROGRAM), farmer)?;
        world.start(line)?;
    }
    for (farmer, _) in cast.farmers() {
        until(PATIENCE, async || world.tracker(farmer).ready().await).await?;
    }
    Ok(format!("{} and {}", cast.alice.tracker, cast.bob.tracker))
}

pub(super) async fn start_alertmanager(world: &mut World) -> Result<String> {
    let cast = world.cast.clone();
    let folder = world.folder.of("alertmanager")?;
    let token = world.folder.plan.alert_token.clone();
    let receiver = agent::alerts_url(&cast.alice)?;
    world.start(alertmanager::line(
        &folder,
        &cast.alertmanager,
        &receiver,
        &token,
    )?)?;
    let ready = cast.alertmanager.join("-/ready")?;
    until(PATIENCE, async || world.web.page(&ready).await).await?;
    Ok(cast.alertmanager.to_string())
}

pub(super) async fn start_agents(world: &mut World) -> Result<String> {
    let cast = world.cast.clone();
    for (farmer, _) in cast.farmers() {
        let line = agent::line(world, farmer)?;
        world.start(line)?;
    }
    let mut said = Vec::new();
    for (farmer, _) in cast.farmers() {
        let (id, fingerprint) = until(PATIENCE, async || enrolled(world, farmer).await).await?;
        said.push(format!(
            "{}'s agent {id} ({})",
            farmer.handle,
            &fingerprint[..9]
        ));
    }
    Ok(said.join(", "))
}

/// The agent's id and fingerprint, once its tracker knows the same.
async fn enrolled(world: &World, farmer: &Farmer) -> Result<(String, String)> {
    let status = world.agent(farmer).status().await?;
    let agents = world.tracker(farmer).agents().await?;
    let listed = agents
        .iter()
        .find(|agent| agent.agent_id == status.agent_id)
        .context("the tracker does not know the agent yet")?;
    ensure!(
        listed.fingerprint == status.fingerprint,
        "the agent says {}, the tracker {}",
        status.fingerprint,
        listed.fingerprint
    );
    Ok((status.agent_id.to_string(), status.fingerprint))
}

/// As the owner does it: look at the agent's fingerprint, hand it to the tracker.
pub(super) async fn approve_agents(world: &mut World) -> Result<String> {
    let cast = world.cast.clone();
    for (farmer, _) in cast.farmers() {
        let status = world.agent(farmer).status().await?;
        let id = status.agent_id.to_string();
        let deed = [
            "agents",
            "approve",
            &id,
            "--fingerprint",
            &status.fingerprint,
        ];
        world.owner(farmer, &deed).await?;
        until(PATIENCE, async || {
            let agents = world.tracker(farmer).agents().await?;
            let active = agents
                .iter()
                .any(|agent| agent.agent_id == status.agent_id && agent.status == "active");
            ensure!(active, "{}'s agent is not active", farmer.handle);
            Ok(())
        })
        .await?;
    }
    Ok("both agents approved by the fingerprints they show".to_owned())
}

pub(super) async fn join_villages(world: &mut World) -> Result<String> {
    let cast = world.cast.clone();
    let mut said = Vec::new();
    for (farmer, village) in cast.farmers() {
        let url = village.url.as_str().trim_end_matches('/');
        world.owner(farmer, &["join", url]).await?;
        let handle = cast.handle_of(farmer, village);
        until(PATIENCE, async || resident(world, village, &handle).await).await?;
        same_subject(world, farmer, village).await?;
        said.push(handle);
    }
    Ok(said.join(" and "))
}

async fn resident(world: &World, village: &Village, handle: &str) -> Result<()> {
    let path = format!("api/v1/farmers/{handle}");
    let farmer = world.web.json(&village.url.join(&path)?).await?;
    ensure!(farmer["membership"] == "active", "{handle} is not a member");
    Ok(())
}

/// The handle lives at the village; `WebFinger` there and at the tracker name the same subject and actor.
async fn same_subject(world: &World, farmer: &Farmer, village: &Village) -> Result<()> {
    let handle = world.cast.handle_of(farmer, village);
    let subject = format!("acct:{}", handle.trim_start_matches('@'));
    for place in [&village.url, &farmer.tracker] {
        let mut url = place.join(".well-known/webfinger")?;
        url.query_pairs_mut().append_pair("resource", &subject);
        let answer = until(PATIENCE, async || world.web.json(&url).await).await?;
        ensure!(answer["subject"] == subject.as_str(), "{url}: {answer}");
        let links = answer["links"].as_array().context("no links")?;
        let actor = links.iter().find(|link| link["rel"] == "self");
        let actor = actor
            .and_then(|link| link["href"].as_str())
            .unwrap_or_default();
        ensure!(
            actor.starts_with(farmer.tracker.as_str()),
            "{url}: the actor is {actor}"
        );
    }
    Ok(())
}
