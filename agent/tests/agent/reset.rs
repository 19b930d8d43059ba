//! A lost or restored volume: when the chain simply goes on, and when only the owner can let it.

use std::collections::BTreeSet;
use std::path::Path;

use farmops_protocol::enrolment::AgentStatus;

use crate::journey::send;
use crate::tracker::Chains;
use crate::world::{World, until};

const STATUS: &str = "/api/v1/status";

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn restore(world: &World, backup: &Path) {
    std::fs::remove_dir_all(world.data()).unwrap();
    copy(backup, &world.data());
}

#[tokio::test]
async fn proofs_of_a_restored_volume_go_on_along_a_branch_that_the_owner_approves() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let agent = world.start().await;
    send(&agent, 1).await;
    chains.wait_for(1).await;
    until(agent.api, STATUS, |view| view["outbox"]["waiting"] == 0).await;
    drop(server);
    // The copy holds proof 2 as unsent, which the tracker gets later.
    send(&agent, 2).await;
    until(agent.api, STATUS, |view| view["outbox"]["waiting"] == 1).await;
    agent.stop().await;
    let backup = world.folder.path().join("backup");
    copy(&world.data(), &backup);
    let (_, server) = chains.serve(&address.to_string());
    let agent = world.start().await;
    send(&agent, 3).await;
    chains.wait_for(3).await;
    agent.stop().await;
    drop(server);

    restore(&world, &backup);
    let agent = world.start().await;
    send(&agent, 4).await;
    send(&agent, 5).await;
    until(agent.api, STATUS, |view| view["outbox"]["waiting"] == 3).await;
    let (_, _server) = chains.serve(&address.to_string());
    let view = until(agent.api, STATUS, |view| {
        view["tracker"]["standing"] == "chain-reset-needed"
            && chains.ledger.lock().unwrap().asked.is_some()
    })
    .await;
    let command = format!(
        "farmops-tracker agents reset-chain {}",
        view["agent_id"].as_str().unwrap()
    );
    assert_eq!(view["tracker"]["owner_command"], command);
    let told = view["tracker"]["last_error"].as_str().unwrap();
    assert!(told.contains(&command), "{told}");
    // Known again, not sent again.
    assert_eq!(view["outbox"]["waiting"], 2);
    assert_eq!(chains.count(), 3);

    // It goes on collecting, and waits.
    send(&agent, 6).await;
    until(agent.api, STATUS, |view| view["outbox"]["waiting"] == 3).await;
    assert_eq!(chains.count(), 3);
    chains.approve_reset();
    chains.wait_for(6).await;
    let view = until(agent.api, STATUS, |view| {
        view["outbox"]["waiting"] == 0 && view["tracker"]["standing"] == "active"
    })
    .await;
    assert!(view["tracker"]["owner_command"].is_null());
    send(&agent, 7).await;
    chains.wait_for(7).await;
    let ledger = chains.ledger.lock().unwrap();
    let ids: BTreeSet<_> = ledger.bodies.iter().map(|body| body.proof_id).collect();
    let second = ledger.bodies[1].proof_id;
    let after_second = |body: &&_| {
        let body: &farmops_protocol::proof::ProofBody = body;
        body.prev_proof_id == Some(second)
    };
    assert_eq!(ledger.bodies.iter().filter(after_second).count(), 2);
    assert_eq!(ids.len(), 7, "nothing is doubled");
    assert_eq!(ledger.branch, 1);
}

#[tokio::test]
async fn a_restored_volume_with_nothing_unsent_goes_on_by_itself() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let agent = world.start().await;
    send(&agent, 1).await;
    chains.wait_for(1).await;
    until(agent.api, STATUS, |view| view["outbox"]["waiting"] == 0).await;
    agent.stop().await;
    let backup = world.folder.path().join("backup");
    copy(&world.data(), &backup);
    let agent = world.start().await;
    for number in 2..5 {
        send(&agent, number).await;
    }
    chains.wait_for(4).await;
    agent.stop().await;
    restore(&world, &backup);
    let agent = world.start().await;
    until(agent.api, STATUS, |view| {
        view["chain"]["head"]["length"] == 4
    })
    .await;
    send(&agent, 5).await;
    chains.wait_for(5).await;
    assert!(chains.ledger.lock().unwrap().asked.is_none());
}

#[tokio::test]
async fn an_empty_volume_with_the_key_kept_goes_on_from_the_trackers_head() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let agent = world.start().await;
    for number in 1..4 {
        send(&agent, number).await;
    }
    chains.wait_for(3).await;
    agent.stop().await;
    drop(server);
    for name in ["agent.db", "agent.db-wal", "agent.db-shm"] {
        let _ = std::fs::remove_file(world.data().join(name));
    }
    // Before the tracker is heard of nothing is signed, or it would be a second first proof.
    let agent = world.start().await;
    send(&agent, 4).await;
    let view = until(agent.api, STATUS, |view| {
        view["tracker"]["standing"] == "unreachable"
    })
    .await;
    assert!(view["chain"]["head"].is_null());
    assert_eq!(view["queue"]["waiting"], 1);
    let (_, _server) = chains.serve(&address.to_string());
    chains.wait_for(4).await;
    let ledger = chains.ledger.lock().unwrap();
    assert_eq!(
        ledger.bodies[3].prev_proof_id,
        Some(ledger.bodies[2].proof_id)
    );
    assert_eq!((ledger.branch, ledger.hellos > 1), (0, true));
}

/// Sends so many reviews, the tracker restored from an older backup in the midst of them, and lets the owner
/// approve what the agent asks for. Some of what the tracker forgot is gone here as well.
async fn outlive_an_older_backup(kept_by_tracker: usize, unsent: usize) {
    let chains = Chains::new(AgentStatus::Active);
    let (address, server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let mut config = world.config();
    config.limits.proofs_kept_max = 2;
    let mut agent = world.start_with(config.clone()).await;
    for number in 0..6 {
        send(&agent, number).await;
    }
    chains.wait_for(6).await;
    until(agent.api, STATUS, |view| view["outbox"]["waiting"] == 0).await;
    let before: Vec<_> = chains.ledger.lock().unwrap().bodies.clone();
    drop(server);
    for number in 6..6 + unsent {
        send(&agent, number).await;
    }
    until(agent.api, STATUS, |view| {
        view["outbox"]["waiting"] == unsent
    })
    .await;
    chains.forget_after(kept_by_tracker);
    if unsent == 0 {
        // With nothing to say it greets every few minutes, and when it starts.
        agent.stop().await;
        agent = world.start_with(config).await;
    }
    let (_, _server) = chains.serve(&address.to_string());
    let view = until(agent.api, STATUS, |view| {
        view["tracker"]["standing"] == "chain-reset-needed"
            && chains.ledger.lock().unwrap().asked.is_some()
    })
    .await;
    assert!(view["tracker"]["owner_command"].is_string());
    assert_eq!(chains.count(), kept_by_tracker, "only the owner decides");
    chains.approve_reset();
    // Of those that the tracker forgot two are still here; they come again, under their own ids.
    let count = kept_by_tracker + 2 + unsent;
    chains.wait_for(count).await;
    until(agent.api, STATUS, |view| {
        view["outbox"]["waiting"] == 0 && view["tracker"]["standing"] == "active"
    })
    .await;
    send(&agent, 100).await;
    chains.wait_for(count + 1).await;
    let ledger = chains.ledger.lock().unwrap();
    for (again, first) in ledger.bodies[kept_by_tracker..].iter().zip(&before[4..]) {
        assert_eq!(
            (again.proof_id, &again.action),
            (first.proof_id, &first.action)
        );
    }
    let ids: BTreeSet<_> = ledger.bodies.iter().map(|body| body.proof_id).collect();
    assert_eq!((ids.len(), ledger.branch), (count + 1, 1));
}

#[tokio::test]
async fn a_tracker_that_lost_proofs_gets_those_that_are_left_once_its_owner_agrees() {
    outlive_an_older_backup(2, 1).await;
}

#[tokio::test]
async fn a_tracker_that_lost_proofs_is_not_followed_in_silence() {
    outlive_an_older_backup(3, 0).await;
}

#[tokio::test]
async fn a_tracker_that_lost_every_proof_gets_those_that_are_left() {
    outlive_an_older_backup(0, 2).await;
}
