//! Plugin processes that die, lie, hang and come back.

use farmops_agent::plugins::{Fault, Live, PluginState};
use serde_json::json;

use crate::bench::{Bench, hostile, reviewer};

const REVIEWER: &str = "farmops/git-pr-review";

#[tokio::test]
async fn a_killed_plugin_is_restarted_and_too_many_failures_deactivate_it() {
    let bench = Bench::new(&[reviewer()]);
    bench.runtime.load().await.unwrap();
    let mut faults = 0;
    let reason = loop {
        let mut handle = bench.handle(REVIEWER);
        let generation = bench.live(REVIEWER).await.generation;
        // As a worker does when the process hangs over an observation.
        let reason = "no verdict in time".to_owned();
        let fault = Fault { generation, reason };
        handle.faults.send(fault).await.unwrap();
        faults += 1;
        let gone = |live: &Option<Live>| live.as_ref().is_none_or(|l| l.generation > generation);
        handle.live.wait_for(gone).await.unwrap();
        if faults == 3 {
            break bench.deactivated(REVIEWER).await;
        }
    };
    assert_eq!(reason, "no verdict in time");
    assert_eq!(bench.runtime.views()[0].restarts, 2);
    assert!(bench.runtime.unready().is_some());
    // A reload gives it another chance.
    bench.runtime.reload().await.unwrap();
    bench.live(REVIEWER).await;
    assert!(bench.runtime.unready().is_none());
    bench.stop.cancel();
    bench.tasks.close();
    bench.tasks.wait().await;
    assert_eq!(bench.runtime.views()[0].state, PluginState::Stopped);
}

#[tokio::test]
async fn programs_that_are_no_such_plugin_are_deactivated_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let program = |name: &str| hostile(folder.path(), name);
    let mut liar = reviewer();
    liar["id"] = json!("farmops/other");
    let mut misconfigured = reviewer();
    misconfigured["config"] = json!({"approval_words_min": "many"});
    let mut outdated = reviewer();
    outdated["version"] = json!("^7");
    for (plugin, expected) in [
        (program("ends"), "exit status 3"),
        (program("talks"), "not the handshake"),
        (program("newer"), "version 9"),
        (program("elsewhere"), "elsewhere"),
        (program("lies"), "calls itself `farmops/somebody-else`"),
        (liar, "calls itself `farmops/git-pr-review`"),
        (misconfigured, "`config/approval_words_min`"),
        (outdated, "`^7` excludes"),
    ] {
        let id = plugin["id"].as_str().unwrap().to_owned();
        let bench = Bench::new(&[plugin]);
        bench.runtime.load().await.unwrap();
        let reason = bench.deactivated(&id).await;
        assert!(reason.contains(expected), "{expected}: {reason}");
        // Whatever it was, it left nothing where the sockets are.
        let sockets = std::fs::read_dir(bench.folder.path().join("run")).unwrap();
        assert_eq!(sockets.count(), 0, "{expected}");
    }
}
