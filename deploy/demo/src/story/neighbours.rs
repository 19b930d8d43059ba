//! What others come to see: boards, a neighbour's board, a farmer followed from afar.

use anyhow::{Context, Result, ensure};

use super::{PATIENCE, work};
use crate::alerts::Alert;
use crate::cast::{Farmer, Village};
use crate::tracker::Standing;
use crate::wait::until;
use crate::world::World;

pub(super) async fn boards_show(world: &mut World) -> Result<String> {
    let mut said = Vec::new();
    for (farmer, village) in world.cast.farmers() {
        let handle = world.cast.handle_of(farmer, village);
        let standing = until(PATIENCE, async || caught_up(world, farmer, village).await).await?;
        let board = world.village(village).board(false).await?;
        let rank = board
            .iter()
            .find(|rank| rank.handle == handle)
            .with_context(|| format!("{handle} is not on {}'s board", village.title))?;
        said.push(format!(
            "{}: {handle} is number {} with {} coins",
            village.title, rank.rank, standing.coins
        ));
    }
    Ok(said.join("; "))
}

/// How `farmer` stands at `village`, once that is what the tracker says itself and all its coins are in it.
///
/// # Errors
/// While the village is behind.
pub async fn caught_up(world: &World, farmer: &Farmer, village: &Village) -> Result<Standing> {
    let tracker = world.tracker(farmer);
    let (published, coins) = (tracker.snapshot().await?, tracker.coins().await?);
    ensure!(
        published.coins == coins,
        "{} has published {} of {coins} coins",
        farmer.handle,
        published.coins
    );
    let home = world.cast.home_of(farmer);
    let handle = world.cast.handle_of(farmer, home);
    let shown = world.village(village).standing(&handle).await?;
    ensure!(
        shown == published,
        "{} shows {shown:?} of {handle}, the tracker has published {published:?}",
        village.title
    );
    Ok(shown)
}

/// Orchard's admin asks, Harbour's admin agrees.
pub(super) async fn connect(world: &mut World) -> Result<String> {
    let cast = world.cast.clone();
    let url_of = |village: &Village| village.url.to_string();
    let (orchard, harbour) = (url_of(&cast.orchard), url_of(&cast.harbour));
    world.admin(&cast.orchard, &["connect", &harbour]).await?;
    until(PATIENCE, async || {
        let peers = world.village(&cast.harbour).peers().await?;
        let asked = peers.iter().any(|(url, _)| *url == orchard);
        ensure!(asked, "Harbour has not heard of Orchard");
        Ok(())
    })
    .await?;
    world
        .admin(&cast.harbour, &["peers", "accept", &orchard])
        .await?;
    for (village, other) in [(&cast.orchard, &harbour), (&cast.harbour, &orchard)] {
        until(PATIENCE, async || {
            let peers = world.village(village).peers().await?;
            let active = peers
                .iter()
                .any(|(url, status)| url == other && status == "active");
            ensure!(active, "{} sees {peers:?}", village.title);
            Ok(())
        })
        .await?;
    }
    Ok("Orchard asked, Harbour agreed, each follows the other".to_owned())
}

/// By the handle that people know; the actor is on Alice's tracker.
pub(super) async fn follow(world: &mut World) -> Result<String> {
    let cast = world.cast.clone();
    let handle = cast.handle_of(&cast.alice, &cast.orchard);
    world.admin(&cast.harbour, &["follow", &handle]).await?;
    let path = format!("api/v1/farmers/{handle}");
    let url = cast.harbour.url.join(&path)?;
    until(PATIENCE, async || {
        let farmer = world.web.json(&url).await?;
        ensure!(
            farmer["following"] == "active",
            "following: {}",
            farmer["following"]
        );
        Ok(())
    })
    .await?;
    let standing = until(PATIENCE, async || {
        caught_up(world, &cast.alice, &cast.harbour).await
    })
    .await?;
    Ok(format!(
        "Harbour shows {handle} with {} coins",
        standing.coins
    ))
}

pub(super) async fn new_work_travels(world: &mut World) -> Result<String> {
    let cast = world.cast.clone();
    let handle = cast.handle_of(&cast.alice, &cast.orchard);
    let before = world.village(&cast.harbour).standing(&handle).await?;
    let alert = Alert::firing_for(
        40,
        "CertificateExpires",
        "warning",
        "edge-1.internal.example:443",
    );
    work::resolve(world, &[alert]).await?;
    let after = until(PATIENCE, async || {
        let after = caught_up(world, &cast.alice, &cast.harbour).await?;
        let newer = after.sequence > before.sequence && after.coins > before.coins;
        ensure!(newer, "Harbour still shows {after:?}");
        Ok(after)
    })
    .await?;
    Ok(format!(
        "one more alert resolved; Harbour shows snapshot {} after {}, {} coins after {}",
        after.sequence, before.sequence, after.coins, before.coins
    ))
}

pub(super) async fn federated_board(world: &mut World) -> Result<String> {
    let cast = world.cast.clone();
    let board = until(PATIENCE, async || {
        let board = world.village(&cast.harbour).board(true).await?;
        for (farmer, village) in cast.farmers() {
            let handle = cast.handle_of(farmer, village);
            let rank = board.iter().find(|rank| rank.handle == handle);
            let rank = rank.with_context(|| format!("{handle} is not on the board"))?;
            let published = world.tracker(farmer).snapshot().await?;
            ensure!(
                rank.standing == published,
                "{rank:?}, published {published:?}"
            );
        }
        Ok(board)
    })
    .await?;
    let said = board
        .iter()
        .map(|rank| format!("{}. {} {}", rank.rank, rank.handle, rank.standing.coins));
    let coins: Vec<u64> = board.iter().map(|rank| rank.standing.coins).collect();
    ensure!(
        coins.is_sorted_by(|a, b| a >= b),
        "the board is not in order: {coins:?}"
    );
    Ok(said.collect::<Vec<_>>().join(", "))
}

/// What a browser gets, at home and from afar.
pub(super) async fn pages_show(world: &mut World) -> Result<String> {
    let cast = &world.cast;
    let handle = cast.handle_of(&cast.alice, &cast.orchard);
    for village in cast.villages() {
        // At home the short name is the page's address.
        let name = if village.name == cast.orchard.name {
            format!("@{}", cast.alice.handle)
        } else {
            handle.clone()
        };
        let page = world.village(village).farmer_page(&name).await?;
        ensure!(
            page.contains(cast.alice.title) || page.contains("Alice&#39;s farm"),
            "{} shows no farm of Alice",
            village.title
        );
        let picture = world.village(village).farm_picture(&handle).await?;
        ensure!(
            picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"),
            "{} draws no farm",
            village.title
        );
        let home = world.web.page(&village.url).await?;
        ensure!(
            home.contains(village.title),
            "{} does not say its name",
            village.title
        );
    }
    Ok(format!("{handle} is drawn at home and from afar"))
}
