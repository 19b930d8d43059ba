//! The engine: its settings, which make every call bounded and repeatable, and the clock behind deadlines.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use wasmtime::{Config, EngineWeak, ModuleVersionStrategy};

/// How often a running call is looked at: deadlines hold to within this.
pub const TICK: Duration = Duration::from_millis(10);

/// Changes whenever [`engine_config`] or the compiler's own settings do, so that no old native code is
/// taken for new.
const GENERATION: u32 = 1;

/// Stack of a component.
const STACK_BYTES: usize = 512 << 10;

/// The settings that native code is made with and loaded with. The same on both sides.
pub fn engine_config() -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        // What is left to choose by a specification is chosen here, once.
        .relaxed_simd_deterministic(true)
        .wasm_relaxed_simd(true)
        // One thread, one memory of 32 bits, no collector: what plugins are compiled to.
        .shared_memory(false)
        .wasm_shared_everything_threads(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_stack_switching(false)
        .wasm_tail_call(false)
        .gc_support(false)
        .concurrency_support(false)
        // Reports name no functions; without the map native code is smaller.
        .generate_address_map(false)
        .wasm_backtrace_max_frames(None)
        .memory_init_cow(true);
    config
}

/// The settings of the compiler program: [`engine_config`], canonical NaNs, and code for any CPU of this
/// architecture, so that a data folder can move to another machine.
///
/// # Errors
/// When there is no code generator for this architecture.
#[cfg(feature = "compiler")]
pub fn compiler_config() -> wasmtime::Result<Config> {
    let mut config = engine_config();
    config
        .target(&format!("{}-unknown-linux-gnu", std::env::consts::ARCH))?
        .cranelift_nan_canonicalization(true)
        .cranelift_opt_level(wasmtime::OptLevel::Speed);
    Ok(config)
}

/// Names the settings, the engine's version and the architecture: native code of one name is loaded by
/// engines of that name only.
pub fn compatibility() -> String {
    let version = ModuleVersionStrategy::WasmtimeVersion;
    let text = format!(
        "farmops component {GENERATION} wasmtime {} {} {}",
        version.as_str(),
        std::env::consts::ARCH,
        std::env::consts::OS,
    );
    hex::encode(&Sha256::digest(text)[..8])
}

/// One engine for all components of an agent. Made when the first component is loaded, since it costs memory.
#[derive(Debug, Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    ticker: Arc<Ticker>,
}

impl Engine {
    /// An engine.
    ///
    /// # Errors
    /// When this machine can not run one.
    pub fn new() -> wasmtime::Result<Self> {
        let inner = wasmtime::Engine::new(&engine_config())?;
        let ticker = Arc::new(Ticker::default());
        Ok(Self { inner, ticker })
    }

    pub(crate) const fn inner(&self) -> &wasmtime::Engine {
        &self.inner
    }

    /// Lets deadlines pass until the answer is dropped.
    pub(crate) fn run_clock(&self) -> Running {
        let mut state = self.ticker.state();
        state.running += 1;
        if !state.started {
            state.started = true;
            let (ticker, engine) = (Arc::downgrade(&self.ticker), self.inner.weak());
            // Sleeps unless a call runs, and ends with the engine.
            std::thread::spawn(move || tick(&ticker, &engine));
        }
        drop(state);
        self.ticker.wake.notify_one();
        Running(Arc::clone(&self.ticker))
    }

    /// A deadline in ticks from now.
    pub(crate) fn ticks(deadline: Duration) -> u64 {
        let ticks = deadline.as_millis().div_ceil(TICK.as_millis());
        // The tick under way may end at once.
        u64::try_from(ticks).unwrap_or(u64::MAX).saturating_add(1)
    }
}

#[derive(Debug, Default)]
struct Ticker {
    state: Mutex<TickerState>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct TickerState {
    running: usize,
    started: bool,
}

impl Ticker {
    fn state(&self) -> MutexGuard<'_, TickerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While this lives, the clock of the engine runs.
pub(crate) struct Running(Arc<Ticker>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.state().running -= 1;
    }
}

/// How long the thread sleeps before it looks whether its engine is gone.
const IDLE: Duration = Duration::from_mins(1);

fn tick(ticker: &std::sync::Weak<Ticker>, engine: &EngineWeak) {
    while let (Some(ticker), Some(engine)) = (ticker.upgrade(), engine.upgrade()) {
        let mut state = ticker.state();
        if state.running == 0 {
            let waited = ticker.wake.wait_timeout(state, IDLE);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let runs = state.running > 0;
        drop(state);
        drop(ticker);
        if runs {
            std::thread::sleep(TICK);
            engine.increment_epoch();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_engine_can_be_made_and_names_itself() {
        Engine::new().unwrap();
        assert_eq!(compatibility().len(), 16);
    }

    #[test]
    fn a_deadline_is_never_shorter_than_asked_for() {
        assert_eq!(Engine::ticks(Duration::from_millis(100)), 11);
        assert_eq!(Engine::ticks(Duration::from_millis(101)), 12);
        assert_eq!(Engine::ticks(Duration::ZERO), 1);
    }
}
