//! Plugins as components in a running agent: one that means harm beside one that works.

use farmops_agent::plugins::{PluginState, VerifyError};
use farmops_plugin::{Observation, Verdict};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::programs;

fn plugin(id: &str, component: &str, config: &Value) -> Value {
    json!({
        "id": id, "source": {"component": programs::component(component)},
        "grants": [{"source": "github"}], "config": config,
        "limits": {"fuel": 100_000_000},
    })
}

fn hostile(configure: &str) -> Value {
    plugin(
        "farmops/hostile",
        "hostile",
        &json!({"configure": configure}),
    )
}

fn reviewer() -> Value {
    plugin("farmops/git-pr-review", "git-pr-review", &json!({}))
}

fn observation(event: &str) -> Observation {
    Observation {
        id: "018f0000-0000-7000-8000-000000000000".to_owned(),
        source_type: "github".to_owned(),
        event: event.to_owned(),
        raw_data: b"{}".to_vec(),
        detected_at: 1_771_666_260,
    }
}

#[tokio::test]
async fn a_component_that_means_harm_fails_alone_and_stays() {
    let bench = Bench::new(&[hostile("nothing"), reviewer()]);
    bench.runtime.load().await.unwrap();
    let bad = bench.live("farmops/hostile").await;
    let good = bench.live("farmops/git-pr-review").await;
    for (event, expected) in [
        ("loop", "used up its fuel of 100000000 instructions"),
        ("allocate", "wanted more than its 65536 KiB of memory"),
        ("panic", "crashed"),
        ("connect", "called wasi:sockets"),
        ("exit", "ended itself"),
        ("large", "answered with more than 1048576 bytes"),
    ] {
        // Both at once: the agent's only thread waits for neither.
        let (failed, judged) = tokio::join!(
            bad.client.verify(observation(event)),
            good.client.verify(observation("push")),
        );
        match failed {
            Err(VerifyError::Observation(reason)) => {
                assert!(reason.contains(expected), "{event}: {reason}");
            }
            other => panic!("{event}: {other:?}"),
        }
        assert!(matches!(judged, Ok(Verdict::Rejected(_))));
    }
    let verdict = bad.client.verify(observation("fine")).await.unwrap();
    assert_eq!(verdict, Verdict::rejected("nothing happened"));
    let states = bench.runtime.views();
    assert!(states.iter().all(|view| view.state == PluginState::Running));
    assert!(bench.runtime.unready().is_none());
}

#[tokio::test]
async fn components_that_are_no_such_plugin_are_deactivated_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        json!({"id": "a/b", "source": {"component": path}})
    };
    let mut liar = hostile("nothing");
    liar["id"] = json!("farmops/git-pr-review");
    for (plugin, expected) in [
        (liar, "calls itself `farmops/hostile`"),
        (hostile("refuse"), "refuses its settings: none will do"),
        (hostile("loop"), "used up its fuel"),
        (hostile("panic"), "crashed"),
        (file("script", b"#!/bin/sh\n"), "no WebAssembly component"),
        (file("core.wasm", b"\0asm\x01\0\0\0"), "wasm32-wasip2"),
        (
            file("empty.wasm", b"\0asm\x0d\0\x01\0"),
            "does not fit the world",
        ),
        (
            file("broken.wasm", b"\0asm\x0d\0\x01\0\x63"),
            "the compiler refused",
        ),
    ] {
        // The other one runs in each case.
        let bench = Bench::new(&[reviewer(), plugin.clone()]);
        let bad = plugin["id"].as_str().unwrap().to_owned();
        let bench = if bad == "farmops/git-pr-review" {
            Bench::new(&[plugin])
        } else {
            bench
        };
        bench.runtime.load().await.unwrap();
        let reason = bench.deactivated(&bad).await;
        assert!(reason.contains(expected), "{expected}: {reason}");
        if bad != "farmops/git-pr-review" {
            let good = bench.live("farmops/git-pr-review").await;
            let verdict = good.client.verify(observation("push")).await;
            assert!(matches!(verdict, Ok(Verdict::Rejected(_))));
        }
    }
}

#[tokio::test]
async fn a_plugin_changes_its_form_at_a_reload() {
    let bench = Bench::new(&[reviewer()]);
    bench.runtime.load().await.unwrap();
    let component = bench.live("farmops/git-pr-review").await;
    let binary = programs::folder().join("farmops-plugin-git-pr-review");
    let mut process = reviewer();
    process["source"] = json!({"binary": binary});
    bench.write(&[process]);
    bench.runtime.reload().await.unwrap();
    let process = bench.live("farmops/git-pr-review").await;
    assert_eq!(process.description, component.description);
    let question = observation("push");
    assert_eq!(
        process.client.verify(question.clone()).await.unwrap(),
        component.client.verify(question).await.unwrap()
    );
}
