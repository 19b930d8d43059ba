//! One stay with the tracker: what its answers mean, and what is sent.

use std::convert::Infallible;
use std::time::Duration;

use farmops_protocol::chain_reset::ChainResetRequest;
use farmops_protocol::enrolment::{AgentStatus, EnrolmentAnswer};
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use super::link::{Link, LinkError, Refusal};
use super::rest::RestLink;
use super::{SessionEnd, Uplink};
use crate::clock;
use crate::identity::Identity;
use crate::keys::Stage;
use crate::status::{Standing, Transport};

/// One stay with the tracker.
pub(super) struct Session<'a> {
    uplink: &'a Uplink,
    link: Link,
    outbox: watch::Receiver<()>,
    /// Until when the tracker does not want proofs while it waits for its owner.
    not_before: Option<Instant>,
    /// It has refused a proof for its place in the chain since it last took one.
    misplaced: bool,
    /// The road broke, and this is the other one.
    detour: bool,
    /// Something was delivered.
    pub(super) progress: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(uplink: &'a Uplink, link: Link) -> Self {
        Self {
            uplink,
            link,
            outbox: uplink.store.watch_outbox(),
            not_before: None,
            misplaced: false,
            detour: false,
            progress: false,
        }
    }

    pub(super) async fn run(
        &mut self,
        mut answer: EnrolmentAnswer,
    ) -> Result<Infallible, SessionEnd> {
        loop {
            let interval = self.take_in(&answer).await?;
            answer = match self.deliver_until(Instant::now() + interval).await? {
                Some(answer) => answer,
                // gRPC may get through again.
                None if self.detour => return Err(SessionEnd::Again),
                None => self.link.hello(self.uplink.greeting()?).await?,
            };
        }
    }

    /// Delivers whatever comes into the outbox; gives an answer that came out of turn.
    async fn deliver_until(
        &mut self,
        next_hello: Instant,
    ) -> Result<Option<EnrolmentAnswer>, SessionEnd> {
        while Instant::now() < next_hello {
            self.outbox.mark_unchanged();
            if !self.is_held_back() {
                match self.link.deliver(&self.uplink.store).await {
                    Ok(0) => {}
                    Ok(_) => {
                        self.uplink.status.heard();
                        self.misplaced = false;
                        self.progress = true;
                    }
                    Err(LinkError::Refused(refusal)) => {
                        self.consider(refusal)?;
                        return Ok(None);
                    }
                    Err(error) => return self.fall_over(error).await.map(Some),
                }
                self.rotate_when_empty().await?;
            }
            let look = Instant::now() + self.uplink.patience.key_look;
            tokio::select! {
                _ = self.outbox.changed() => {}
                () = tokio::time::sleep_until(next_hello.min(look)) => {}
            }
        }
        Ok(None)
    }

    /// Resumes where the answer says; gives the time until the next greeting.
    async fn take_in(&mut self, answer: &EnrolmentAnswer) -> Result<Duration, SessionEnd> {
        let standing = match answer.status {
            AgentStatus::Revoked => return Err(SessionEnd::Revoked),
            AgentStatus::Pending => Standing::Pending,
            AgentStatus::Active => {
                self.not_before = None;
                Standing::Active
            }
        };
        let store = &self.uplink.store;
        let branch = answer.branch.value();
        if store.is_granted(answer.head.as_ref(), branch).await? {
            let key = self.uplink.identity.key.current();
            let proofs = store.sign_anew(answer.head.as_ref(), branch, &key).await?;
            tracing::warn!(
                proofs,
                "the tracker lost proofs; what is left follows its head"
            );
        }
        if store
            .resume_at(answer.head.as_ref(), branch)
            .await?
            .is_err()
        {
            return Err(self.ask_for_reset(answer).await?);
        }
        let keys = &self.uplink.identity.key;
        if keys.stage() != Stage::Rotating {
            keys.open();
        }
        self.uplink.status.stands(standing, self.link.transport());
        Ok(match standing {
            Standing::Active => self.uplink.patience.hello_active,
            _ => self.uplink.patience.hello_pending,
        })
    }

    /// Our chain does not go on where the tracker's ends: finds out what it has of ours, and asks the owner
    /// to let the chain go on from there (`PRF-RESET-005`).
    async fn ask_for_reset(&mut self, answer: &EnrolmentAnswer) -> Result<SessionEnd, SessionEnd> {
        let store = &self.uplink.store;
        let agent_id = self.uplink.identity.agent_id;
        let foreign = |waiting| Ok(SessionEnd::ForeignChain { agent_id, waiting });
        if answer.reset_waiting {
            return foreign(true);
        }
        if store.unsent_follows().await?.is_some() {
            // A restored copy may hold as unsent what the tracker has had for long: that is acknowledged again.
            match self.link.deliver(store).await {
                Ok(_) => return Ok(SessionEnd::Again),
                Err(LinkError::Refused(refusal)) if refusal.is_misplaced() => {}
                Err(error) => return Err(error.into()),
            }
        }
        let resumes_after = match store.unsent_follows().await? {
            Some(follows) => follows,
            None => store.chain_head().await?.map(|head| head.proof_id),
        };
        let mut asked = self.request_reset(resumes_after).await?;
        if let Err(LinkError::Refused(refusal)) = &asked
            && refusal.is_about_lost_proof()
        {
            store.note_asked(answer.head.as_ref()).await?;
            let theirs = answer.head.map(|head| head.proof_id);
            asked = self.request_reset(theirs).await?;
        }
        match asked {
            Ok(answer) => foreign(answer.reset_waiting),
            Err(error @ (LinkError::Refused(_) | LinkError::Unsupported(_))) => {
                tracing::warn!(%error, "the request for a chain reset was not taken");
                foreign(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn request_reset(
        &mut self,
        resumes_after: Option<Uuid>,
    ) -> Result<Result<EnrolmentAnswer, LinkError>, SessionEnd> {
        let Identity { agent_id, key, .. } = &self.uplink.identity;
        let request =
            ChainResetRequest::sign(*agent_id, resumes_after, &key.current(), clock::now())?;
        Ok(self.link.request_reset(*agent_id, request).await)
    }

    /// Once everything that the old key signed is delivered, the next key may follow. The rotation is the
    /// first word of the next stay, as it is after a crash.
    pub(super) async fn rotate_when_empty(&self) -> Result<(), SessionEnd> {
        let keys = &self.uplink.identity.key;
        if keys.stage() != Stage::Staged {
            return Ok(());
        }
        keys.close().await;
        if self.uplink.store.undelivered().await? > 0 {
            // Signed while we waited; it goes first.
            keys.open();
            return Ok(());
        }
        keys.begin()?;
        Err(SessionEnd::Again)
    }

    /// What to do about a refused proof: wait, look again where the chain ends, or give up.
    fn consider(&mut self, refusal: Refusal) -> Result<(), SessionEnd> {
        if refusal.is_misplaced() {
            if std::mem::replace(&mut self.misplaced, true) {
                let agent_id = self.uplink.identity.agent_id;
                return Err(SessionEnd::ForeignChain {
                    agent_id,
                    waiting: false,
                });
            }
            return Ok(());
        }
        match refusal.retry_after {
            Some(wait) if refusal.is_buffer_full() => {
                self.not_before = Some(Instant::now() + wait);
                Ok(())
            }
            _ => Err(LinkError::Refused(refusal).into()),
        }
    }

    /// Goes on by REST where gRPC broke; where that does not work either, the first trouble is told.
    async fn fall_over(&mut self, error: LinkError) -> Result<EnrolmentAnswer, SessionEnd> {
        if matches!(self.link, Link::Rest(_)) {
            return Err(error.into());
        }
        tracing::debug!(%error, "gRPC broke during a delivery, trying REST");
        let by_rest = Link::Rest(RestLink::new(&self.uplink.tracker)?);
        match self.uplink.greet(by_rest).await {
            Ok((link, answer)) => {
                self.link = link;
                self.detour = true;
                Ok(answer)
            }
            Err(SessionEnd::Link(LinkError::Away { .. } | LinkError::Unsupported(_))) => {
                Err(error.into())
            }
            Err(end) => Err(end),
        }
    }

    fn is_held_back(&self) -> bool {
        self.not_before.is_some_and(|then| Instant::now() < then)
    }
}

impl Link {
    const fn transport(&self) -> Transport {
        match self {
            Self::Grpc(_) => Transport::Grpc,
            Self::Rest(_) => Transport::Rest,
        }
    }
}
