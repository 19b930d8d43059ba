//! What a component finds around it: a bounded log, a bounded memory, and otherwise nothing.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::ResourceLimiter;

use crate::bounds::{Bounds, HANDLES_MAX, INSTANCES_MAX};
use crate::fault::Fault;
use crate::wit::farmops::plugin::log::{Host as Log, Level};
use crate::wit::farmops::plugin::types;

/// The state of one call.
pub(crate) struct Call {
    bounds: Bounds,
    pub(crate) limits: Limits,
    pub(crate) log: CallLog,
    /// Seconds since 1970: the observation's, so that a clock that is asked says the same each time.
    pub(crate) clock: i64,
    random: u64,
    handles: u32,
    /// What the component printed since the last end of line.
    printed: Vec<u8>,
}

impl Call {
    pub(crate) fn new(bounds: Bounds, clock: i64) -> Self {
        Self {
            bounds,
            limits: Limits {
                memory_left: bounds.memory_bytes,
                elements_left: bounds.table_elements,
                bounds,
                broken: None,
            },
            log: CallLog::default(),
            clock,
            random: 0,
            handles: 0,
            printed: Vec::new(),
        }
    }

    /// The next of always the same numbers (`SplitMix64` from 0): hash maps want some, nobody needs secrets.
    pub(crate) const fn number(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One more handle for the component to hold; each costs memory of the host.
    pub(crate) fn handle(&mut self) -> wasmtime::Result<()> {
        self.handles += 1;
        if self.handles > HANDLES_MAX {
            return Err(Broken(Fault::Forbidden("for more handles".to_owned())).into());
        }
        Ok(())
    }

    /// Takes what the component prints: whole lines go to its log.
    pub(crate) fn print(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = self
                .bounds
                .log_line_bytes
                .saturating_sub(self.printed.len());
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            self.printed
                .extend_from_slice(&text[..text.len().min(room)]);
            if part.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.printed);
        if !line.is_empty() {
            self.say(tracing::Level::INFO, &String::from_utf8_lossy(&line));
        }
    }

    fn say(&mut self, level: tracing::Level, message: &str) {
        let log = &mut self.log;
        if log.lines.len() >= self.bounds.log_lines_per_call as usize {
            log.dropped += 1;
            return;
        }
        let mut end = message.len().min(self.bounds.log_line_bytes);
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        log.lines.push((level, message[..end].to_owned()));
    }

    /// The log of this call, once it has ended.
    pub(crate) fn into_log(mut self) -> CallLog {
        self.end_line();
        self.log
    }
}

impl Log for Call {
    // Never waits: a line is kept in memory or dropped, and written once the call has ended.
    fn log(&mut self, level: Level, message: String) {
        let level = match level {
            Level::Debug => tracing::Level::DEBUG,
            Level::Info => tracing::Level::INFO,
            Level::Warn => tracing::Level::WARN,
            Level::Error => tracing::Level::ERROR,
        };
        self.say(level, &message);
    }
}

impl types::Host for Call {}

/// Ends a call for a reason that the engine does not know of.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Broken(pub(crate) Fault);

/// What is left of a call's memory.
pub(crate) struct Limits {
    memory_left: usize,
    elements_left: usize,
    bounds: Bounds,
    /// The bound that was broken before there was anything to call.
    pub(crate) broken: Option<Fault>,
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let fault = Fault::Memory(self.bounds.memory_bytes);
        take(
            &mut self.memory_left,
            current,
            desired,
            fault,
            &mut self.broken,
        )
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let fault = Fault::Tables(self.bounds.table_elements);
        take(
            &mut self.elements_left,
            current,
            desired,
            fault,
            &mut self.broken,
        )
    }

    fn instances(&self) -> usize {
        INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        INSTANCES_MAX
    }

    fn memories(&self) -> usize {
        INSTANCES_MAX
    }
}

/// A call that wants too much ends: told "no" only, it would end in a crash that says less.
fn take(
    left: &mut usize,
    current: usize,
    desired: usize,
    fault: Fault,
    broken: &mut Option<Fault>,
) -> wasmtime::Result<bool> {
    let Some(rest) = left.checked_sub(desired.saturating_sub(current)) else {
        *broken = Some(fault.clone());
        return Err(Broken(fault).into());
    };
    *left = rest;
    Ok(true)
}

/// What one call wrote to its log.
#[derive(Debug, Default)]
pub(crate) struct CallLog {
    pub(crate) lines: Vec<(tracing::Level, String)>,
    pub(crate) dropped: u64,
}

/// The log of all calls of a component: how many lines of this minute are left.
#[derive(Debug)]
pub(crate) struct LogBudget {
    state: Mutex<LogState>,
}

#[derive(Debug)]
struct LogState {
    minute: Instant,
    written_this_minute: u32,
    counts: LogCounts,
}

/// Lines of a component's log since it was loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Written to the agent's log.
    pub written: u64,
    /// Dropped: too many in one call or in one minute.
    pub dropped: u64,
}

impl Default for LogBudget {
    fn default() -> Self {
        let state = LogState {
            minute: Instant::now(),
            written_this_minute: 0,
            counts: LogCounts::default(),
        };
        Self {
            state: Mutex::new(state),
        }
    }
}

impl LogBudget {
    /// Writes the lines for which there is room.
    pub(crate) fn write(&self, plugin: &str, log: &CallLog, per_minute: u32) {
        let room = self.account(log, per_minute, Instant::now());
        for (level, line) in &log.lines[..room] {
            // A plugin's words may be words of what it saw: they are not in the usual log.
            tracing::debug!(plugin, %level, output = line, "plugin says");
        }
    }

    /// How many of the lines may be written; the others count as dropped.
    fn account(&self, log: &CallLog, per_minute: u32, now: Instant) -> usize {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(state.minute) >= Duration::from_mins(1) {
            state.minute = now;
            state.written_this_minute = 0;
        }
        let left = per_minute.saturating_sub(state.written_this_minute);
        let lines = u32::try_from(log.lines.len()).unwrap_or(u32::MAX);
        let room = lines.min(left);
        state.written_this_minute += room;
        state.counts.written += u64::from(room);
        state.counts.dropped += u64::from(lines - room) + log.dropped;
        room as usize
    }

    pub(crate) fn counts(&self) -> LogCounts {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> CallLog {
        CallLog {
            lines: vec![(tracing::Level::INFO, "x".to_owned()); count],
            dropped: 0,
        }
    }

    #[test]
    fn a_minute_has_its_lines_and_the_rest_is_counted() {
        let budget = LogBudget::default();
        let start = Instant::now();
        assert_eq!(budget.account(&lines(4), 6, start), 4);
        assert_eq!(budget.account(&lines(4), 6, start), 2);
        let expected = LogCounts {
            written: 6,
            dropped: 2,
        };
        assert_eq!(budget.counts(), expected);
        let later = start + Duration::from_secs(61);
        assert_eq!(budget.account(&lines(4), 6, later), 4);
    }

    #[test]
    fn a_line_is_cut_between_characters_and_a_call_has_its_lines() {
        let bounds = Bounds {
            log_line_bytes: 4,
            log_lines_per_call: 2,
            ..Bounds::default()
        };
        let mut call = Call::new(bounds, 0);
        call.log(Level::Warn, "äääh".to_owned());
        call.print(b"ab");
        call.print(b"cdef\n\nlost\n");
        let log = call.into_log();
        let texts: Vec<&str> = log.lines.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["ää", "abcd"]);
        assert_eq!(log.dropped, 1);
    }

    #[test]
    fn memory_is_one_budget_for_all_memories() {
        let bounds = Bounds {
            memory_bytes: 100,
            ..Bounds::default()
        };
        let mut limits = Call::new(bounds, 0).limits;
        assert!(limits.memory_growing(0, 60, None).is_ok());
        assert!(limits.memory_growing(0, 60, None).is_err());
        assert_eq!(limits.broken, Some(Fault::Memory(100)));
    }
}
