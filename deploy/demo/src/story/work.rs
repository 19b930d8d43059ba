//! Real work: alerts resolved in a real Alertmanager, reviews told by GitHub's webhooks.

use anyhow::{Context, Result, ensure};
use farmops_protocol::time::Timestamp;
use uuid::Uuid;

use super::PATIENCE;
use crate::alertmanager::webhooks_taken;
use crate::alerts::Alert;
use crate::cast::Farmer;
use crate::wait::until;
use crate::world::World;
use crate::{books, github};

/// Alice has been fighting with two alerts; now they are over.
pub(super) async fn resolve_alerts(world: &mut World) -> Result<String> {
    let alerts = [
        Alert::firing_for(25, "DiskWillFill", "warning", "db-7.internal.example:9100"),
        Alert::firing_for(
            95,
            "TargetDown",
            "critical",
            "gateway-2.internal.example:9100",
        ),
    ];
    let before = proofs(world, &world.cast.alice).await?;
    resolve(world, &alerts).await?;
    let wanted = before + alerts.len() as u64;
    until(PATIENCE, async || {
        has(world, &world.cast.alice, wanted).await
    })
    .await?;
    let coins = world.tracker(&world.cast.alice).coins().await?;
    Ok(format!(
        "{} alerts fired and resolved, Alice has {wanted} proofs and {coins} coins",
        alerts.len()
    ))
}

/// Fires alerts, sees them firing, resolves them.
///
/// # Errors
/// When Alertmanager does not take them.
pub async fn resolve(world: &World, alerts: &[Alert]) -> Result<()> {
    let alertmanager = &world.cast.alertmanager;
    let before = webhooks_taken(&world.web, alertmanager).await?;
    for alert in alerts {
        alert.fire(&world.web, alertmanager).await?;
    }
    // Alertmanager tells nobody of an alert that was over before it told of the alert at all.
    until(PATIENCE, async || {
        let taken = webhooks_taken(&world.web, alertmanager).await?;
        let taken = taken.saturating_sub(before);
        ensure!(
            taken >= alerts.len() as u64,
            "Alice's agent was told {taken} times of {} alerts",
            alerts.len()
        );
        Ok(())
    })
    .await?;
    for alert in alerts {
        alert.resolve(&world.web, alertmanager).await?;
    }
    Ok(())
}

/// Bob's repository tells what happened; three of the events are finished work of his.
pub(super) async fn review(world: &mut World) -> Result<String> {
    let bob = &world.cast.bob;
    let secret = &world.folder.plan.webhook_secret;
    let url = crate::agent::github_url(bob)?;
    let recorded = github::recorded();
    for webhook in &recorded {
        let delivery = Uuid::new_v4();
        github::deliver(&world.web, &url, secret, delivery, webhook).await?;
    }
    let forged = github::deliver(&world.web, &url, "guessed", Uuid::new_v4(), &recorded[0]).await;
    ensure!(
        forged.is_err(),
        "a webhook with a wrong signature was taken"
    );
    until(PATIENCE, async || {
        has(world, bob, github::WORK_RECORDED).await
    })
    .await?;
    let coins = world.tracker(bob).coins().await?;
    Ok(format!(
        "{} webhooks replayed, {} of them work; Bob has {coins} coins",
        recorded.len(),
        github::WORK_RECORDED
    ))
}

/// Every proof is checked and scored again, from its bytes alone.
pub(super) async fn count_books(world: &mut World) -> Result<String> {
    let mut said = Vec::new();
    for (farmer, _) in world.cast.farmers() {
        let sum = audit(world, farmer).await?;
        said.push(format!(
            "{}: {} proofs, {} coins",
            farmer.handle, sum.proofs, sum.coins
        ));
        leaks_nothing(world, farmer).await?;
    }
    Ok(said.join("; "))
}

/// Counts a farmer's books again and compares them with what the tracker says.
///
/// # Errors
/// When they differ, or a piece of work was proven twice.
pub async fn audit(world: &World, farmer: &Farmer) -> Result<books::Sum> {
    let tracker = world.tracker(farmer);
    let keys = tracker.keys().await?;
    let mut entries = tracker.proofs().await?;
    let now = Timestamp::from_second(jiff::Timestamp::now().as_second());
    let sum = books::count(&mut entries, &keys, now.context("the year is past 9999")?)?;
    books::demand_distinct(&sum)?;
    let coins = tracker.coins().await?;
    ensure!(
        coins == sum.coins,
        "{}'s proofs come to {} coins, the tracker says {coins}",
        farmer.handle,
        sum.coins
    );
    Ok(sum)
}

/// No name of the observed world is in any proof.
async fn leaks_nothing(world: &World, farmer: &Farmer) -> Result<()> {
    const NAMES: [&str; 6] = [
        "internal",
        "gateway",
        "DiskWillFill",
        "monalisa",
        "Codertocat",
        "Hello-World",
    ];
    for entry in world.tracker(farmer).proofs().await? {
        for name in NAMES {
            ensure!(
                !entry.proof.get().contains(name),
                "a proof contains `{name}`"
            );
        }
    }
    Ok(())
}

/// How many proofs the tracker has.
///
/// # Errors
/// When it does not answer.
pub async fn proofs(world: &World, farmer: &Farmer) -> Result<u64> {
    Ok(world.tracker(farmer).proofs().await?.len() as u64)
}

/// Whether the tracker has as many proofs as `wanted`.
///
/// # Errors
/// While it has fewer.
pub async fn has(world: &World, farmer: &Farmer, wanted: u64) -> Result<()> {
    let proofs = proofs(world, farmer).await?;
    ensure!(
        proofs >= wanted,
        "{} has {proofs} of {wanted} proofs",
        farmer.handle
    );
    Ok(())
}
