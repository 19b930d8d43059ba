//! A plugin that does not run costs the others nothing, however much comes for it.

use farmops_protocol::enrolment::AgentStatus;
use http::StatusCode;
use serde_json::{Value, json};

use crate::journey::reload;
use crate::programs;
use crate::tracker::Chains;
use crate::world::{SECRET, World, ask, deliver, review, until};

const DEAD: &str = "farmops/hostile";
/// More than the whole queue holds, and more than twice a share of it.
const FLOOD: usize = 60;

#[tokio::test]
async fn a_flood_for_a_deactivated_plugin_leaves_the_other_its_work() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let manifest = world.folder.path().join("farmops-plugins.yaml");
    let without = std::fs::read(&manifest).unwrap();
    let mut plugins: Value = serde_json::from_slice(&without).unwrap();
    let dead = programs::hostile(world.folder.path(), "ends@0.1.0");
    let dead = json!({"id": DEAD, "source": {"binary": dead}, "grants": [{"source": "github"}]});
    // Instead of the one that reads the file: two plugins, and both read the hook.
    plugins["plugins"][1] = dead;
    std::fs::write(&manifest, plugins.to_string()).unwrap();
    let mut config = world.config();
    config.limits.plugin_failures_max = 2;
    config.limits.observations_max = 50;
    let agent = world.start_with(config).await;
    until(agent.api, "/api/v1/status", |status| {
        let plugins = status["plugins"].as_array().unwrap();
        let mut plugins = plugins.iter();
        plugins.any(|plugin| plugin["id"] == DEAD && plugin["state"] == "deactivated")
    })
    .await;
    for number in 0..FLOOD {
        let delivery = format!("d{number}");
        // The plugin at work takes its time as well, and may hold up the hook for a moment.
        let until = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            let answer = deliver(agent.webhooks, &delivery, review(number), SECRET).await;
            match answer.unwrap().status {
                StatusCode::ACCEPTED => break,
                other => assert_eq!(other, StatusCode::SERVICE_UNAVAILABLE),
            }
            assert!(tokio::time::Instant::now() < until, "the hook stands still");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    chains.wait_for(FLOOD).await;
    let status = until(agent.api, "/api/v1/status", |status| {
        status["queue"]["waiting"] == 25
    })
    .await;
    assert_eq!(status["counters"]["dropped"], FLOOD - 25, "{status:#}");
    let shares = &status["queue"]["plugins"];
    assert_eq!(shares[DEAD]["waiting"], 25, "{shares}");
    assert_eq!(shares[DEAD]["failed"], true, "{shares}");
    // What waits for it goes with it.
    std::fs::write(&manifest, without).unwrap();
    reload(agent.api).await;
    until(agent.api, "/api/v1/status", |status| {
        status["queue"]["waiting"] == 0
    })
    .await;
    let status = ask(agent.api, "/api/v1/status").await;
    assert_eq!(status["counters"]["dropped"], FLOOD, "{status:#}");
    assert_eq!(chains.count(), FLOOD);
}
