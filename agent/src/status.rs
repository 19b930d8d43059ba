//! What the agent knows of itself while it runs: counters, and how it stands with its tracker.

use std::sync::{Arc, Mutex, PoisonError};

use farmops_protocol::time::Timestamp;
use serde::Serialize;

use crate::clock;

/// 1 while nothing is sent until the owner resets the chain, else 0.
const RESET_NEEDED: &str = "farmops_agent_chain_reset_needed";

/// How the agent stands with its tracker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Not heard from yet.
    #[default]
    Connecting,
    /// Waits for the owner's approval; proofs are kept there but not scored.
    Pending,
    /// Approved.
    Active,
    /// The owner has revoked this agent. Nothing is sent any more.
    Revoked,
    /// Unsent proofs follow something that is not the tracker's head. Nothing is sent until the owner
    /// resets the chain.
    ChainResetNeeded,
    /// The tracker refuses the next proof for a reason that trying again does not change.
    Blocked,
    /// It does not answer.
    Unreachable,
}

/// The road to the tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// A gRPC stream.
    Grpc,
    /// One HTTP request per proof.
    Rest,
}

/// The uplink's part of the status.
#[derive(Debug, Clone, Default, Serialize)]
pub struct UplinkView {
    /// Where it stands.
    pub standing: Standing,
    /// By which road, once one works.
    pub transport: Option<Transport>,
    /// When the tracker last answered.
    pub last_contact: Option<Timestamp>,
    /// What went wrong last, until it goes well again.
    pub last_error: Option<String>,
    /// What the owner has to run, where only the owner can help.
    pub owner_command: Option<String>,
    /// Why the tracker refused the last key rotation.
    pub key_rotation_refused: Option<String>,
}

/// What became of observations since the start.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Counters {
    /// Proofs made.
    pub proofs: u64,
    /// Plugins said: not finished work.
    pub rejected: u64,
    /// Plugins said: this does not tell.
    pub inconclusive: u64,
    /// Finished work of somebody else.
    pub not_the_farmers: u64,
    /// Work that had its proof already.
    pub repeated: u64,
    /// Proofs refused by the leak guard or because a plugin broke its declaration.
    pub leaks_refused: u64,
    /// Observations given up after a plugin failed over them again and again.
    pub given_up: u64,
    /// Observations that no plugin took in time.
    pub expired: u64,
    /// Observations dropped before anyone judged them: the oldest of a plugin that has failed, beyond its
    /// share of the queue, those of plugins that are not in the manifest any more, those of what their plugin is not
    /// granted any more, and those of a replica after another has led.
    pub dropped: u64,
}

/// One of [`Counters`].
#[derive(Debug, Clone, Copy)]
pub enum Count {
    /// See [`Counters::proofs`].
    Proof,
    /// See [`Counters::rejected`].
    Rejected,
    /// See [`Counters::inconclusive`].
    Inconclusive,
    /// See [`Counters::not_the_farmers`].
    NotTheFarmers,
    /// See [`Counters::repeated`].
    Repeated,
    /// See [`Counters::leaks_refused`].
    LeakRefused,
    /// See [`Counters::given_up`].
    GivenUp,
    /// See [`Counters::expired`].
    Expired(u64),
    /// See [`Counters::dropped`].
    Dropped(u64),
}

#[derive(Debug, Default)]
struct Inner {
    uplink: UplinkView,
    counters: Counters,
}

/// Shared by everything that has something to say.
#[derive(Debug, Clone, Default)]
pub struct Status(Arc<Mutex<Inner>>);

impl Status {
    /// Counts one more.
    pub fn count(&self, count: Count) {
        let mut inner = self.lock();
        let counters = &mut inner.counters;
        let (counter, outcome, by) = match count {
            Count::Proof => (&mut counters.proofs, "proof", 1),
            Count::Rejected => (&mut counters.rejected, "rejected", 1),
            Count::Inconclusive => (&mut counters.inconclusive, "inconclusive", 1),
            Count::NotTheFarmers => (&mut counters.not_the_farmers, "not_the_farmers", 1),
            Count::Repeated => (&mut counters.repeated, "repeated", 1),
            Count::LeakRefused => (&mut counters.leaks_refused, "leak_refused", 1),
            Count::GivenUp => (&mut counters.given_up, "given_up", 1),
            Count::Expired(by) => (&mut counters.expired, "expired", by),
            Count::Dropped(by) => (&mut counters.dropped, "dropped", by),
        };
        *counter += by;
        metrics::counter!("farmops_agent_settled_total", "outcome" => outcome).increment(by);
    }

    /// The tracker answered, and this is how we stand.
    pub fn stands(&self, standing: Standing, transport: Transport) {
        let mut inner = self.lock();
        if inner.uplink.standing != standing {
            tracing::info!(?standing, ?transport, "standing with the tracker changed");
        }
        let uplink = &mut inner.uplink;
        uplink.standing = standing;
        uplink.transport = Some(transport);
        uplink.last_contact = Some(clock::now());
        uplink.last_error = None;
        uplink.owner_command = None;
        metrics::gauge!(RESET_NEEDED).set(0.0);
    }

    /// The tracker has taken something.
    pub fn heard(&self) {
        self.lock().uplink.last_contact = Some(clock::now());
    }

    /// Something is wrong between us and the tracker; `owner_command` would help.
    pub fn troubled(&self, standing: Standing, error: String, owner_command: Option<String>) {
        let mut inner = self.lock();
        if inner.uplink.last_error.as_ref() != Some(&error) {
            tracing::warn!(?standing, error, "the uplink is in trouble");
        }
        inner.uplink.standing = standing;
        inner.uplink.last_error = Some(error);
        let needed = standing == Standing::ChainResetNeeded;
        metrics::gauge!(RESET_NEEDED).set(if needed { 1.0 } else { 0.0 });
        inner.uplink.owner_command = owner_command;
    }

    /// How the last key rotation ended.
    pub fn rotation_refused(&self, reason: Option<String>) {
        self.lock().uplink.key_rotation_refused = reason;
    }

    /// How the uplink is doing.
    pub fn uplink(&self) -> UplinkView {
        self.lock().uplink.clone()
    }

    /// The counters.
    pub fn counters(&self) -> Counters {
        self.lock().counters
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
