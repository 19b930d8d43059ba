//! What the server under test wrote to the probe.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::sync::Notify;

use crate::sign::Received;

/// A POST to one of the probe's inboxes.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The activity; null if it is no JSON.
    pub activity: Value,
    /// The request that brought it.
    pub request: Received,
}

impl Letter {
    pub(super) fn new(request: Received) -> Self {
        Self {
            activity: serde_json::from_slice(&request.body).unwrap_or_default(),
            request,
        }
    }

    /// Whether it answers the Follow with this id.
    pub fn answers(&self, follow: &str) -> bool {
        let object = &self.activity["object"];
        let is_answer = self.activity["type"] == "Accept" || self.activity["type"] == "Reject";
        is_answer && (object == follow || object["id"] == follow)
    }
}

/// All letters, in the order they came.
#[derive(Default)]
pub struct Mailbox {
    letters: Mutex<Vec<Letter>>,
    came: Notify,
}

impl Mailbox {
    pub(super) fn put(&self, letter: Letter) {
        self.letters().push(letter);
        self.came.notify_waiters();
    }

    pub(super) fn count(&self, fits: impl Fn(&Letter) -> bool) -> usize {
        self.letters().iter().filter(|letter| fits(letter)).count()
    }

    pub(super) async fn wait(
        &self,
        patience: Duration,
        fits: impl Fn(&Letter) -> bool,
    ) -> Option<Letter> {
        let find = || self.letters().iter().find(|letter| fits(letter)).cloned();
        let search = async {
            loop {
                // Listening begins before looking, so that no letter falls between.
                let came = self.came.notified();
                tokio::pin!(came);
                came.as_mut().enable();
                if let Some(letter) = find() {
                    return letter;
                }
                came.await;
            }
        };
        tokio::time::timeout(patience, search).await.ok()
    }

    fn letters(&self) -> MutexGuard<'_, Vec<Letter>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
