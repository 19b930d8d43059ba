//! What one call of a component may use.

use std::time::Duration;

/// Bounds of each call (PLUGIN-WASM-002). One call means a fresh instance, the settings handed over anew,
/// and one question; all three together stay inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Executed instructions. Default 2,000,000,000, one to two seconds of one core.
    pub fuel: u64,
    /// Wall time, to within [`crate::engine::TICK`]. Default 5 seconds.
    pub deadline: Duration,
    /// Bytes of linear memory, all memories together. Default 64 MiB.
    pub memory_bytes: usize,
    /// Elements of all tables together. Default 100,000.
    pub table_elements: usize,
    /// Bytes of one answer, evidence included, encoded as the process form sends it. Default 1 MiB.
    pub answer_bytes: usize,
    /// Lines of its log that one call may write. Default 20.
    pub log_lines_per_call: u32,
    /// Lines of its log that all calls may write within a minute. Default 60.
    pub log_lines_per_minute: u32,
    /// Bytes of one line; the rest of a longer one is cut off. Default 1 KiB.
    pub log_line_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            fuel: 2_000_000_000,
            deadline: Duration::from_secs(5),
            memory_bytes: 64 << 20,
            table_elements: 100_000,
            answer_bytes: 1 << 20,
            log_lines_per_call: 20,
            log_lines_per_minute: 60,
            log_line_bytes: 1024,
        }
    }
}

/// Bytes of a component.
pub const COMPONENT_BYTES_MAX: usize = 16 << 20;
/// Core instances, memories and tables of one component.
pub(crate) const INSTANCES_MAX: usize = 64;
/// Handles of the host that one call may be given, and calls that it may make of functions that return one.
pub(crate) const HANDLES_MAX: u32 = 4096;
/// Bytes of randomness that one call of the component asks for at once.
pub(crate) const RANDOM_BYTES_MAX: u64 = 64 << 10;
