//! A loaded component and its calls: each in a fresh instance, inside bounds, leaving nothing behind.

use std::sync::{Arc, PoisonError, RwLock};

use farmops_plugin::{Description, Observation, Verdict};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Store, Trap};

use crate::bounds::{Bounds, COMPONENT_BYTES_MAX};
use crate::cache::{Cache, ComponentDigest};
use crate::compile::{CompileError, Compiler};
use crate::convert;
use crate::engine::Engine;
use crate::fault::Fault;
use crate::host::{Broken, Call, LogBudget, LogCounts};
use crate::wasi;
use crate::wit::farmops::plugin::types as wit;
use crate::wit::{Plugin, PluginPre};

/// Why a component can not be used. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// More than [`COMPONENT_BYTES_MAX`].
    #[error("the component is larger than {COMPONENT_BYTES_MAX} bytes")]
    TooLarge,
    /// Something else than a component: a core module, or no WebAssembly at all.
    #[error("this is no WebAssembly component{0}")]
    NoComponent(&'static str),
    /// It was not compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The compiler's native code does not fit this engine: two programs of different versions.
    #[error("the compiler beside the agent is of another version: {0}")]
    Native(String),
    /// It does not export `farmops:plugin/plugin`, or imports something of a shape that it does not have.
    #[error("it does not fit the world farmops:plugin/plugin@1.0.0: {0}")]
    World(String),
}

/// Why an observation got no verdict.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The component failed before it saw the observation; no other one will fare better.
    #[error("{0}")]
    Component(Fault),
    /// The component failed over this observation.
    #[error("{0}")]
    Observation(Fault),
}

/// Why settings were not taken over.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    /// The plugin says why.
    #[error("refuses its settings: {0}")]
    Refused(String),
    /// The call broke a bound.
    #[error("{0}")]
    Call(#[from] Fault),
}

/// A verdict and what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// Instructions executed, the settings' part included. Always the same for the same observation,
    /// settings and component.
    pub fuel: u64,
}

/// Settings that the plugin has taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// Names of the granted sources that it wants to read.
    pub wanted: Vec<String>,
}

/// A component that can be called, from any number of threads.
pub struct Component {
    engine: Engine,
    pre: PluginPre<Call>,
    digest: ComponentDigest,
    /// The plugin's id, for its log.
    name: String,
    bounds: Bounds,
    log: LogBudget,
    settings: RwLock<Option<Arc<Settings>>>,
}

struct Settings {
    granted: Vec<wit::Source>,
    json: Vec<u8>,
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component")
            .field("name", &self.name)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl Component {
    /// Loads the component in `bytes`, out of the cache where it is there. `name` stands before its log.
    /// Blocks while it is compiled.
    ///
    /// # Errors
    /// [`LoadError`], which is always about the component or this installation.
    pub fn load(
        engine: &Engine,
        cache: &Cache,
        compiler: &Compiler,
        bytes: &[u8],
        name: &str,
        bounds: Bounds,
    ) -> Result<Self, LoadError> {
        check_shape(bytes)?;
        let digest = ComponentDigest::of(bytes);
        let native = native(engine, cache, compiler, bytes, &digest)?;
        let world = |error: wasmtime::Error| LoadError::World(format!("{error:#}"));
        let mut linker: Linker<Call> = Linker::new(engine.inner());
        Plugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |call| call).map_err(world)?;
        wasi::answer(&mut linker, engine, &native).map_err(world)?;
        linker
            .define_unknown_imports_as_traps(&native)
            .map_err(world)?;
        let pre = linker.instantiate_pre(&native).map_err(world)?;
        Ok(Self {
            engine: engine.clone(),
            pre: PluginPre::new(pre).map_err(world)?,
            digest,
            name: name.to_owned(),
            bounds,
            log: LogBudget::default(),
            settings: RwLock::default(),
        })
    }

    /// SHA-256 of its bytes.
    pub const fn digest(&self) -> &ComponentDigest {
        &self.digest
    }

    /// Lines of its log so far.
    pub fn log_counts(&self) -> LogCounts {
        self.log.counts()
    }

    /// What the plugin says of itself. The declaration's own rules are not checked here.
    ///
    /// # Errors
    /// The bound that it broke; the component is unusable.
    pub fn describe(&self) -> Result<Description, Fault> {
        let mut call = self.begin(0);
        let answer = call.instantiate().and_then(|plugin| {
            let answer = plugin.call_describe(&mut call.store);
            convert::description(answer.map_err(|error| call.fault(&error))?)
        });
        call.end();
        answer
    }

    /// Hands over the granted sources (name, type) and the operator's settings, and keeps them for every
    /// later call.
    ///
    /// # Errors
    /// The plugin's refusal, or the bound that it broke.
    pub fn configure(
        &self,
        granted: &[(String, String)],
        settings: &[u8],
    ) -> Result<Configured, ConfigureError> {
        let settings = Settings {
            granted: granted
                .iter()
                .map(|(name, source_type)| wit::Source {
                    name: name.clone(),
                    source_type: source_type.clone(),
                })
                .collect(),
            json: settings.to_vec(),
        };
        let mut call = self.begin(0);
        let answer = call
            .instantiate()
            .and_then(|plugin| call.configure(&plugin, &settings));
        call.end();
        let wanted = answer?.map_err(ConfigureError::Refused)?;
        let mut kept = self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *kept = Some(Arc::new(settings));
        Ok(Configured { wanted })
    }

    /// Has one observation judged, by a fresh instance that was given the settings first.
    ///
    /// # Errors
    /// The bound that was broken, over the settings or over the observation.
    pub fn verify(&self, observation: &Observation) -> Result<Judged, VerifyError> {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        let settings = settings.clone();
        let mut call = self.begin(observation.detected_at);
        let judged = call.judge(settings.as_deref(), observation);
        call.end();
        judged
    }

    fn begin(&self, clock: i64) -> Running<'_> {
        let mut store = Store::new(self.engine.inner(), Call::new(self.bounds, clock));
        store.limiter(|call| &mut call.limits);
        store.set_epoch_deadline(Engine::ticks(self.bounds.deadline));
        // What the component sends over at once, as an answer or as a line for its log.
        store.set_hostcall_fuel(self.bounds.answer_bytes.saturating_mul(2));
        let without_fuel = store.set_fuel(self.bounds.fuel);
        debug_assert!(without_fuel.is_ok(), "the engine counts fuel");
        Running {
            component: self,
            _clock: self.engine.run_clock(),
            store,
        }
    }
}

/// One call under way.
struct Running<'a> {
    component: &'a Component,
    _clock: crate::engine::Running,
    store: Store<Call>,
}

impl Running<'_> {
    fn instantiate(&mut self) -> Result<Plugin, Fault> {
        let plugin = self.component.pre.instantiate(&mut self.store);
        plugin.map_err(|error| self.fault(&error))
    }

    fn configure(
        &mut self,
        plugin: &Plugin,
        settings: &Settings,
    ) -> Result<Result<Vec<String>, String>, Fault> {
        plugin
            .call_configure_sources(&mut self.store, &settings.granted, &settings.json)
            .map_err(|error| self.fault(&error))
    }

    fn judge(
        &mut self,
        settings: Option<&Settings>,
        observation: &Observation,
    ) -> Result<Judged, VerifyError> {
        let plugin = self.instantiate().map_err(VerifyError::Component)?;
        if let Some(settings) = settings {
            self.configure(&plugin, settings)
                .and_then(|answer| answer.map_err(|_| changed_its_mind()))
                .map_err(VerifyError::Component)?;
        }
        let answer = plugin
            .call_verify(&mut self.store, &convert::observation(observation))
            .map_err(|error| self.fault(&error))
            .and_then(convert::verdict)
            .and_then(|verdict| self.bounded(verdict));
        let verdict = answer.map_err(VerifyError::Observation)?;
        let left = self.store.get_fuel().unwrap_or(0);
        let fuel = self.component.bounds.fuel.saturating_sub(left);
        Ok(Judged { verdict, fuel })
    }

    fn bounded(&self, verdict: Verdict) -> Result<Verdict, Fault> {
        let most = self.component.bounds.answer_bytes;
        if verdict.to_bytes().len() > most {
            return Err(Fault::TooLarge(most));
        }
        Ok(verdict)
    }

    fn end(self) {
        let component = self.component;
        let log = self.store.into_data().into_log();
        let per_minute = component.bounds.log_lines_per_minute;
        component.log.write(&component.name, &log, per_minute);
    }

    /// What the engine's error means.
    fn fault(&self, error: &wasmtime::Error) -> Fault {
        let bounds = self.component.bounds;
        if let Some(fault) = &self.store.data().limits.broken {
            return fault.clone();
        }
        if let Some(Broken(fault)) = error.downcast_ref() {
            return fault.clone();
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => return Fault::Fuel(bounds.fuel),
            Some(Trap::Interrupt) => return Fault::Time(bounds.deadline),
            Some(Trap::StackOverflow) => return Fault::Stack,
            Some(trap) => return Fault::Crash(trap.to_string()),
            None => {}
        }
        let reason = error.root_cause().to_string();
        if let Some(name) = reason.strip_prefix("unknown import: `") {
            let name = name.split('`').next().unwrap_or(name);
            return Fault::Forbidden(name.chars().take(200).collect());
        }
        if reason.contains("fuel allocated for hostcalls") {
            return Fault::TooLarge(bounds.answer_bytes);
        }
        Fault::Malformed(reason.chars().take(200).collect())
    }
}

/// Settings that were taken once are taken always, by PLUGIN-CALL-002.
fn changed_its_mind() -> Fault {
    Fault::Malformed("settings that it has taken before are now refused".to_owned())
}

fn check_shape(bytes: &[u8]) -> Result<(), LoadError> {
    if bytes.len() > COMPONENT_BYTES_MAX {
        return Err(LoadError::TooLarge);
    }
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', 0x0d, 0, 1, 0]) => Ok(()),
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => Err(LoadError::NoComponent(
            ", but a core module; build it for the target wasm32-wasip2",
        )),
        _ => Err(LoadError::NoComponent("")),
    }
}

/// The component as the engine has it: from the cache, or compiled now and put there.
fn native(
    engine: &Engine,
    cache: &Cache,
    compiler: &Compiler,
    bytes: &[u8],
    digest: &ComponentDigest,
) -> Result<wasmtime::component::Component, LoadError> {
    if let Some(native) = cache.read(digest) {
        match native.load(engine) {
            Ok(component) => return Ok(component),
            Err(error) => {
                let digest = digest.as_str();
                tracing::info!(digest, %error, "cached native code does not fit; compiling again");
            }
        }
    }
    let native = compiler.compile(bytes)?;
    let component = native
        .load(engine)
        .map_err(|error| LoadError::Native(format!("{error:#}")))?;
    if let Err(error) = cache.write(digest, &native) {
        tracing::warn!(%error, "native code can not be kept; it will be compiled again");
    }
    Ok(component)
}
