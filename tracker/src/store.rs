//! What the tracker remembers, as use cases.
//!
//! [`Journal`] is the one writing side: it belongs to the writer task and commits whole batches.
//! [`Reads`] answers everybody else. SQL lives below this module and nowhere else. Every statement stands
//! once, under `sql/`; `sqlite.rs` and `postgres.rs` include those files and say what the types in them
//! are: the text that both databases read alike, the types that sqlx checks. [`Database`] is either.
//!
//! A call that returned `Ok` survives a power cut; a call that failed left nothing behind, unless a server
//! went away between its commit and its answer.
//!
//! To add something to remember: 1. its table in both folders of `migrations/`, 2. its statements in a file
//! under `sql/`, 3. the file's name in `sqlite.rs` and `postgres.rs`; if it follows from the ledger, 4. its
//! table in [`PROJECTIONS`].
#![expect(
    clippy::duplicate_mod,
    reason = "the statements are compiled for each database"
)]

mod database;
mod error;
mod keys;
mod line;
mod postgres;
mod projections;
mod said;
mod sqlite;
#[cfg(test)]
pub(crate) mod tests;
mod transfer;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use farmops_federation::Post;
use farmops_ledger::Entry;
use farmops_protocol::{
    chain::ChainHead,
    digest::Digest,
    log::{
        Tile, TreeHead,
        commitment::{LoggedScore, SaltSource},
    },
    proof::Category,
    scoring::RuleSet,
    time::Timestamp,
};
use farmops_service::token::{ScopedToken, TokenHash, TokenId};
use jiff::civil::Date;
use uuid::Uuid;

pub use self::database::{Database, Place};
pub use self::error::StoreError;
pub use self::keys::Secrets;
pub use self::line::{ArchivedSeason, Bodies, LedgerLine, LineBody, Nowhere};
pub use self::projections::{Cell, Inspect, PROJECTIONS, Projection, RawRow};
pub use self::said::{Notice, Publication, Village};
use crate::{
    domain::{
        Agent, Changes, CompositeRow, Cut, DayTotals, FarmView, History, League, ProofRow,
        Purchase, State, WaitingRoom,
    },
    log::{FullTile, Log},
};

/// The state with what waits beside it.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The fold over the ledger.
    pub state: State,
    /// The transparency log over it.
    pub log: Log,
    /// Who waits with how much.
    pub waiting: WaitingRoom,
    /// Which agents ask for their chain to resume earlier.
    pub resets: BTreeMap<Uuid, ResetAsked>,
    /// When each agent was last heard of.
    pub contacts: BTreeMap<Uuid, Timestamp>,
}

/// An agent's request to let its chain resume earlier; it waits for the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetAsked {
    /// The agent.
    pub agent_id: Uuid,
    /// The proof to resume after; none for a first proof.
    pub resumes_after: Option<Uuid>,
    /// When it came.
    pub received_at: Timestamp,
    /// The canonical text, signed by the agent.
    pub text: String,
}

/// What one transaction writes.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    /// New ledger entries.
    pub entries: &'a [Entry],
    /// The rows they touch.
    pub changes: Option<(&'a State, &'a Changes)>,
    /// What they add to the transparency log.
    pub log: Option<Growth<'a>>,
    /// Heads that are said to the world.
    pub checkpoints: &'a [SignedHead],
    /// Proofs of agents that wait for approval.
    pub buffered: &'a [BufferedProof],
    /// Agents whose buffered proofs have moved to the ledger, or were sent away.
    pub released: &'a [Uuid],
    /// Requests of agents that wait for the owner.
    pub resets_asked: &'a [ResetAsked],
    /// Agents whose requests the owner has answered.
    pub resets_answered: &'a [Uuid],
    /// When agents were heard of.
    pub contacts: &'a [(Uuid, Timestamp)],
    /// A snapshot said to the world.
    pub publication: Option<&'a Publication>,
    /// Cards and milestones said to the world.
    pub notices: &'a [Notice],
    /// Activities for the delivery log.
    pub posts: &'a [Post],
    /// Villages joined.
    pub villages: &'a [Village],
    /// Villages left, by their URLs.
    pub villages_left: &'a [String],
    /// Villages that have ended the membership, by their actors.
    pub villages_ended: &'a [String],
    /// The farm's layout.
    pub layout: Option<&'a [u8]>,
    /// Who may do what from now on.
    pub access: &'a [AccessChange],
}

/// The transparency log's growth by one batch.
#[derive(Debug, Clone, Copy)]
pub struct Growth<'a> {
    /// The head it grows from: the batch is refused if the store has another one.
    pub from: TreeHead,
    /// The log with the batch's entries.
    pub log: &'a Log,
    /// The files that they fill.
    pub tiles: &'a [FullTile],
}

/// A head that the farm's key signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// Size and root.
    pub head: TreeHead,
    /// The checkpoint as a signed note.
    pub note: String,
    /// When.
    pub signed_at: Timestamp,
}

/// A proof that waits for its agent's approval.
#[derive(Debug, Clone)]
pub struct BufferedProof {
    /// The agent.
    pub agent_id: Uuid,
    /// Its place in the buffered chain, from 1.
    pub chain_length: u64,
    /// The proof.
    pub proof_id: Uuid,
    /// Its predecessor; a first proof follows its agent.
    pub follows: Uuid,
    /// Its hash.
    pub hash: Digest,
    /// When the work was finished.
    pub timestamp: Timestamp,
    /// When it came.
    pub received_at: Timestamp,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
}

/// Who may do what.
#[derive(Debug, Clone)]
pub struct Access {
    /// The hash of the owner's token.
    pub owner: TokenHash,
    /// How often she has ended all her sessions.
    pub sessions: u64,
    /// The tokens that she made.
    pub tokens: Vec<ScopedToken>,
}

/// A change of who may do what.
#[derive(Debug, Clone)]
pub enum AccessChange {
    /// The token with this hash is the owner's, in place of the earlier one.
    Owner(TokenHash, Timestamp),
    /// All sessions have ended.
    SessionsEnded,
    /// A token was made.
    Issued(ScopedToken),
    /// A token counts no longer.
    Revoked(TokenId),
    /// A token was used, at this second or a few minutes later.
    Used(TokenId, i64),
}

/// Which proofs to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProofFilter {
    /// Only those of this agent.
    pub agent: Option<Uuid>,
    /// Only those of this category.
    pub category: Option<Category>,
    /// Only work finished at or after this time.
    pub since: Option<Timestamp>,
    /// Only those recorded before this position (the page's cursor).
    pub before: Option<u64>,
}

/// A proof as it is listed.
#[derive(Debug, Clone)]
pub struct ProofRecord {
    /// The row.
    pub row: ProofRow,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The bytes as received; nothing once they are archived.
    pub bytes: Option<Vec<u8>>,
}

/// An agent as it is listed.
#[derive(Debug, Clone)]
pub struct AgentRecord {
    /// The agent's id.
    pub agent_id: Uuid,
    /// What is known of it.
    pub agent: Agent,
    /// Proofs that wait for its approval.
    pub buffered: u64,
    /// The request of it that waits for the owner.
    pub reset_asked: Option<ResetAsked>,
    /// When it was last heard of, to within a few minutes.
    pub heard_at: Option<Timestamp>,
}

/// The writing side; one per process.
#[async_trait]
pub trait Journal: Send + 'static {
    /// The state as the projections hold it.
    async fn load(&mut self) -> Result<Loaded, StoreError>;
    /// Writes a batch in one durable transaction, or nothing of it.
    async fn commit(&mut self, batch: &Batch<'_>) -> Result<(), StoreError>;
    /// What is known of a proof that does not extend its chain.
    async fn history(
        &mut self,
        agent: Uuid,
        proof: Uuid,
        follows: Uuid,
    ) -> Result<History, StoreError>;
    /// What the proofs of an agent after `last_good` had brought; nothing if it has no such proof.
    async fn cut(
        &mut self,
        agent: Uuid,
        last_good: Option<Uuid>,
    ) -> Result<Option<Cut>, StoreError>;
    /// The last proof of an agent, over all branches of its chain.
    async fn last_proof(&mut self, agent: Uuid) -> Result<Option<Uuid>, StoreError>;
    /// The head that a chain had at one of its proofs; nothing if it has no such proof.
    async fn head_at(&mut self, agent: Uuid, proof: Uuid) -> Result<Option<ChainHead>, StoreError>;
    /// The buffered proofs of an agent, in chain order.
    async fn buffered(&mut self, agent: Uuid) -> Result<Vec<Vec<u8>>, StoreError>;
    /// The last published snapshot.
    async fn last_publication(&mut self) -> Result<Option<Publication>, StoreError>;
    /// The latest signed head.
    async fn checkpoint(&mut self) -> Result<Option<SignedHead>, StoreError>;
    /// A card or milestone by its key.
    async fn notice(&mut self, key: &str) -> Result<Option<Notice>, StoreError>;
    /// The villages, home first.
    async fn villages(&mut self) -> Result<Vec<Village>, StoreError>;
}

/// What is done to a database beside its ledger, by whoever has the writing side.
#[async_trait]
pub trait Upkeep: Journal {
    /// The farm's secrets; `fresh` becomes them if there are none yet.
    async fn secrets(&mut self, fresh: &Secrets) -> Result<Secrets, StoreError>;
    /// Who may do what, once there is an owner's token.
    async fn access(&mut self) -> Result<Option<Access>, StoreError>;
    /// Makes the token with this hash the owner's, in place of any earlier one.
    async fn keep_owner_token(
        &mut self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Empties every projection and folds the ledger into them again, in one transaction. The rows are
    /// the same, byte for byte, as those the writer wrote as it went. `progress` is told how many entries
    /// are folded.
    ///
    /// # Errors
    /// [`StoreError::NotOurs`] when a head was signed that is not the ledger's: then the ledger is not what
    /// it was, and nothing is changed.
    async fn rebuild(
        &mut self,
        salts: &SaltSource,
        archive: &mut dyn Bodies,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<State, StoreError>;
    /// Takes the bodies of these proofs away, and keeps the commitments to them: all or none.
    async fn take_bodies(&mut self, bodies: &[(u64, Digest)]) -> Result<(), StoreError>;
    /// Puts bodies back for which these commitments stand: all or none.
    async fn put_bodies(&mut self, bodies: &[(u64, Digest, Vec<u8>)]) -> Result<(), StoreError>;
}

/// The reading side; cheap to share.
#[async_trait]
pub trait Reads: Send + Sync + 'static {
    /// The farm's figures; nothing before it is founded.
    async fn farm(&self) -> Result<Option<FarmView>, StoreError>;
    /// The farm's layout, as it was saved; nothing if nobody has moved anything.
    async fn layout(&self) -> Result<Option<Vec<u8>>, StoreError>;
    /// What each day brought, latest first.
    async fn days(&self, limit: u32) -> Result<Vec<(String, DayTotals)>, StoreError>;
    /// The proofs that match, latest first.
    async fn proofs(
        &self,
        filter: &ProofFilter,
        limit: u32,
    ) -> Result<Vec<ProofRecord>, StoreError>;
    /// The proofs of that id, of one agent or of any, the oldest first and two at most: an id stands once in
    /// each agent's chain.
    async fn proof(&self, id: Uuid, agent: Option<Uuid>) -> Result<Vec<ProofRecord>, StoreError>;
    /// Every agent, in order of enrolment.
    async fn agents(&self) -> Result<Vec<AgentRecord>, StoreError>;
    /// Which seasons have entries whose bodies are archived, and which ones.
    async fn archived(&self) -> Result<Vec<ArchivedSeason>, StoreError>;
    /// The rows of the proofs at the positions after `after`, up to `through`.
    async fn proof_rows(&self, after: u64, through: u64) -> Result<Vec<ProofRow>, StoreError>;
    /// Ledger lines after a position.
    async fn ledger(&self, after: u64, limit: u32) -> Result<Vec<LedgerLine>, StoreError>;
    /// A file of the transparency log; nothing if the log does not have it.
    async fn tile(&self, tile: &Tile) -> Result<Option<Vec<u8>>, StoreError>;
    /// What the entry at `position` was worth as the log commits to it; nothing if it has no score.
    async fn logged_score(&self, position: u64) -> Result<Option<LoggedScore>, StoreError>;
    /// The latest signed head.
    async fn checkpoint(&self) -> Result<Option<SignedHead>, StoreError>;
    /// The signed heads of more than `after` entries, the smallest first.
    async fn checkpoints(&self, after: u64, limit: u32) -> Result<Vec<SignedHead>, StoreError>;
    /// What was bought, in order.
    async fn purchases(&self) -> Result<Vec<Purchase>, StoreError>;
    /// The days of rest.
    async fn rest_days(&self) -> Result<BTreeSet<Date>, StoreError>;
    /// The leagues that the farm is or was in, by slug.
    async fn leagues(&self) -> Result<BTreeMap<String, League>, StoreError>;
    /// The rules of that digest, or those in force; nothing if there are none.
    async fn rules(&self, digest: Option<Digest>) -> Result<Option<RuleSet>, StoreError>;
    /// The composites that were earned, latest first.
    async fn composites(&self, limit: u32) -> Result<Vec<CompositeRow>, StoreError>;
    /// How many forks were refused, by agent.
    async fn forks(&self) -> Result<Vec<(Uuid, u64)>, StoreError>;
    /// The last published snapshot.
    async fn snapshot(&self) -> Result<Option<Publication>, StoreError>;
    /// A public object by its IRI: a snapshot, card or milestone.
    async fn object(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError>;
    /// How many snapshots, cards and milestones there are.
    async fn count_objects(&self) -> Result<u64, StoreError>;
    /// The villages, home first.
    async fn villages(&self) -> Result<Vec<Village>, StoreError>;
}
