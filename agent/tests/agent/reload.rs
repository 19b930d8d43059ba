//! Plugins that are exchanged while the agent works.

use farmops_agent::plugins::{Fault, PluginState, RuntimeError};
use farmops_plugin::Verdict;
use farmops_protocol::enrolment::AgentStatus;
use http::StatusCode;
use serde_json::{Value, json};

use crate::bench::{Bench, HOSTILE, hostile, observation, reviewer};
use crate::journey::send;
use crate::tracker::Chains;
use crate::world::{World, client, until};

const REVIEWER: &str = "farmops/git-pr-review";

fn reason(verdict: Verdict) -> String {
    match verdict {
        Verdict::Rejected(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_changed_plugin_takes_over_and_the_old_one_finishes_what_it_is_at() {
    let place = tempfile::tempdir().unwrap();
    let old = hostile(place.path(), "slow@0.1.0");
    let bench = Bench::at_work(&[old, reviewer()]).await;
    let (before, undisturbed) = (bench.live(HOSTILE).await, bench.live(REVIEWER).await);
    let (generation, first) = (before.generation, bench.view(HOSTILE).digest);
    let in_flight = tokio::spawn(async move { before.client.verify(observation("{}")).await });
    bench.write(&[hostile(place.path(), "calm@0.2.0"), reviewer()]);
    bench.runtime.reload().await.unwrap();
    let view = bench.view(HOSTILE);
    assert_eq!(view.version.as_deref(), Some("0.2.0"));
    assert_eq!((view.previous, view.restarts), (Some(first), 0));
    let now = bench.live(HOSTILE).await;
    assert!(now.generation > generation);
    let verdict = now.client.verify(observation("{}")).await.unwrap();
    assert!(reason(verdict).ends_with("of 0.2.0"));
    let verdict = in_flight.await.unwrap().unwrap();
    assert!(reason(verdict).ends_with("of 0.1.0"));
    let same = bench.live(REVIEWER).await;
    assert_eq!(same.generation, undisturbed.generation);
    assert_eq!(bench.view(REVIEWER).restarts, 0);
}

#[tokio::test]
async fn plugins_that_do_not_pass_leave_everything_as_it_was_and_are_named() {
    let place = tempfile::tempdir().unwrap();
    let calm = hostile(place.path(), "calm@0.1.0");
    let bench = Bench::at_work(&[calm.clone(), reviewer()]).await;
    let generation = bench.live(HOSTILE).await.generation;
    let with = |name: &str, key: &str, value: Value| {
        let mut plugin = hostile(place.path(), name);
        plugin[key] = value;
        plugin
    };
    let mut changed = reviewer();
    changed["config"] = json!({"approval_words_min": 1});
    for (plugin, expected) in [
        (hostile(place.path(), "lies@0.2.0"), "calls itself"),
        (hostile(place.path(), "ends@0.2.0"), "exit status 3"),
        (with("calm@0.2.0", "version", json!("^1")), "`^1` excludes"),
        (
            with("calm@0.2.0", "config", json!({"n": "x"})),
            "`config/n`",
        ),
        (
            with("calm@0.2.0", "config", json!({"n": 13})),
            "`n` is not 13",
        ),
        (
            with("calm@0.2.0", "grants", json!([{"source": "gitlab"}])),
            "grants.0.source",
        ),
    ] {
        bench.write(&[plugin, changed.clone()]);
        let error = bench.runtime.reload().await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(HOSTILE) && text.contains(expected), "{text}");
        if let RuntimeError::Refused(refused) = error {
            assert_eq!(refused.len(), 1);
        }
        assert_eq!(bench.live(HOSTILE).await.generation, generation);
        assert_eq!(bench.live(REVIEWER).await.generation, 1, "{expected}");
        assert!(bench.runtime.unready().is_none());
    }
    bench.write(&[calm, changed]);
    bench.runtime.reload().await.unwrap();
    assert_eq!(bench.live(HOSTILE).await.generation, generation);
    assert_eq!(bench.live(REVIEWER).await.generation, 2);
    bench.write(&[]);
    bench.runtime.reload().await.unwrap();
    assert!(bench.runtime.views().is_empty());
}

#[tokio::test]
async fn a_new_version_that_keeps_failing_is_left_for_the_one_before() {
    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("plugin");
    let entry = json!({"id": HOSTILE, "source": {"binary": program}});
    // The same file with another content: what the agent keeps is its own copy.
    let put = |name: &str| {
        let copy = crate::programs::hostile(place.path(), name);
        std::fs::rename(copy, &program).unwrap();
    };
    put("calm@0.1.0");
    let bench = Bench::at_work(std::slice::from_ref(&entry)).await;
    let good = bench.view(HOSTILE).digest;
    put("other@0.1.0");
    bench.runtime.reload().await.unwrap();
    let bad = bench.view(HOSTILE).digest;
    assert_ne!(good, bad);
    fail_too_often(&bench).await;
    let view = bench.until(HOSTILE, |view| {
        view.digest == good && view.state == PluginState::Running
    });
    let rolled_back = view.await.rolled_back.unwrap();
    assert_eq!(
        (rolled_back.from, rolled_back.reason.as_str()),
        (bad, "no verdict in time")
    );
    assert!(bench.runtime.unready().is_none());
    // The manifest still names the new one, which a reload gives another chance.
    bench.runtime.reload().await.unwrap();
    let view = bench.view(HOSTILE);
    assert_eq!((view.digest, view.previous), (bad, Some(good)));
    assert_eq!(view.rolled_back, None);
    bench.runtime.roll_back(HOSTILE).await.unwrap();
    let view = bench.view(HOSTILE);
    assert_eq!((view.digest, view.previous), (good, Some(bad)));
    let error = bench.runtime.roll_back("a/b").await.unwrap_err();
    assert!(matches!(error, RuntimeError::NoSuchPlugin(_)));
}

async fn fail_too_often(bench: &Bench) {
    for _ in 0..3 {
        let live = bench.live(HOSTILE).await;
        let fault = Fault {
            generation: live.generation,
            reason: "no verdict in time".to_owned(),
        };
        let mut handle = bench.handle(HOSTILE);
        handle.faults.send(fault).await.unwrap();
        let next = handle.live.wait_for(|now| {
            now.as_ref()
                .is_none_or(|now| now.generation > live.generation)
        });
        next.await.unwrap();
    }
}

#[tokio::test]
async fn what_was_withdrawn_does_not_come_back_with_older_code() {
    let place = tempfile::tempdir().unwrap();
    let old = hostile(place.path(), "calm@0.1.0");
    let mut new = hostile(place.path(), "calm@0.2.0");
    new["grants"] = json!([]);
    let bench = Bench::at_work(std::slice::from_ref(&old)).await;
    for by_itself in [false, true] {
        bench.write(std::slice::from_ref(&old));
        bench.runtime.reload().await.unwrap();
        assert_eq!(bench.live(HOSTILE).await.wanted.len(), 1);
        bench.write(std::slice::from_ref(&new));
        bench.runtime.reload().await.unwrap();
        if by_itself {
            fail_too_often(&bench).await;
        } else {
            bench.runtime.roll_back(HOSTILE).await.unwrap();
        }
        let view = bench.until(HOSTILE, |view| {
            view.version.as_deref() == Some("0.1.0") && view.state == PluginState::Running
        });
        assert_eq!(view.await.grants, [], "by itself: {by_itself}");
        assert!(bench.live(HOSTILE).await.wanted.is_empty());
    }
}

#[tokio::test]
async fn nothing_is_lost_or_judged_twice_while_plugins_are_exchanged() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let manifest = world.folder.path().join("farmops-plugins.yaml");
    let mut document: Value = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    let agent = world.start().await;
    for number in 0..24 {
        send(&agent, number).await;
        if number % 4 == 0 {
            document["plugins"][0]["config"] = json!({"approval_words_min": number / 4 % 3});
            std::fs::write(&manifest, document.to_string()).unwrap();
            let answer = post(agent.api, "/api/v1/plugins/reload").await;
            assert_eq!(answer.0, StatusCode::OK, "{}", answer.1);
        }
    }
    chains.wait_for(24).await;
    let status = until(agent.api, "/api/v1/status", |view| {
        view["queue"]["waiting"] == 0
    })
    .await;
    assert_eq!(status["counters"]["proofs"], 24);
    for other in ["repeated", "given_up", "rejected", "inconclusive"] {
        assert_eq!(status["counters"][other], 0, "{other}");
    }
    assert_eq!(status["plugins"][0]["restarts"], 0);
    document["plugins"][0]["config"] = json!({"approval_words_min": -1});
    std::fs::write(&manifest, document.to_string()).unwrap();
    let (status, problem) = post(agent.api, "/api/v1/plugins/reload").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["code"], "plugins-refused");
    assert_eq!(problem["refused"][0]["plugin"], REVIEWER);
    let (status, _) = post(agent.api, "/api/v1/plugins/farmops/git-pr-review/rollback").await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = post(agent.api, "/api/v1/plugins/farmops/none/rollback").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, problem) = post(
        agent.api,
        "/api/v1/plugins/farmops/prometheus-alert-resolve/rollback",
    )
    .await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["code"], "no-previous-version");
    agent.stop().await;
}

#[tokio::test]
async fn nothing_is_changed_where_anybody_may_ask() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let mut config = world.config();
    config.listen = "0.0.0.0:0".parse().unwrap();
    let agent = world.start_with(config).await;
    let here = (std::net::Ipv4Addr::LOCALHOST, agent.api.port()).into();
    for path in ["reload", "farmops/git-pr-review/rollback"] {
        let (status, problem) = post(here, &format!("/api/v1/plugins/{path}")).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
        assert!(problem["detail"].as_str().unwrap().contains("`listen`"));
    }
    until(here, "/api/v1/status", |view| view["version"].is_string()).await;
    agent.stop().await;
}

async fn post(api: std::net::SocketAddr, path: &str) -> (StatusCode, Value) {
    let url = format!("http://{api}{path}").parse().unwrap();
    let json = http::HeaderValue::from_static("application/json");
    let client = client();
    let answer = client.post(url, json, "", farmops_service::outbound::Bounds::default());
    let answer = answer.await.unwrap();
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hangup_signal_reloads() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let manifest = world.folder.path().join("farmops-plugins.yaml");
    let (mut agent, api, _) = crate::crash::start(&world);
    let both = |view: &Value| view["plugins"].as_array().unwrap().len() == 2;
    until(api, "/api/v1/plugins", both).await;
    std::fs::write(&manifest, r#"{"plugins": []}"#).unwrap();
    let mut kill = std::process::Command::new("kill");
    let kill = kill.arg("-HUP").arg(agent.id().to_string()).status();
    assert!(kill.unwrap().success());
    let none = |view: &Value| view["plugins"].as_array().unwrap().is_empty();
    until(api, "/api/v1/plugins", none).await;
    agent.kill().unwrap();
    agent.wait().unwrap();
}
