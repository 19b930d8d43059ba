//! What the writer can be asked, and what it answers.

use farmops_federation::Post;
use farmops_protocol::{
    digest::Digest,
    enrolment::{EnrolmentAnswer, EnrolmentRequest},
    key::Fingerprint,
    log::TreeHead,
};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    domain::{FarmView, Refusal, Submission},
    store::{Notice, Publication, SignedHead, Village},
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
}

impl Outgoing {
    pub(super) fn is_empty(&self) -> bool {
        self.publication.is_none()
            && self.checkpoints.is_empty()
            && self.notices.is_empty()
            && self.posts.is_empty()
            && self.villages.is_empty()
    }

    pub(super) fn append(&mut self, other: Self) {
        self.checkpoints.extend(other.checkpoints);
        // There is one publisher, which waits for its answer, so a round holds one snapshot at most.
        self.publication = other.publication.or(self.publication.take());
        self.notices.extend(other.notices);
        self.posts.extend(other.posts);
        self.villages.extend(other.villages);
    }
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, WriteError>>;

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
    Revoke {
        agent_id: Uuid,
        reply: Reply<EnrolmentAnswer>,
    },
    Glimpse {
        notice_keys: Vec<String>,
        reply: Reply<Glimpse>,
    },
    Say {
        outgoing: Box<Outgoing>,
        reply: Reply<()>,
    },
}
