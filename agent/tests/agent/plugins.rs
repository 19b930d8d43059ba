//! Plugin processes that die, lie, hang and come back.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farmops_agent::observation::SourceType;
use farmops_agent::plugins::{
    Components, Fault, Live, PluginHandle, PluginState, Routes, Runtime, RuntimeBounds,
    RuntimeSetup,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::journey::write_program;
use crate::programs;

pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) runtime: Arc<Runtime>,
    handles: Arc<Mutex<Vec<PluginHandle>>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Bench {
    fn new(plugin: &Value) -> Self {
        Self::of(std::slice::from_ref(plugin))
    }

    pub(crate) fn of(plugins: &[Value]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_manifests(folder.path(), plugins);
        let handles = Arc::new(Mutex::new(Vec::new()));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let taken = Arc::clone(&handles);
        let runtime = Runtime::new(RuntimeSetup {
            manifest: folder.path().join("farmops-plugins.yaml"),
            sources: BTreeMap::from([("github".to_owned(), SourceType::Github)]),
            routes: Routes::default(),
            bounds: RuntimeBounds {
                start_deadline: Duration::from_secs(5),
                failures_max: 3,
                restart_delay: Duration::from_millis(5),
                restart_delay_max: Duration::from_millis(10),
                ..RuntimeBounds::default()
            },
            data_dir: folder.path().to_owned(),
            components: Components::new(folder.path(), &[9; 32], Some(programs::compiler())),
            tasks: tasks.clone(),
            stop: stop.clone(),
            start_worker: Box::new(move |handle, _| taken.lock().unwrap().push(handle)),
        })
        .unwrap();
        Self {
            folder,
            runtime: Arc::new(runtime),
            handles,
            stop,
            tasks,
        }
    }

    /// The living plugin of the last (re)load.
    async fn live(&self) -> Live {
        alive(self.handle()).await
    }

    pub(crate) async fn live_of(&self, id: &str) -> Live {
        let handle = {
            let handles = self.handles.lock().unwrap();
            handles.iter().rfind(|handle| handle.id == id).cloned()
        };
        alive(handle.unwrap()).await
    }

    fn handle(&self) -> PluginHandle {
        self.handles.lock().unwrap().last().unwrap().clone()
    }

    async fn until(&self, id: Option<&str>, holds: impl Fn(&PluginState) -> bool) -> PluginState {
        let begin = tokio::time::Instant::now();
        loop {
            let views = self.runtime.views();
            let view = views
                .into_iter()
                .find(|view| id.is_none_or(|id| id == view.id));
            let state = view.unwrap().state;
            if holds(&state) {
                return state;
            }
            assert!(begin.elapsed().as_secs() < 60, "{state:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn deactivated(&self) -> String {
        self.deactivated_one(None).await
    }

    pub(crate) async fn deactivated_of(&self, id: &str) -> String {
        self.deactivated_one(Some(id)).await
    }

    async fn deactivated_one(&self, id: Option<&str>) -> String {
        let deactivated = |state: &PluginState| matches!(state, PluginState::Deactivated { .. });
        match self.until(id, deactivated).await {
            PluginState::Deactivated { reason } => reason,
            other => panic!("{other:?}"),
        }
    }
}

async fn alive(mut handle: PluginHandle) -> Live {
    let live = handle.live.wait_for(Option::is_some);
    let live = tokio::time::timeout(Duration::from_secs(60), live).await;
    live.expect("it came up").unwrap().clone().unwrap()
}

pub(crate) fn write_manifests(folder: &Path, plugins: &[Value]) {
    let manifest = json!({ "plugins": plugins }).to_string();
    std::fs::write(folder.join("farmops-plugins.yaml"), manifest).unwrap();
}

fn write_manifest(folder: &Path, plugin: &Value) {
    let manifest = json!({ "plugins": [plugin] }).to_string();
    std::fs::write(folder.join("farmops-plugins.yaml"), manifest).unwrap();
}

fn reviewer() -> Value {
    let binary = programs::folder().join("farmops-plugin-git-pr-review");
    json!({"id": "farmops/git-pr-review", "source": {"binary": binary}, "grants": [{"source": "github"}]})
}

#[tokio::test]
async fn a_killed_plugin_is_restarted_and_too_many_failures_deactivate_it() {
    let bench = Bench::new(&reviewer());
    bench.runtime.reload().await.unwrap();
    let mut faults = 0;
    let reason = loop {
        let mut handle = bench.handle();
        let generation = bench.live().await.generation;
        // As a worker does when the process hangs over an observation.
        let reason = "no verdict in time".to_owned();
        let fault = Fault { generation, reason };
        handle.faults.send(fault).await.unwrap();
        faults += 1;
        let gone = |live: &Option<Live>| live.as_ref().is_none_or(|l| l.generation > generation);
        handle.live.wait_for(gone).await.unwrap();
        if faults == 3 {
            break bench.deactivated().await;
        }
    };
    assert_eq!(reason, "no verdict in time");
    assert_eq!(bench.runtime.views()[0].restarts, 2);
    assert!(bench.runtime.unready().is_some());
    // A reload gives it another chance.
    bench.runtime.reload().await.unwrap();
    bench.live().await;
    assert!(bench.runtime.unready().is_none());
    bench.stop.cancel();
    bench.tasks.close();
    bench.tasks.wait().await;
    assert_eq!(bench.runtime.views()[0].state, PluginState::Stopped);
}

#[tokio::test]
async fn programs_that_are_no_such_plugin_are_deactivated_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let program = |name: &str, script: &str| {
        let path = folder.path().join(name);
        write_program(&path, script);
        json!({"id": "a/b", "source": {"binary": path}})
    };
    let mut liar = reviewer();
    liar["id"] = json!("farmops/other");
    let mut misconfigured = reviewer();
    misconfigured["config"] = json!({"approval_words_min": "many"});
    let mut outdated = reviewer();
    outdated["version"] = json!("^7");
    for (plugin, expected) in [
        (program("ends", "exit 3"), "exit status 3"),
        (program("talks", "echo hello"), "not the handshake"),
        (
            program("newer", "echo 'FARMOPS|9|unix|/tmp/x|grpc'"),
            "version 9",
        ),
        (
            program("elsewhere", "echo 'FARMOPS|1|unix|/tmp/x|grpc'"),
            "elsewhere",
        ),
        (
            program("env", "[ \"$(env | grep -c HOME)\" = 0 ] && exit 7"),
            "exit status 7",
        ),
        (liar, "calls itself `farmops/git-pr-review`"),
        (misconfigured, "`config/approval_words_min`"),
        (outdated, "`^7` excludes"),
    ] {
        let bench = Bench::new(&plugin);
        bench.runtime.reload().await.unwrap();
        let reason = bench.deactivated().await;
        assert!(reason.contains(expected), "{expected}: {reason}");
    }
}

#[tokio::test]
async fn a_broken_manifest_changes_nothing_and_an_empty_one_stops_all() {
    let bench = Bench::new(&reviewer());
    bench.runtime.reload().await.unwrap();
    bench.live().await;
    let manifest = bench.folder.path().join("farmops-plugins.yaml");
    std::fs::write(&manifest, "plugins: [{id: a/b, source: {}}]").unwrap();
    assert!(bench.runtime.reload().await.is_err());
    assert_eq!(bench.runtime.views()[0].state, PluginState::Running);
    std::fs::write(&manifest, "plugins: []").unwrap();
    bench.runtime.reload().await.unwrap();
    assert!(bench.runtime.views().is_empty());
}
