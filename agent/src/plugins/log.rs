//! What a plugin prints goes into the agent's log where that is set to debug, as much of it as a log can take.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};
use tokio::time::Instant;

/// Longest line of a plugin that is read or logged; a longer one counts as several.
pub(super) const LINE_BYTES_MAX: u64 = 4096;
const WINDOW: Duration = Duration::from_mins(1);
/// Lines that are dropped before the plugin has to wait a little.
const BURST: u64 = 64;
const PAUSE: Duration = Duration::from_millis(20);

/// What one plugin may still say in this minute.
#[derive(Debug)]
struct Window {
    lines_max: u32,
    since: Instant,
    logged: u32,
    dropped: u64,
}

impl Window {
    /// Whether one more line is logged, and how many were dropped in a window that is over.
    fn admit(&mut self, now: Instant) -> (bool, u64) {
        let mut missed = 0;
        if now.duration_since(self.since) >= WINDOW {
            missed = std::mem::take(&mut self.dropped);
            (self.since, self.logged) = (now, 0);
        }
        let admitted = self.logged < self.lines_max;
        if admitted {
            self.logged += 1;
        } else {
            self.dropped += 1;
        }
        (admitted, missed)
    }
}

/// One plugin's way into the log.
#[derive(Debug, Clone)]
pub(super) struct PluginLog {
    plugin: String,
    window: Arc<Mutex<Window>>,
    dropped: Arc<AtomicU64>,
}

impl PluginLog {
    /// A way for `lines_max` lines per minute.
    pub(super) fn new(plugin: &str, lines_max: u32) -> Self {
        let window = Window {
            lines_max,
            since: Instant::now(),
            logged: 0,
            dropped: 0,
        };
        Self {
            plugin: plugin.to_owned(),
            window: Arc::new(Mutex::new(window)),
            dropped: Arc::default(),
        }
    }

    /// Lines dropped so far; shared with whoever shows it.
    pub(super) fn dropped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.dropped)
    }

    /// Logs until `output` ends. Plugins see raw data, so this is for debugging and not in the usual log.
    pub(super) async fn follow(self, mut output: impl AsyncBufRead + Unpin) {
        loop {
            let mut line = Vec::new();
            let read = (&mut output)
                .take(LINE_BYTES_MAX)
                .read_until(b'\n', &mut line)
                .await;
            if !matches!(read, Ok(1..)) {
                break;
            }
            let plugin = &self.plugin;
            let (admitted, missed) = self.window().admit(Instant::now());
            if missed > 0 {
                tracing::warn!(plugin, missed, "lines of a plugin were not logged");
            }
            if admitted {
                let text = String::from_utf8_lossy(&line);
                tracing::debug!(plugin, output = text.trim_end(), "plugin says");
                continue;
            }
            let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
            metrics::counter!("farmops_agent_plugin_log_lines_dropped_total", "plugin" => plugin.clone())
                .increment(1);
            if dropped.is_multiple_of(BURST) {
                tokio::time::sleep(PAUSE).await;
            }
        }
        let missed = std::mem::take(&mut self.window().dropped);
        if missed > 0 {
            tracing::warn!(
                plugin = self.plugin,
                missed,
                "lines of a plugin were not logged"
            );
        }
    }

    fn window(&self) -> std::sync::MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_takes_so_many_lines_and_the_next_one_tells_what_was_dropped() {
        let begin = Instant::now();
        let mut window = Window {
            lines_max: 2,
            since: begin,
            logged: 0,
            dropped: 0,
        };
        let answers: Vec<_> = (0..4).map(|_| window.admit(begin).0).collect();
        assert_eq!(answers, [true, true, false, false]);
        assert_eq!(window.admit(begin + WINDOW), (true, 2));
        assert_eq!(window.admit(begin + WINDOW), (true, 0));
    }
}
