//! What a call of a component can break.

use std::time::Duration;

/// Why a call ended without a usable answer. The text is for the operator and quotes no observation,
/// except [`Fault::Malformed`] and [`Fault::Crash`], which name only the contract's or the engine's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// More instructions than [`crate::Bounds::fuel`].
    #[error("used up its fuel of {0} instructions")]
    Fuel(u64),
    /// More time than [`crate::Bounds::deadline`].
    #[error("gave no answer within {0:?}")]
    Time(Duration),
    /// More memory than [`crate::Bounds::memory_bytes`].
    #[error("wanted more than its {} KiB of memory", .0 >> 10)]
    Memory(usize),
    /// More table elements than [`crate::Bounds::table_elements`].
    #[error("wanted more than its {0} table elements")]
    Tables(usize),
    /// Recursion without end.
    #[error("recursed beyond its stack")]
    Stack,
    /// It ended itself, as `std::process::exit` does.
    #[error("ended itself instead of answering")]
    Exit,
    /// It called something that plugins do not have: files, sockets, waiting.
    #[error("called {0}, which no plugin has")]
    Forbidden(String),
    /// An answer, or a log line, that is too large to be taken over.
    #[error("answered with more than {0} bytes")]
    TooLarge(usize),
    /// An answer that breaks the contract.
    #[error("answered with something malformed: {0}")]
    Malformed(String),
    /// A panic, or another trap of WebAssembly. What it printed is in its log.
    #[error("crashed: {0}")]
    Crash(String),
}

impl Fault {
    /// A word for metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Fuel(_) => "fuel",
            Self::Time(_) => "time",
            Self::Memory(_) => "memory",
            Self::Tables(_) => "tables",
            Self::Stack => "stack",
            Self::Exit => "exit",
            Self::Forbidden(_) => "forbidden",
            Self::TooLarge(_) => "too-large",
            Self::Malformed(_) => "malformed",
            Self::Crash(_) => "crash",
        }
    }
}
