//! Listing, watching, and what to do when either fails: news in, next step out.
//!
//! One machine per watch. It holds no connection and no clock; the `watcher` takes its steps and
//! brings back the news. What must survive a crash (the resource version) is in the store.

use std::time::Duration;

use rand::Rng;

use crate::backoff::Backoff;

/// Objects asked for in one page of a list.
pub const PAGE_OBJECTS: u32 = 50;
/// Between two looks for a resource that the server does not have.
const ABSENT_PAUSE: Duration = Duration::from_mins(1);
/// Longest wait that a server may impose.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(5);
/// A watch that ended sooner than this without a word is not opened again at once.
const WATCH_BRIEF: Duration = Duration::from_secs(5);

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask under which version and path the resource is served.
    Discover,
    /// Ask whether it may be listed and watched.
    Review,
    /// Ask for a page of objects; without a token it is the first of a new list.
    List {
        /// Objects in the page.
        limit: u32,
        /// The server's token for the page after the last one.
        next: Option<String>,
    },
    /// Hear of every change after this version.
    Watch {
        /// The server's word for a moment.
        resource_version: String,
    },
    /// Do nothing for so long.
    Wait(Duration),
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The resource is served.
    Found,
    /// The server does not have the resource.
    Absent,
    /// It may be listed and watched.
    Allowed,
    /// It may not.
    Denied,
    /// A page was kept.
    Page {
        /// The version of the whole list.
        resource_version: String,
        /// The token for the next page; `None` after the last.
        next: Option<String>,
    },
    /// Events up to this version were kept.
    Heard(String),
    /// The server ended the watch in good order, after so long.
    Closed(Duration),
    /// The time to wait is over.
    Waited,
    /// The step failed.
    Failed(Failure),
}

/// How a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The server has forgotten the version or the token (410).
    Gone,
    /// Too many requests (429), or not now (503) with a time to come back.
    Throttled(Option<Duration>),
    /// Not allowed (403).
    Forbidden,
    /// No such path (404).
    NotFound,
    /// Not reachable, or an error of the server.
    Unavailable,
    /// Neither event nor bookmark for longer than the server keeps silent.
    Silent,
    /// What the server sent cannot be read, or breaks off.
    Malformed,
    /// A page larger than is read.
    TooLarge,
}

/// The state between two steps.
#[derive(Debug, Clone)]
pub struct Machine {
    step: Step,
    /// The step after the wait.
    after_wait: Option<Step>,
    resource_version: Option<String>,
    limit: u32,
    /// Something was heard since the last list.
    heard_since_list: bool,
    /// Something was heard since the watch was opened.
    heard_since_open: bool,
    malformed: u8,
    failures: Backoff,
    denials: Backoff,
}

impl Machine {
    /// A machine that goes on after `resource_version`, or begins with a list.
    pub fn new(resource_version: Option<String>) -> Self {
        Self {
            step: Step::Discover,
            after_wait: None,
            resource_version,
            limit: PAGE_OBJECTS,
            heard_since_list: false,
            heard_since_open: false,
            malformed: 0,
            failures: Backoff::new(Duration::from_millis(500), Duration::from_secs(30)),
            denials: Backoff::new(Duration::from_secs(4), Duration::from_mins(1)),
        }
    }

    /// What to do next.
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// Takes in what came of the step.
    pub fn hear(&mut self, news: News, rng: &mut impl Rng) {
        match news {
            News::Found => self.step = Step::Review,
            News::Absent => {
                // Whatever comes back under this name is not what was there.
                self.resource_version = None;
                self.wait(ABSENT_PAUSE, Step::Discover);
            }
            News::Allowed => {
                self.denials.reset();
                self.go_on();
            }
            News::Denied => {
                let pause = self.denials.next(rng);
                self.wait(pause, Step::Review);
            }
            News::Page {
                resource_version: _,
                next: next @ Some(_),
            } => {
                self.failures.reset();
                let limit = self.limit;
                self.step = Step::List { limit, next };
            }
            News::Page {
                resource_version,
                next: None,
            } => {
                self.resource_version = Some(resource_version);
                self.limit = PAGE_OBJECTS;
                self.heard_since_list = false;
                self.malformed = 0;
                self.go_on();
            }
            News::Heard(resource_version) => {
                self.failures.reset();
                self.malformed = 0;
                self.heard_since_list = true;
                self.heard_since_open = true;
                self.resource_version = Some(resource_version);
                if matches!(self.step, Step::Watch { .. }) {
                    self.step = self.watch_or_list();
                }
            }
            News::Closed(lived) => {
                if self.heard_since_open || lived >= WATCH_BRIEF {
                    self.go_on();
                } else {
                    self.pause(rng, self.watch_or_list());
                }
            }
            News::Waited => {
                if let Some(step) = self.after_wait.take() {
                    self.enter(step);
                }
            }
            News::Failed(failure) => self.fail(failure, rng),
        }
    }

    fn fail(&mut self, failure: Failure, rng: &mut impl Rng) {
        match failure {
            Failure::Gone => {
                let from_watch = matches!(self.step, Step::Watch { .. });
                self.resource_version = None;
                let list = self.watch_or_list();
                // A server that forgets faster than it tells is asked less often.
                if from_watch && self.heard_since_list {
                    self.enter(list);
                } else {
                    self.pause(rng, list);
                }
            }
            Failure::Throttled(after) => {
                let own = self.failures.next(rng);
                let pause = after.unwrap_or_default().min(RETRY_AFTER_MAX).max(own);
                self.wait(pause, self.step.clone());
            }
            Failure::Forbidden => self.pause(rng, Step::Review),
            Failure::NotFound => {
                self.resource_version = None;
                self.pause(rng, Step::Discover);
            }
            Failure::Unavailable => self.pause(rng, self.step.clone()),
            Failure::Silent => {
                let again = self.step.clone();
                self.pause(rng, again);
            }
            Failure::Malformed => {
                self.malformed = self.malformed.saturating_add(1);
                // The same place unreadable twice: go around it.
                if self.malformed > 1 && matches!(self.step, Step::Watch { .. }) {
                    self.resource_version = None;
                    self.malformed = 0;
                    self.pause(rng, self.watch_or_list());
                } else {
                    self.pause(rng, self.step.clone());
                }
            }
            Failure::TooLarge => {
                self.limit = (self.limit / 2).max(1);
                let next = match &self.step {
                    Step::List { next, .. } => next.clone(),
                    _ => None,
                };
                let limit = self.limit;
                self.pause(rng, Step::List { limit, next });
            }
        }
    }

    /// What a whole new start or a kept version leads to.
    fn go_on(&mut self) {
        let step = self.watch_or_list();
        self.enter(step);
    }

    fn enter(&mut self, step: Step) {
        self.heard_since_open = false;
        self.step = step;
    }

    fn watch_or_list(&self) -> Step {
        match &self.resource_version {
            Some(resource_version) => Step::Watch {
                resource_version: resource_version.clone(),
            },
            None => Step::List {
                limit: self.limit,
                next: None,
            },
        }
    }

    fn pause(&mut self, rng: &mut impl Rng, then: Step) {
        let pause = self.failures.next(rng);
        self.wait(pause, then);
    }

    fn wait(&mut self, pause: Duration, then: Step) {
        self.after_wait = Some(then);
        self.step = Step::Wait(pause);
    }
}

#[cfg(test)]
mod tests;
