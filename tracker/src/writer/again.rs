//! What becomes of a round whose commit failed.
//!
//! A database that fails answers nobody. A row that does not fit is another matter: it comes of one command,
//! and the others of the round are carried out again without it.

use farmops_protocol::time::Timestamp;
use futures::future::BoxFuture;

use super::{
    Writer,
    command::{Command, WriteError},
    round::Round,
};
use crate::store::StoreError;

impl Writer {
    /// Reads the state back and answers everyone of the round: that nothing came of it, or, if one command
    /// may have failed the others, by carrying them out again one by one.
    pub(super) async fn recover(&mut self, round: &mut Round, error: &StoreError) {
        if !error.is_misfit() || round.is_one_command() {
            round.end(&Err(WriteError::Unavailable));
            self.reload().await;
            return;
        }
        let commands = round.take_back();
        if !self.reload().await {
            return;
        }
        tracing::warn!(
            commands = commands.len(),
            "they are carried out again one by one"
        );
        self.one_by_one(round.now, commands).await;
    }

    /// Boxed, for what fails alone comes back here.
    fn one_by_one(&mut self, now: Timestamp, commands: Vec<Command>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            for command in commands {
                let mut round = Round::new(now);
                self.take(&mut round, command).await;
                if !self.commit(&mut round).await && self.stop.is_cancelled() {
                    return;
                }
            }
        })
    }
}
