//! A check and what comes of it.

use std::{future::Future, pin::Pin};

use crate::{
    http::{Answer, Unreachable},
    session::Session,
    sign::Forgery,
    target::Kind,
};

/// What a check found: nothing wrong, or why not.
pub type Verdict = Result<(), Miss>;

/// Why a check did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    /// The server breaks a clause.
    Failed(String),
    /// The check does not apply here, or cannot look.
    Skipped(String),
}

/// A verdict that is still being found.
pub type Looking<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// How a check looks.
#[derive(Clone, Copy)]
pub enum Look {
    /// By a function of its own.
    By(fn(&Session) -> Looking<'_>),
    /// By sending a request with this forgery, which must be refused.
    Forged(Forgery),
}

/// One thing that a server must do.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its name, for reports: `inbox-replay`.
    pub name: &'static str,
    /// The clauses it looks at.
    pub clauses: &'static [&'static str],
    /// What must be so, as one sentence.
    pub title: &'static str,
    /// The kinds of server it is for.
    pub kinds: &'static [Kind],
    /// How it looks.
    pub look: Look,
}

impl From<Unreachable> for Miss {
    fn from(error: Unreachable) -> Self {
        Self::Failed(error.to_string())
    }
}

/// A failure with this reason.
pub fn fail<T>(reason: impl Into<String>) -> Result<T, Miss> {
    Err(Miss::Failed(reason.into()))
}

/// A skip with this reason.
pub fn skip<T>(reason: impl Into<String>) -> Result<T, Miss> {
    Err(Miss::Skipped(reason.into()))
}

/// Fails with `reason` unless `holds`.
pub fn ensure(holds: bool, reason: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { fail(reason()) }
}

/// Fails unless `answer` has one of these statuses.
pub fn ensure_status(what: &str, answer: &Answer, expected: &[u16]) -> Verdict {
    ensure(expected.contains(&answer.status), || {
        let expected: Vec<String> = expected.iter().map(u16::to_string).collect();
        format!(
            "{what}: status {}, expected {}",
            answer.status,
            expected.join(" or ")
        )
    })
}

/// Fails unless `answer` is a success.
pub fn ensure_success(what: &str, answer: &Answer) -> Verdict {
    ensure((200..300).contains(&answer.status), || {
        format!("{what}: status {}, expected 2xx", answer.status)
    })
}
