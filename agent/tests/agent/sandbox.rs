//! Plugins that mean harm: each is contained and seen, and the others go on.

use std::time::Duration;

use farmops_agent::plugins::{Fault, VerifyError};
use farmops_plugin::Verdict;
use serde_json::{Value, json};

use crate::bench::{Bench, HOSTILE, hostile, observation, reviewer};

/// How the question ended, and that the plugin beside it still answers.
async fn ask(bench: &Bench) -> Result<Verdict, VerifyError> {
    let live = bench.live(HOSTILE).await;
    let answer = live.client.verify(observation("{}")).await;
    let beside = bench.live("farmops/git-pr-review").await;
    beside.client.verify(observation("{}")).await.unwrap();
    answer
}

#[tokio::test]
async fn a_plugin_that_loops_or_hoards_or_dies_is_started_anew() {
    let place = tempfile::tempdir().unwrap();
    for (name, expected) in [
        ("loops", "no verdict within"),
        ("allocates", ""),
        ("dies", ""),
    ] {
        let plugins = [hostile(place.path(), name), reviewer()];
        let bench = Bench::with(&plugins, Duration::from_secs(2), false);
        bench.runtime.load().await.unwrap();
        let generation = bench.live(HOSTILE).await.generation;
        let reason = match ask(&bench).await.unwrap_err() {
            VerifyError::Plugin(reason) => reason,
            VerifyError::Observation(reason) => panic!("{name}: {reason}"),
        };
        assert!(reason.contains(expected), "{name}: {reason}");
        let mut handle = bench.handle(HOSTILE);
        // One that ended by itself may have been noticed already.
        let _ = handle.faults.send(Fault { generation, reason }).await;
        let anew = handle.live.wait_for(|live| {
            live.as_ref()
                .is_some_and(|live| live.generation > generation)
        });
        anew.await.unwrap();
        assert_eq!(bench.view(HOSTILE).restarts, 1, "{name}");
        assert_eq!(bench.view("farmops/git-pr-review").restarts, 0);
    }
}

#[tokio::test]
async fn a_panic_is_about_one_observation() {
    let place = tempfile::tempdir().unwrap();
    let bench = Bench::at_work(&[hostile(place.path(), "panics"), reviewer()]).await;
    for _ in 0..2 {
        let error = ask(&bench).await.unwrap_err();
        assert!(matches!(error, VerifyError::Observation(_)), "{error}");
    }
    assert_eq!(bench.view(HOSTILE).restarts, 0);
}

#[tokio::test]
async fn a_flood_is_counted_and_dropped() {
    let place = tempfile::tempdir().unwrap();
    let bench = Bench::at_work(&[hostile(place.path(), "floods"), reviewer()]).await;
    let flooded = bench.until(HOSTILE, |view| view.log_dropped > 1000);
    flooded.await;
    ask(&bench).await.unwrap();
    assert_eq!(bench.view(HOSTILE).restarts, 0);
}

async fn pry(bench: &Bench) -> Value {
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("shadow");
    std::fs::write(&secret, "root:x").unwrap();
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = outside.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let mut own = std::fs::read_dir(bench.folder.path().join("run")).unwrap();
    let target = json!({
        "file": secret, "folder": outside.path(), "tcp": tcp.local_addr().unwrap(),
        "socket": socket, "own": own.next().unwrap().unwrap().path(),
    });
    let live = bench.live(HOSTILE).await;
    let verdict = live.client.verify(observation(&target.to_string())).await;
    match verdict.unwrap() {
        Verdict::Rejected(report) => serde_json::from_str(&report).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_prying_plugin_reaches_nothing_outside() {
    let place = tempfile::tempdir().unwrap();
    let bench = Bench::at_work(&[hostile(place.path(), "pries")]).await;
    let sandbox = bench.view(HOSTILE).sandbox.unwrap();
    assert!(sandbox.seccomp && !sandbox.capabilities_kept);
    let report = pry(&bench).await;
    for attempt in ["tcp", "listen", "udp", "socket", "shell", "fork"] {
        assert_eq!(report[attempt], "Unsupported", "{attempt}: {report}");
    }
    assert_eq!(report["environment"], 2);
    // Without Landlock, files are as open as they are to the agent's user, and nothing is written.
    if sandbox.landlock.starts_with("abi") {
        for attempt in ["read", "write", "beside"] {
            assert_eq!(report[attempt], "PermissionDenied", "{attempt}: {report}");
        }
    }
}

/// As on a kernel without Landlock: its calls are answered so in a thread, and in what it starts.
fn without_landlock<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    let thread = std::thread::spawn(move || {
        let calls = [444, 445, 446].map(|call| (call, Vec::new()));
        let filter = seccompiler::SeccompFilter::new(
            calls.into(),
            seccompiler::SeccompAction::Allow,
            seccompiler::SeccompAction::Errno(38),
            std::env::consts::ARCH.try_into().unwrap(),
        );
        let filter: seccompiler::BpfProgram = filter.unwrap().try_into().unwrap();
        seccompiler::apply_filter(&filter).unwrap();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(test());
    });
    thread.join().unwrap();
}

#[test]
fn what_the_kernel_does_not_have_is_said_and_can_be_required() {
    // Built before the thread gives its rights away.
    crate::programs::hostile(std::env::temp_dir().as_path(), "calm");
    without_landlock(|| async {
        let place = tempfile::tempdir().unwrap();
        let plugins = [hostile(place.path(), "pries")];
        let bench = Bench::at_work(&plugins).await;
        let sandbox = bench.view(HOSTILE).sandbox.unwrap();
        assert_eq!(sandbox.landlock, "not in this kernel");
        assert!(sandbox.seccomp);
        let report = pry(&bench).await;
        assert_eq!(report["read"], "succeeded");
        assert_eq!(report["tcp"], "Unsupported");
        let bench = Bench::with(&plugins, Duration::from_secs(5), true);
        bench.runtime.load().await.unwrap();
        let reason = bench.deactivated(HOSTILE).await;
        assert!(
            reason.contains("`sandbox.required`") && reason.contains("landlock"),
            "{reason}"
        );
    });
}
