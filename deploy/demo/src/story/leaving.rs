//! Harbour sends Bob away; his tracker says so, and says it no more once he is taken back.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::PATIENCE;
use crate::wait::until;
use crate::world::World;

pub(super) async fn sent_away(world: &mut World) -> Result<String> {
    let cast = world.cast.clone();
    let handle = cast.handle_of(&cast.bob, &cast.harbour);
    for (deed, status) in [("remove", "ended"), ("approve", "active")] {
        world
            .admin(&cast.harbour, &["farmers", deed, &handle])
            .await?;
        until(PATIENCE, async || {
            let said = membership(world).await?;
            ensure!(said == status, "after {deed} Bob's tracker says {said}");
            Ok(())
        })
        .await?;
    }
    Ok(format!("{handle}: ended, and active again"))
}

/// What Bob's tracker says of his membership at Harbour.
async fn membership(world: &World) -> Result<String> {
    let cast = &world.cast;
    let list = ["--json", "villages", "list"];
    let said: Value = serde_json::from_str(&world.owner(&cast.bob, &list).await?)?;
    let villages = said["villages"].as_array().context("no villages")?;
    let url = cast.harbour.url.as_str().trim_end_matches('/');
    let harbour = villages.iter().find(|village| village["url"] == url);
    let status = harbour.and_then(|village| village["status"].as_str());
    Ok(status.context("Harbour is not on the list")?.to_owned())
}
