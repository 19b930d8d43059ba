//! What the writer can be asked, and what it answers.

use std::sync::{Arc, Mutex, PoisonError};

use farmops_federation::Post;
use farmops_ledger::Event;
use farmops_protocol::{
    chain_reset::ParsedChainReset,
    digest::Digest,
    enrolment::{EnrolmentAnswer, EnrolmentRequest},
    key::Fingerprint,
    log::TreeHead,
    rotation::ParsedKeyRotation,
    time::Timestamp,
};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    domain::{FarmView, Refusal, State, Submission},
    store::{AccessChange, Notice, Publication, SignedHead, Village},
};

/// A proof on its way in: its form and signature are good, or it is refused already. Refused ones
/// travel along so that answers keep the order of arrival.
pub type Checked = Result<Submission, Refusal>;
/// What becomes of one proof.
pub type Answer = Result<Receipt, Refusal>;

/// The tracker has the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The proof's hash.
    pub hash: Digest,
    /// Where it stands.
    pub standing: Standing,
}

/// Where an accepted proof stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Chained and scored.
    Chained,
    /// Kept until its agent is approved.
    Buffered,
    /// The same proof was here before.
    Duplicate,
}

/// A command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed or the tracker is stopping: try again soon.
    #[error("the tracker cannot write just now")]
    Unavailable,
}

/// The farm as the writer has it, for making a snapshot.
#[derive(Debug, Clone)]
pub struct Glimpse {
    /// The figures; nothing before the farm is founded.
    pub farm: Option<FarmView>,
    /// The transparency log's head; durable, so it may be signed.
    pub head: TreeHead,
    /// The latest head that was signed.
    pub signed: Option<SignedHead>,
    /// The last entry that changed what the public sees.
    pub public_position: u64,
    /// The last published snapshot.
    pub published: Option<Publication>,
    /// The notices asked for, by key, that were published before.
    pub notices: Vec<Notice>,
}

/// What is to be said to the world, all of it in one transaction.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// Signed heads.
    pub checkpoints: Vec<SignedHead>,
    /// A snapshot.
    pub publication: Option<Publication>,
    /// Cards and milestones.
    pub notices: Vec<Notice>,
    /// The activities that carry them.
    pub posts: Vec<Post>,
    /// Villages to remember.
    pub villages: Vec<Village>,
    /// Villages to forget, by their URLs.
    pub villages_left: Vec<String>,
    /// Villages that have ended the membership, by their actors.
    pub villages_ended: Vec<String>,
    /// The farm's layout to remember.
    pub layout: Option<Vec<u8>>,
    /// Who may do what from now on.
    pub access: Vec<AccessChange>,
}

impl Outgoing {
    pub(super) fn is_empty(&self) -> bool {
        self.publication.is_none()
            && self.checkpoints.is_empty()
            && self.notices.is_empty()
            && self.posts.is_empty()
            && self.villages.is_empty()
            && self.villages_left.is_empty()
            && self.villages_ended.is_empty()
            && self.layout.is_none()
            && self.access.is_empty()
    }

    pub(super) fn append(&mut self, other: Self) {
        self.checkpoints.extend(other.checkpoints);
        // There is one publisher, which waits for its answer, so a round holds one snapshot at most.
        self.publication = other.publication.or(self.publication.take());
        self.notices.extend(other.notices);
        self.posts.extend(other.posts);
        self.villages.extend(other.villages);
        self.villages_left.extend(other.villages_left);
        self.villages_ended.extend(other.villages_ended);
        // Whoever saves a layout has the one before it in it.
        self.layout = other.layout.or(self.layout.take());
        self.access.extend(other.access);
    }
}

/// From where on a revoked agent's proofs stop counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Since {
    /// From now on: everything that is in the ledger counts.
    #[default]
    Now,
    /// After this proof; none means that no proof of the agent counts.
    After(Option<Uuid>),
}

/// Where a chain resumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resumption {
    /// Where the agent asked.
    #[default]
    AsAsked,
    /// After this proof; none for a first proof.
    After(Option<Uuid>),
}

/// A decision on the state alone: what it records, and how it is answered once that is durable. It may be
/// made again, if nothing came of it.
pub(super) type Decision = Arc<dyn Fn(&State, Timestamp) -> Decided + Send + Sync>;

pub(super) struct Decided {
    pub(super) events: Vec<Event>,
    /// Looks at the state with the events in it.
    pub(super) answer: Box<dyn FnOnce(&State) -> Answering + Send>,
}

/// Sends an answer, or says why there is none.
pub(super) type Answering = Box<dyn FnOnce(Result<(), WriteError>) + Send>;

/// Sends `answer` to `reply` after the commit.
pub(super) fn answering<T: Send + 'static>(
    reply: Reply<T>,
    answer: Result<T, WriteError>,
) -> Answering {
    Box::new(move |committed| reply.send(committed.and(answer)))
}

/// Where the answer to a command goes, once, however often the command is carried out.
pub(super) struct Reply<T>(Arc<Mutex<Option<Sender<T>>>>);

type Sender<T> = oneshot::Sender<Result<T, WriteError>>;

impl<T> Reply<T> {
    /// A place for an answer, and where it comes out.
    pub(super) fn channel() -> (Self, oneshot::Receiver<Result<T, WriteError>>) {
        let (sender, answer) = oneshot::channel();
        (Self(Arc::new(Mutex::new(Some(sender)))), answer)
    }

    /// Answers. A caller who has gone away is no fault.
    pub(super) fn send(&self, answer: Result<T, WriteError>) {
        let mut sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = sender.take() {
            drop(sender.send(answer));
        }
    }
}

impl<T> Clone for Reply<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[derive(Clone)]
pub(super) enum Command {
    Submit {
        chunk: Vec<Checked>,
        reply: Reply<Vec<Answer>>,
    },
    Enrol {
        request: Box<EnrolmentRequest>,
        reply: Reply<EnrolmentAnswer>,
    },
    Approve {
        agent_id: Uuid,
        fingerprint: Fingerprint,
        reply: Reply<EnrolmentAnswer>,
    },
    Dismiss {
        agent_id: Uuid,
        reply: Reply<EnrolmentAnswer>,
    },
    Revoke {
        agent_id: Uuid,
        since: Since,
        reply: Reply<EnrolmentAnswer>,
    },
    Rotate {
        rotation: Box<ParsedKeyRotation>,
        reply: Reply<EnrolmentAnswer>,
    },
    AskReset {
        request: Box<ParsedChainReset>,
        reply: Reply<EnrolmentAnswer>,
    },
    Reset {
        agent_id: Uuid,
        resumption: Resumption,
        reply: Reply<EnrolmentAnswer>,
    },
    /// A decision on the state alone.
    Decide(Decision),
    Glimpse {
        notice_keys: Vec<String>,
        reply: Reply<Glimpse>,
    },
    Say {
        outgoing: Box<Outgoing>,
        reply: Reply<()>,
    },
}
