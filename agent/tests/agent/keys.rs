//! A new key for an agent: what goes first, and what a crash at each step leaves.

use std::net::SocketAddr;
use std::process::Child;

use farmops_protocol::enrolment::AgentStatus;
use serde_json::Value;

use crate::crash;
use crate::journey::send;
use crate::tracker::{Chains, Fate};
use crate::world::{SECRET, World, deliver, review, until};

const STATUS: &str = "/api/v1/status";

fn rotated(chains: &Chains) -> impl Fn(&Value) -> bool {
    move |view| {
        let ledger = chains.ledger.lock().unwrap();
        let known = ledger.keys.as_ref().is_some_and(|k| k.keys().count() == 2);
        known && view["fingerprint"] == ledger.fingerprint() && view["key_rotation"] == "none"
    }
}

/// The place from which the second key signs.
fn second_key_from(chains: &Chains) -> Option<u64> {
    let ledger = chains.ledger.lock().unwrap();
    ledger.keys.as_ref()?.keys().nth(1).map(|(from, _)| from)
}

#[tokio::test]
async fn what_the_old_key_signed_goes_first_and_the_new_one_goes_on() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let agent = world.start().await;
    send(&agent, 1).await;
    chains.wait_for(1).await;
    drop(server);
    for number in 2..5 {
        send(&agent, number).await;
    }
    until(agent.api, STATUS, |view| view["outbox"]["waiting"] == 3).await;
    let (done, said) = world.keys(&["rotate", "--wait", "0"]).await;
    assert!(!done && said.contains("waits"), "{said}");
    until(agent.api, STATUS, |view| view["key_rotation"] == "staged").await;
    let (_, _server) = chains.serve(&address.to_string());
    until(agent.api, STATUS, rotated(&chains)).await;
    send(&agent, 5).await;
    chains.wait_for(5).await;
    assert_eq!(second_key_from(&chains), Some(4));
    let (_, shown) = world.keys(&["show", "--json"]).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        shown["fingerprint"],
        chains.ledger.lock().unwrap().fingerprint()
    );
    assert_eq!(shown["next"], Value::Null);
}

#[tokio::test]
async fn a_key_is_rotated_while_the_agent_rests() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let (done, said) = world.keys(&["rotate"]).await;
    assert!(!done && said.contains("first start"), "{said}");
    let agent = world.start().await;
    send(&agent, 1).await;
    chains.wait_for(1).await;
    agent.stop().await;
    let (done, said) = world.keys(&["rotate"]).await;
    assert!(done, "{said}");
    let fingerprint = chains.ledger.lock().unwrap().fingerprint();
    assert!(said.contains(&fingerprint), "{said}");
    let agent = world.start().await;
    send(&agent, 2).await;
    chains.wait_for(2).await;
    assert_eq!(second_key_from(&chains), Some(1));
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    for accepted in [true, false] {
        let chains = Chains::new(AgentStatus::Active);
        let (address, _server) = chains.serve("127.0.0.1:0");
        let world = World::new(address);
        let agent = world.start().await;
        send(&agent, 1).await;
        chains.wait_for(1).await;
        let nothing = Box::new(|| ());
        chains.ledger.lock().unwrap().fate = Some(if accepted {
            Fate::Unanswered(nothing)
        } else {
            Fate::Unheard(nothing)
        });
        let (done, said) = world.keys(&["rotate", "--wait", "30"]).await;
        assert!(done, "{said}");
        assert_eq!(chains.ledger.lock().unwrap().rotations, 2);
        send(&agent, 2).await;
        chains.wait_for(2).await;
    }
}

#[tokio::test]
async fn after_a_refusal_the_old_key_signs_on() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let agent = world.start().await;
    send(&agent, 1).await;
    chains.wait_for(1).await;
    chains.ledger.lock().unwrap().fate = Some(Fate::Refused);
    let (done, said) = world.keys(&["rotate", "--wait", "30"]).await;
    assert!(!done && said.contains("old one stays"), "{said}");
    let refused = |view: &Value| view["tracker"]["key_rotation_refused"].is_string();
    until(agent.api, STATUS, refused).await;
    send(&agent, 2).await;
    chains.wait_for(2).await;
    assert_eq!(second_key_from(&chains), None);
}

/// The agent's program; dropping it is `kill -9`, so a failed test leaves none behind.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn start(world: &World) -> (Program, SocketAddr, SocketAddr) {
    let (agent, api, webhooks) = crash::start(world);
    (Program(agent), api, webhooks)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_around_the_answer_leaves_one_key() {
    for accepted in [true, false] {
        let chains = Chains::new(AgentStatus::Active);
        let (address, server) = chains.serve("127.0.0.1:0");
        let world = World::new(address);
        let (agent, _, webhooks) = start(&world);
        deliver(webhooks, "d1", review(1), SECRET).await.unwrap();
        chains.wait_for(1).await;
        let (dead, died) = std::sync::mpsc::channel();
        let then = Box::new(move || {
            drop(agent);
            dead.send(()).unwrap();
        });
        chains.ledger.lock().unwrap().fate = Some(if accepted {
            Fate::Unanswered(then)
        } else {
            Fate::Unheard(then)
        });
        let (done, said) = world.keys(&["rotate", "--wait", "0"]).await;
        assert!(!done, "{said}");
        tokio::task::spawn_blocking(move || died.recv().unwrap())
            .await
            .unwrap();
        drop(server);
        let (_agent, api, webhooks) = start(&world);
        // What comes in before the key is certain waits for it.
        deliver(webhooks, "d2", review(2), SECRET).await.unwrap();
        until(api, "/readyz", |ready| ready["status"] == "ready").await;
        let view = until(api, STATUS, |view| {
            view["tracker"]["standing"] == "unreachable"
        })
        .await;
        assert_eq!(view["key_rotation"], "rotating");
        assert_eq!(view["outbox"]["waiting"], 0);
        let (_, _server) = chains.serve(&address.to_string());
        chains.wait_for(2).await;
        until(api, STATUS, rotated(&chains)).await;
        assert_eq!(second_key_from(&chains), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_amid_work_loses_and_doubles_nothing() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let agent = world.start().await;
    send(&agent, 0).await;
    chains.wait_for(1).await;
    let work = async {
        for number in 1..200 {
            send(&agent, number).await;
            chains.wait_for(number.saturating_sub(20)).await;
        }
    };
    let (rotated, ()) = tokio::join!(world.keys(&["rotate", "--wait", "30"]), work);
    let (done, said) = rotated;
    assert!(done, "{said}");
    chains.wait_for(200).await;
    assert_eq!(chains.count(), 200);
    let from = second_key_from(&chains).unwrap();
    assert!((1..200).contains(&from), "the second key signs from {from}");
}

#[tokio::test]
async fn an_unknown_end_is_waited_for_before_anything_is_signed() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let agent = world.start().await;
    send(&agent, 1).await;
    chains.wait_for(1).await;
    // The tracker takes the rotation up and is gone.
    let (gone, is_gone) = std::sync::mpsc::channel();
    chains.ledger.lock().unwrap().fate =
        Some(Fate::Unanswered(Box::new(move || gone.send(()).unwrap())));
    let (_, said) = world.keys(&["rotate", "--wait", "0"]).await;
    tokio::task::spawn_blocking(move || is_gone.recv().unwrap())
        .await
        .unwrap();
    drop(server);
    send(&agent, 2).await;
    let view = until(agent.api, STATUS, |view| {
        view["tracker"]["standing"] == "unreachable" || view["key_rotation"] == "none"
    })
    .await;
    if view["key_rotation"] == "rotating" {
        assert_eq!(view["outbox"]["waiting"], 0, "{said}");
        assert_eq!(view["queue"]["waiting"], 1);
    }
    let (_, _server) = chains.serve(&address.to_string());
    chains.wait_for(2).await;
    until(agent.api, STATUS, rotated(&chains)).await;
}
