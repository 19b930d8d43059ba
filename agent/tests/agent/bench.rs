//! A plugin runtime alone, without an agent around it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farmops_agent::observation::SourceType;
use farmops_agent::plugins::{
    Components, Live, PluginHandle, PluginState, PluginView, Routes, Runtime, RuntimeBounds,
    RuntimeSetup,
};
use farmops_agent::sandbox::SandboxConfig;
use farmops_agent::store::Shares;
use farmops_plugin::Observation;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::programs;

pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) runtime: Arc<Runtime>,
    handles: Arc<Mutex<Vec<PluginHandle>>>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Bench {
    /// A runtime with a manifest, not loaded yet.
    pub(crate) fn new(plugins: &[Value]) -> Self {
        Self::with(plugins, Duration::from_secs(5), false)
    }

    pub(crate) fn with(plugins: &[Value], verify_deadline: Duration, required: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_manifest(folder.path(), plugins);
        let handles = Arc::new(Mutex::new(Vec::new()));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let taken = Arc::clone(&handles);
        let runtime = Runtime::new(RuntimeSetup {
            manifest: folder.path().join("farmops-plugins.yaml"),
            sources: BTreeMap::from([("github".to_owned(), SourceType::Github.into())]),
            routes: Routes::default(),
            shares: Shares::default(),
            bounds: RuntimeBounds {
                start_deadline: Duration::from_secs(20),
                verify_deadline,
                failures_max: 3,
                restart_delay: Duration::from_millis(5),
                restart_delay_max: Duration::from_millis(10),
                ..RuntimeBounds::default()
            },
            sandbox: SandboxConfig {
                required,
                launcher: Some(programs::agent()),
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

    /// A runtime whose plugins are at work.
    pub(crate) async fn at_work(plugins: &[Value]) -> Self {
        let bench = Self::new(plugins);
        bench.runtime.load().await.unwrap();
        for plugin in plugins {
            bench.live(plugin["id"].as_str().unwrap()).await;
        }
        bench
    }

    pub(crate) fn write(&self, plugins: &[Value]) {
        write_manifest(self.folder.path(), plugins);
    }

    pub(crate) async fn live(&self, id: &str) -> Live {
        let mut handle = self.handle(id);
        let live = handle.live.wait_for(Option::is_some);
        let live = tokio::time::timeout(Duration::from_mins(1), live).await;
        live.expect("it came up").unwrap().clone().unwrap()
    }

    /// Of the last load of this plugin.
    pub(crate) fn handle(&self, id: &str) -> PluginHandle {
        let handles = self.handles.lock().unwrap();
        let mut handles = handles.iter().rev();
        handles.find(|handle| handle.id == id).unwrap().clone()
    }

    pub(crate) fn view(&self, id: &str) -> PluginView {
        let views = self.runtime.views();
        views.into_iter().find(|view| view.id == id).unwrap()
    }

    /// Waits until the plugin's view is as it should be.
    pub(crate) async fn until(&self, id: &str, holds: impl Fn(&PluginView) -> bool) -> PluginView {
        let begin = tokio::time::Instant::now();
        loop {
            let view = self.view(id);
            if holds(&view) {
                return view;
            }
            assert!(begin.elapsed().as_secs() < 60, "{view:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn deactivated(&self, id: &str) -> String {
        let view = self.until(id, |view| {
            matches!(view.state, PluginState::Deactivated { .. })
        });
        match view.await.state {
            PluginState::Deactivated { reason } => reason,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn write_manifest(folder: &Path, plugins: &[Value]) {
    let manifest = json!({ "plugins": plugins }).to_string();
    std::fs::write(folder.join("farmops-plugins.yaml"), manifest).unwrap();
}

pub(crate) fn reviewer() -> Value {
    let binary = programs::folder().join("farmops-plugin-git-pr-review");
    json!({"id": "farmops/git-pr-review", "source": {"binary": binary}, "grants": [{"source": "github"}]})
}

pub(crate) const HOSTILE: &str = "farmops/hostile";

/// An entry for a plugin that misbehaves as `name` says.
pub(crate) fn hostile(place: &Path, name: &str) -> Value {
    let binary = programs::hostile(place, name);
    json!({"id": HOSTILE, "source": {"binary": binary}, "grants": [{"source": "github"}]})
}

pub(crate) fn observation(raw_data: &str) -> Observation {
    Observation {
        id: "0190a5d0-0000-7000-8000-000000000000".to_owned(),
        source_type: "github".to_owned(),
        event: "anything".to_owned(),
        raw_data: raw_data.as_bytes().to_vec(),
        detected_at: 1_772_000_000,
    }
}
