//! Faults: `kill -9` of any program at any moment, and a tracker that is away for a while.
//!
//! Work goes on all the time. A webhook that was not acknowledged is delivered again, as its sender
//! would; one that was acknowledged must be exactly one proof in the end.

use std::time::Duration;

use anyhow::{Result, ensure};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use uuid::Uuid;

use crate::alerts::Alert;
use crate::story::{neighbours, work};
use crate::wait::until;
use crate::world::World;
use crate::{agent, github};

/// How long everything may take to settle after the last fault.
const SETTLING: Duration = Duration::from_secs(90);
/// One alert is resolved for this many webhooks.
const WEBHOOKS_PER_ALERT: u32 = 5;

/// Kills `times` programs, each at a moment drawn from `seed`, while webhooks and alerts keep coming.
///
/// # Errors
/// When something acknowledged is missing, something counts twice, or a neighbour is behind.
pub async fn kill(world: &mut World, times: u32, seed: u64) -> Result<String> {
    let cast = world.cast.clone();
    let mut rng = StdRng::seed_from_u64(seed);
    let before = Proofs::now(world).await?;
    let mut victims = Vec::new();
    let mut alerts = 0;
    for round in 0..times {
        if victims.is_empty() {
            victims = names(world);
            victims.shuffle(&mut rng);
        }
        let victim = victims.pop().unwrap_or_default();
        let moment = Duration::from_millis(rng.random_range(0..300));
        if round % WEBHOOKS_PER_ALERT == 0 {
            let instance = format!("node-{round}.internal.example:9100");
            let alert = Alert::firing_for(30, &format!("FaultDrill{round}"), "warning", &instance);
            work::resolve(world, &[alert]).await?;
            alerts += 1;
        }
        // The work starts, and the fault strikes somewhere on its way.
        let world = &mut *world;
        let number = u64::from(round);
        let delivering = review(world, &cast.bob, seed, number);
        let strike = tokio::time::Instant::now() + moment;
        let delivered = matches!(
            tokio::time::timeout_at(strike, delivering).await,
            Ok(Ok(()))
        );
        tokio::time::sleep_until(strike).await;
        world.kill(&victim).await?;
        world.restart(&victim)?;
        if !delivered {
            until(SETTLING, async || {
                review(world, &cast.bob, seed, number).await
            })
            .await?;
        }
    }
    let bob = before.bob + u64::from(times);
    let alice = before.alice + alerts;
    settled(world, alice, bob).await?;
    Ok(format!(
        "{times} kills (seed {seed}): {times} webhooks and {alerts} alerts are one proof each, \
         the coins agree, every neighbour is up to date"
    ))
}

/// Bob's tracker is away while he works; then it catches up, in order.
///
/// # Errors
/// When a proof is missing, doubled or out of order.
pub async fn away(world: &mut World) -> Result<String> {
    const REVIEWS: u64 = 5;
    let cast = world.cast.clone();
    let before = Proofs::now(world).await?;
    let tracker = cast.bob.tracker_name();
    world.kill(&tracker).await?;
    let seed = rand::random();
    for number in 0..REVIEWS {
        review(world, &cast.bob, seed, number).await?;
    }
    until(SETTLING, async || {
        let pending = world.agent(&cast.bob).pending().await?;
        ensure!(pending >= REVIEWS, "bob's agent holds {pending} proofs");
        Ok(())
    })
    .await?;
    world.restart(&tracker)?;
    settled(world, before.alice, before.bob + REVIEWS).await?;
    Ok(format!(
        "{REVIEWS} proofs waited at the agent and were taken in order"
    ))
}

/// One review of a commit that no other round has; the same call again is the same piece of work.
async fn review(world: &World, bob: &crate::cast::Farmer, seed: u64, number: u64) -> Result<()> {
    let id = Uuid::from_u64_pair(seed, number);
    let webhook = github::review_of(&format!("{:040x}", id.as_u128()), number + 1)?;
    let url = agent::github_url(bob)?;
    let secret = &world.folder.plan.webhook_secret;
    github::deliver(&world.web, &url, secret, id, &webhook).await
}

/// How many proofs the two trackers have.
struct Proofs {
    alice: u64,
    bob: u64,
}

impl Proofs {
    async fn now(world: &World) -> Result<Self> {
        Ok(Self {
            alice: work::proofs(world, &world.cast.alice).await?,
            bob: work::proofs(world, &world.cast.bob).await?,
        })
    }
}

/// Waits until both trackers have what they must have, then counts everything again.
async fn settled(world: &World, alice: u64, bob: u64) -> Result<()> {
    let cast = &world.cast;
    for (farmer, wanted) in [(&cast.alice, alice), (&cast.bob, bob)] {
        until(SETTLING, async || work::has(world, farmer, wanted).await).await?;
        until(SETTLING, async || {
            let pending = world.agent(farmer).pending().await?;
            ensure!(
                pending == 0,
                "{}'s agent still holds {pending}",
                farmer.handle
            );
            Ok(())
        })
        .await?;
        let sum = work::audit(world, farmer).await?;
        ensure!(
            sum.proofs == wanted,
            "{} has {} proofs for {wanted} pieces of work",
            farmer.handle,
            sum.proofs
        );
    }
    let views = [
        (&cast.alice, &cast.orchard),
        (&cast.alice, &cast.harbour),
        (&cast.bob, &cast.harbour),
        (&cast.bob, &cast.orchard),
    ];
    for (farmer, village) in views {
        until(SETTLING, async || {
            neighbours::caught_up(world, farmer, village).await
        })
        .await?;
    }
    Ok(())
}

/// The programs that may be killed: all of ours.
fn names(world: &World) -> Vec<String> {
    let cast = &world.cast;
    let farmers = cast
        .farmers()
        .into_iter()
        .flat_map(|(farmer, _)| [farmer.tracker_name(), farmer.agent_name()]);
    let villages = cast.villages().map(|village| village.name.to_owned());
    farmers.chain(villages).collect()
}
