//! From a webhook to the tracker, and what may go wrong on the way.

use farmops_protocol::enrolment::AgentStatus;
use farmops_protocol::proof::{ActionType, ActorType, Category};
use http::StatusCode;
use serde_json::json;

use crate::programs;
use crate::tracker::Chains;
use crate::world::{Running, SECRET, World, ask, deliver, review, until};

#[tokio::test]
async fn a_review_becomes_a_chained_proof_once() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let agent = world.start().await;
    let answer = deliver(agent.webhooks, "d1", review(1), SECRET)
        .await
        .unwrap();
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    chains.wait_for(1).await;
    // The same delivery, the same work in another delivery, and other work.
    let again = deliver(agent.webhooks, "d1", review(1), SECRET)
        .await
        .unwrap();
    assert_eq!(again.status, StatusCode::OK);
    deliver(agent.webhooks, "d2", review(1), SECRET)
        .await
        .unwrap();
    deliver(agent.webhooks, "d3", review(2), SECRET)
        .await
        .unwrap();
    chains.wait_for(2).await;
    let status = until(agent.api, "/api/v1/status", |status| {
        status["queue"]["waiting"] == 0 && status["outbox"]["waiting"] == 0
    })
    .await;
    assert_eq!(chains.count(), 2);
    assert_eq!(status["counters"]["repeated"], 1);
    assert_eq!(status["tracker"]["standing"], "active");
    assert_eq!(status["tracker"]["transport"], "grpc");
    let ledger = chains.ledger.lock().unwrap();
    let body = &ledger.bodies[0];
    assert_eq!(body.action.action_type, ActionType::Review);
    assert_eq!(body.action.category, Category::Reliability);
    assert_eq!(body.actor.actor_type, ActorType::Human);
    assert_eq!(body.agent.cluster_alias, "test");
    assert_eq!(
        body.action.description,
        "Reviewed a pull request and approved it"
    );
}

#[tokio::test]
async fn a_forged_or_broken_delivery_leaves_nothing() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let agent = world.start().await;
    let forged = deliver(agent.webhooks, "d1", review(1), "guess")
        .await
        .unwrap();
    assert_eq!(forged.status, StatusCode::UNAUTHORIZED);
    let broken = deliver(agent.webhooks, "d2", b"{".to_vec(), SECRET)
        .await
        .unwrap();
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    let huge = vec![b' '; 1024 * 1024 + 1];
    let huge = deliver(agent.webhooks, "d3", huge, SECRET).await.unwrap();
    assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE);
    let nameless = deliver(agent.webhooks, "", review(1), SECRET)
        .await
        .unwrap();
    assert_eq!(nameless.status, StatusCode::BAD_REQUEST);
    let status = ask(agent.api, "/api/v1/status").await;
    assert_eq!(status["sources"]["github"]["kept"], 0);
}

#[tokio::test]
async fn a_full_queue_answers_503_and_takes_the_delivery_later() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let manifest = world.folder.path().join("farmops-plugins.yaml");
    // A plugin that never gets ready, so that nothing leaves the queue.
    let sleeper = programs::hostile(world.folder.path(), "sleeps");
    let document = json!({"plugins": [
        {"id": "farmops/git-pr-review", "source": {"binary": sleeper}, "grants": [{"source": "github"}]}]});
    let real = std::fs::read(&manifest).unwrap();
    std::fs::write(&manifest, document.to_string()).unwrap();
    let mut config = world.config();
    config.limits.observations_max = 50;
    let agent = world.start_with(config).await;
    for number in 0..50 {
        let answer = deliver(
            agent.webhooks,
            &format!("d{number}"),
            review(number),
            SECRET,
        )
        .await;
        assert_eq!(answer.unwrap().status, StatusCode::ACCEPTED);
    }
    let full = deliver(agent.webhooks, "d50", review(50), SECRET)
        .await
        .unwrap();
    assert_eq!(full.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(full.headers.contains_key("retry-after"));
    assert_eq!(ask(agent.api, "/readyz").await["status"], "not ready");
    // The operator mends the manifest.
    std::fs::write(&manifest, real).unwrap();
    reload(agent.api).await;
    chains.wait_for(50).await;
    let later = deliver(agent.webhooks, "d50", review(50), SECRET)
        .await
        .unwrap();
    assert_eq!(later.status, StatusCode::ACCEPTED);
    chains.wait_for(51).await;
}

#[tokio::test]
async fn proofs_wait_for_a_tracker_that_is_away_and_arrive_in_order() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let agent = world.start().await;
    deliver(agent.webhooks, "d1", review(1), SECRET)
        .await
        .unwrap();
    chains.wait_for(1).await;
    drop(server);
    for number in 2..40 {
        let delivery = format!("d{number}");
        deliver(agent.webhooks, &delivery, review(number), SECRET)
            .await
            .unwrap();
    }
    until(agent.api, "/api/v1/status", |status| {
        status["outbox"]["waiting"] == 38
    })
    .await;
    let pending = ask(agent.api, "/api/v1/proofs/pending?limit=10").await;
    assert_eq!(pending["total"], 38);
    assert_eq!(pending["proofs"][0]["position"], 2);
    assert_eq!(pending["next"], 11);
    // The agent is restarted meanwhile, too.
    agent.stop().await;
    let (_, _server) = chains.serve(&address.to_string());
    let agent = world.start().await;
    chains.wait_for(39).await;
    until(agent.api, "/api/v1/status", |status| {
        status["outbox"]["waiting"] == 0
    })
    .await;
}

#[tokio::test]
async fn a_pending_agent_sends_and_a_revoked_one_does_not() {
    for (status, standing, sent) in [
        (AgentStatus::Pending, "pending", 1),
        (AgentStatus::Revoked, "revoked", 0),
    ] {
        let chains = Chains::new(status);
        let (address, _server) = chains.serve("127.0.0.1:0");
        let world = World::new(address);
        let agent = world.start().await;
        send(&agent, 1).await;
        until(agent.api, "/api/v1/status", |view| {
            view["tracker"]["standing"] == standing
                && view["outbox"]["waiting"] == 1 - sent
                && view["chain"]["head"]["length"] == 1
        })
        .await;
        assert_eq!(chains.count(), sent);
    }
}

#[tokio::test]
async fn a_foreign_chain_is_shown_and_the_agent_goes_on_collecting() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let agent = world.start().await;
    send(&agent, 1).await;
    chains.wait_for(1).await;
    drop(server);
    send(&agent, 2).await;
    until(agent.api, "/api/v1/status", |view| {
        view["outbox"]["waiting"] == 1
    })
    .await;
    agent.stop().await;
    // A tracker that knows another chain under this agent's id.
    let replace_head = |ledger: &mut crate::tracker::Ledger| {
        ledger.head.as_mut().unwrap().proof_id = uuid::Uuid::now_v7();
    };
    replace_head(&mut chains.ledger.lock().unwrap());
    let (_, _server) = chains.serve(&address.to_string());
    let agent = world.start().await;
    send(&agent, 3).await;
    until(agent.api, "/api/v1/status", |view| {
        view["tracker"]["standing"] == "chain-reset-needed" && view["chain"]["head"]["length"] == 3
    })
    .await;
    assert_eq!(chains.count(), 1);
}

#[tokio::test]
async fn a_proof_refused_on_the_way_stays_in_the_outbox() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let agent = world.start().await;
    send(&agent, 1).await;
    chains.wait_for(1).await;
    chains.ledger.lock().unwrap().status = AgentStatus::Revoked;
    send(&agent, 2).await;
    let status = until(agent.api, "/api/v1/status", |view| {
        view["tracker"]["standing"] == "revoked"
    })
    .await;
    assert_eq!(status["outbox"]["waiting"], 1);
    assert_eq!(status["chain"]["delivered"], 1);
}

#[tokio::test]
async fn a_plugin_that_is_killed_at_work_loses_nothing() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let agent = world.start().await;
    for number in 0..30 {
        if number % 10 == 5 {
            until(agent.api, "/readyz", |ready| ready["status"] == "ready").await;
            kill_reviewer_of(&world);
        }
        send(&agent, number).await;
    }
    chains.wait_for(30).await;
    let status = ask(agent.api, "/api/v1/status").await;
    assert_eq!(status["plugins"][0]["restarts"], 3);
    assert_eq!(status["counters"]["given_up"], 0);
}

#[tokio::test]
async fn a_full_outbox_holds_observations_back_until_the_tracker_takes_proofs() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, server) = chains.serve("127.0.0.1:0");
    drop(server);
    let world = World::new(address);
    let mut config = world.config();
    config.limits.proofs_undelivered_max = 2;
    let agent = world.start_with(config).await;
    for number in 0..5 {
        send(&agent, number).await;
    }
    until(agent.api, "/api/v1/status", |view| {
        view["outbox"]["waiting"] == 2 && view["queue"]["waiting"] == 3
    })
    .await;
    let (_, _server) = chains.serve(&address.to_string());
    chains.wait_for(5).await;
}

/// Other tests run plugins of the same name, so the socket's folder tells which one is meant.
fn kill_reviewer_of(world: &World) {
    let folder = world.folder.path().to_str().unwrap();
    for process in std::fs::read_dir("/proc").unwrap() {
        let process = process.unwrap().path();
        let program = std::fs::read_link(process.join("exe")).unwrap_or_default();
        let environment = std::fs::read(process.join("environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment);
        if program.ends_with("farmops-plugin-git-pr-review") && environment.contains(folder) {
            let id = process.file_name().unwrap();
            let killed = std::process::Command::new("kill")
                .arg("-9")
                .arg(id)
                .status();
            assert!(killed.unwrap().success());
        }
    }
}

pub(crate) async fn send(agent: &Running, number: usize) {
    let delivery = format!("d{number}");
    let answer = deliver(agent.webhooks, &delivery, review(number), SECRET).await;
    assert_eq!(answer.unwrap().status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_record_in_a_file_reaches_its_plugin() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let record = json!({
        "event": "alert.ended", "fingerprint": "f1", "suppressed": false, "instances": 1,
        "startsAt": "2026-02-21T09:00:00Z", "endsAt": "2026-02-21T09:30:00Z",
        "labels": {"alertname": "DiskFull", "severity": "critical"},
    });
    std::fs::write(
        world.folder.path().join("alerts.jsonl"),
        format!("{record}\n"),
    )
    .unwrap();
    let _agent = world.start().await;
    chains.wait_for(1).await;
    let ledger = chains.ledger.lock().unwrap();
    let description = &ledger.bodies[0].action.description;
    assert_eq!(description, "Resolved a critical alert after 30 minutes");
}

#[tokio::test]
async fn two_agents_on_one_folder_would_fork_the_chain() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let _agent = world.start().await;
    let stop = tokio_util::sync::CancellationToken::new();
    let second = farmops_agent::agent::Agent::start(world.config(), stop).await;
    let error = second.err().unwrap().to_string();
    assert!(error.contains("another agent"), "{error}");
}

pub(crate) async fn reload(api: std::net::SocketAddr) {
    use farmops_service::outbound::{Bounds, Outbound, Reach};
    let client = Outbound::new(Reach::Operator, "farmops-test").unwrap();
    let url = format!("http://{api}/api/v1/plugins/reload")
        .parse()
        .unwrap();
    let json = http::HeaderValue::from_static("application/json");
    let answer = client.post(url, json, "", Bounds::default()).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_file_without_certificate_authorities_is_named_before_anything_is_made() {
    let world = World::new(std::net::SocketAddr::from(([127, 0, 0, 1], 9)));
    let mut config = world.config();
    config.tracker_ca_file = Some(world.config_file());
    let stop = tokio_util::sync::CancellationToken::new();
    let refused = farmops_agent::agent::Agent::start(config, stop).await;
    let said = refused.err().unwrap().to_string();
    assert!(said.starts_with("`tracker_ca_file`: "), "{said}");
    assert!(!world.data().exists());

    let (ok, said) = world.keys(&["show"]).await;
    assert!(!ok);
    assert!(said.contains(world.data().to_str().unwrap()), "{said}");
}
