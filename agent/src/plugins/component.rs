//! Plugins as WebAssembly components inside the agent: one engine, one cache, and calls on threads of their own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use farmops_component::component::ConfigureError;
use farmops_component::{Bounds, Cache, Compiler, Component, Engine, LoadError};
use farmops_plugin::{Description, Observation, Verdict};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::client::{CallError, VerifyError};
use super::manifest::PluginSpec;
use crate::observation::SourceType;

/// The folder of native code, within the data folder.
const CACHE_FOLDER: &str = "components";
/// The program that compiles, beside the agent's own.
const COMPILER: &str = "farmops-agent-compiler";

/// Why a component does not run. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// This machine cannot run any.
    #[error("this machine cannot run WebAssembly: {0}")]
    Engine(String),
    /// It is none, or cannot be compiled.
    #[error("`source.component`: {0}")]
    Load(#[from] LoadError),
    /// The agent ends.
    #[error("the agent is stopping")]
    Stopping,
}

/// What all components of an agent share. Costs nothing until the first one is loaded.
#[derive(Debug)]
pub struct Components {
    engine: OnceLock<Engine>,
    /// Two components that are loaded at once do not make two engines.
    making: Mutex<()>,
    cache: Cache,
    compiler: Compiler,
}

impl Components {
    /// With the cache in `data_dir`, sealed under a key that is derived from `secret`, and the compiler
    /// program `compiler`, or the one beside this program.
    pub fn new(data_dir: &Path, secret: &[u8; 32], compiler: Option<PathBuf>) -> Arc<Self> {
        Arc::new(Self {
            engine: OnceLock::new(),
            making: Mutex::default(),
            cache: Cache::new(data_dir.join(CACHE_FOLDER), cache_key(secret)),
            compiler: Compiler::new(compiler.unwrap_or_else(compiler_beside)),
        })
    }

    /// Loads a component, compiling it if it is new.
    pub(super) async fn load(
        self: &Arc<Self>,
        spec: &PluginSpec,
        content: Vec<u8>,
        deadline: Duration,
    ) -> Result<ComponentClient, ComponentError> {
        let (components, name) = (Arc::clone(self), spec.id.clone());
        let bounds = bounds(spec, deadline);
        let loaded = tokio::task::spawn_blocking(move || {
            let engine = components.engine()?;
            let (cache, compiler) = (&components.cache, &components.compiler);
            let component = Component::load(engine, cache, compiler, &content, &name, bounds)?;
            Ok(ComponentClient {
                name: Arc::from(name),
                component: Arc::new(component),
                declared: Arc::default(),
                log_dropped: Arc::default(),
            })
        });
        loaded.await.map_err(|_| ComponentError::Stopping)?
    }

    fn engine(&self) -> Result<&Engine, ComponentError> {
        let _one_at_a_time = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        let engine = Engine::new().map_err(|e| ComponentError::Engine(format!("{e:#}")))?;
        Ok(self.engine.get_or_init(|| engine))
    }
}

/// The compiler program beside this one.
pub(super) fn compiler_beside() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.with_file_name(COMPILER)
}

/// Native code that was sealed under another secret is not this agent's.
fn cache_key(secret: &[u8; 32]) -> [u8; 32] {
    // HMAC takes a key of any length.
    let mut mac = match Hmac::<Sha256>::new_from_slice(secret) {
        Ok(mac) => mac,
        Err(never) => unreachable!("{never}"),
    };
    mac.update(b"farmops component cache key 1");
    mac.finalize().into_bytes().into()
}

fn bounds(spec: &PluginSpec, deadline: Duration) -> Bounds {
    let limits = spec.limits;
    Bounds {
        fuel: limits.fuel,
        deadline,
        memory_bytes: usize::try_from(u64::from(limits.memory_mib) << 20).unwrap_or(usize::MAX),
        log_lines_per_minute: limits.log_lines,
        ..Bounds::default()
    }
}

/// Asks a component. Each question is answered by a fresh instance, within its bounds.
#[derive(Debug, Clone)]
pub struct ComponentClient {
    name: Arc<str>,
    component: Arc<Component>,
    /// A component is a pure function; what it once said of itself it says always.
    declared: Arc<OnceLock<Description>>,
    log_dropped: Arc<AtomicU64>,
}

impl ComponentClient {
    pub(super) async fn verify(&self, observation: Observation) -> Result<Verdict, VerifyError> {
        use farmops_component::VerifyError as Failed;
        let answer = self.ask(move |component| component.verify(&observation));
        match answer.await.map_err(|e| VerifyError::Plugin(e.message))? {
            Ok(judged) => Ok(judged.verdict),
            Err(Failed::Observation(fault)) => {
                self.count(fault.kind());
                Err(VerifyError::Observation(fault.to_string()))
            }
            Err(Failed::Component(fault)) => {
                self.count(fault.kind());
                Err(VerifyError::Plugin(fault.to_string()))
            }
        }
    }

    pub(super) async fn describe(&self) -> Result<Description, CallError> {
        if let Some(declared) = self.declared.get() {
            return Ok(declared.clone());
        }
        let answer = self.ask(Component::describe).await?;
        let description = answer.map_err(|fault| {
            self.count(fault.kind());
            failed("Describe", fault.to_string())
        })?;
        Ok(self.declared.get_or_init(|| description).clone())
    }

    pub(super) async fn configure(
        &self,
        granted: &[(String, SourceType)],
        settings_json: Vec<u8>,
    ) -> Result<Vec<String>, CallError> {
        let granted: Vec<(String, String)> = granted
            .iter()
            .map(|(name, source_type)| (name.clone(), source_type.as_str().to_owned()))
            .collect();
        let answer = self.ask(move |component| component.configure(&granted, &settings_json));
        let configured = answer.await?.map_err(|error| {
            if let ConfigureError::Call(fault) = &error {
                self.count(fault.kind());
            }
            failed("ConfigureSources", error.to_string())
        })?;
        Ok(configured.wanted)
    }

    /// Lines of it that were not logged; shared with whoever shows it.
    pub(super) fn log_dropped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.log_dropped)
    }

    /// Calls on a thread that may block: the agent's own goes on meanwhile.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Component) -> T + Send + 'static,
    ) -> Result<T, CallError> {
        let component = Arc::clone(&self.component);
        let answer = tokio::task::spawn_blocking(move || question(&component)).await;
        let dropped = self.component.log_counts().dropped;
        self.log_dropped.store(dropped, Ordering::Relaxed);
        metrics::counter!("farmops_agent_plugin_log_lines_dropped_total", "plugin" => self.name.to_string())
            .absolute(dropped);
        answer.map_err(|_| failed("anything", "the agent is stopping".to_owned()))
    }

    fn count(&self, kind: &'static str) {
        metrics::counter!("farmops_agent_plugin_faults_total", "plugin" => self.name.to_string(), "kind" => kind)
            .increment(1);
    }
}

fn failed(call: &'static str, message: String) -> CallError {
    CallError { call, message }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn no_engine_is_made_before_there_is_a_component() {
        let folder = tempfile::tempdir().unwrap();
        let components = Components::new(folder.path(), &[1; 32], None);
        assert!(components.engine.get().is_none());
        assert!(!folder.path().join(CACHE_FOLDER).exists());
        components.engine().unwrap();
        assert!(components.engine.get().is_some());
    }

    #[test]
    fn another_farms_secret_makes_another_key() {
        assert_ne!(cache_key(&[1; 32]), cache_key(&[2; 32]));
        assert_ne!(cache_key(&[1; 32]), [1; 32]);
    }
}
