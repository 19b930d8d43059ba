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
mod postgres;
mod projections;
mod sqlite;
#[cfg(test)]
pub(crate) mod tests;
mod transfer;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use farmops_federation::Post;
use farmops_protocol::{
    chain::ChainHead,
    digest::Digest,
    key::{PublicKey, SecretKey},
    log::{
        Tile, TreeHead,
        commitment::{LoggedScore, SaltSource},
    },
    proof::Category,
    registration::MembershipStatus,
    scoring::RuleSet,
    time::Timestamp,
};
use farmops_service::token::TokenHash;
use jiff::civil::Date;
use serde::Serialize;
use uuid::Uuid;

pub use self::database::{Database, Place};
pub use self::projections::{Cell, Inspect, PROJECTIONS, Projection, RawRow};
use crate::{
    domain::{
        Agent, Changes, CompositeRow, Cut, DayTotals, FarmView, History, League, ProofRow,
        Purchase, State, WaitingRoom,
    },
    ledger::{Entry, EventError, FullTile, Log},
};

/// The database failed, or holds what this version cannot read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said no.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The tables could not be brought to this version.
    #[error("the tables could not be brought to this version")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A later program has been at work on the tables.
    #[error(
        "the database is of version {found}, which this program does not know (it knows up to {known}); \
         run a newer farmops-tracker, or restore a backup from before"
    )]
    Newer {
        /// The newest version it has seen.
        found: i64,
        /// The newest version that we know.
        known: i64,
    },
    /// Two databases that are of different versions.
    #[error(
        "the table `{0}` is not the same in both; start this version's tracker on the older one first"
    )]
    OtherTables(String),
    /// The server cannot keep a ledger.
    #[error("the database cannot be used: {0}")]
    Unfit(String),
    /// A row does not hold what it should.
    #[error("the column `{column}` holds something unreadable: {reason}")]
    Unreadable {
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The log has another head than the batch grows from: someone else writes too.
    #[error("the ledger has grown behind this writer's back")]
    OtherHead,
    /// A head is no head of this log, or not durable yet.
    #[error("the head of {0} entries is none of this log's")]
    NotOurs(u64),
    /// What an entry says is archived, and the archive is not there.
    #[error("what entry {0} says is archived")]
    Archived(u64),
    /// The ledger has a gap.
    #[error("the ledger has no entry {0}")]
    Gap(u64),
    /// A ledger line does not parse.
    #[error(transparent)]
    Event(#[from] EventError),
    /// Another process works on it.
    #[error("a tracker is running on this database; stop it first")]
    InUse,
    /// The database's file cannot be used.
    #[error("the database's file cannot be used")]
    File(#[from] std::io::Error),
    /// The database's URL is none we know.
    #[error("`{0}` is no database URL; expected sqlite://PATH or postgres://USER@HOST/NAME")]
    Url(String),
}

impl StoreError {
    /// Whether a row is at fault, and not the database.
    pub fn is_unreadable(&self) -> bool {
        matches!(
            self,
            Self::Unreadable { .. } | Self::Database(sqlx::Error::ColumnDecode { .. })
        )
    }
}

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
    /// The farm's layout.
    pub layout: Option<&'a [u8]>,
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

/// A published snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Grows by one, never reused.
    pub sequence: u64,
    /// The object's IRI.
    pub object_id: String,
    /// The last ledger entry it tells about.
    pub ledger_position: u64,
    /// When.
    pub published_at: Timestamp,
    /// The signed document's canonical bytes.
    pub document: Vec<u8>,
}

/// A weekly card or a milestone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `card-2026-W47`, `badge-first-seed`, `level-2`.
    pub key: String,
    /// The object's IRI.
    pub object_id: String,
    /// From 1, growing with every update.
    pub revision: u64,
    /// When it was first published.
    pub published_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The document's JSON.
    pub document: Vec<u8>,
}

/// A village the farmer joined, or asked to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Village {
    /// Scheme and authority.
    pub url: String,
    /// Its actor's IRI.
    pub actor: String,
    /// The farmer's account there.
    pub account: String,
    /// How far it has come.
    pub status: MembershipStatus,
    /// Whether the farmer's handle lives there: the first one joined.
    pub home: bool,
    /// When.
    pub joined_at: Timestamp,
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

/// A raw ledger line.
#[derive(Debug, Clone)]
pub struct LedgerLine {
    /// Its place.
    pub position: u64,
    /// The event's word.
    pub kind: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The canonical body.
    pub body: LineBody,
}

/// What an entry says, or what is left of it here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineBody {
    /// Its canonical bytes.
    Here(Vec<u8>),
    /// They are in an archive; this is the commitment to them, of which the log is made.
    Archived(Digest),
}

impl LineBody {
    /// The canonical bytes, if they are here.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Here(bytes) => Some(bytes),
            Self::Archived(_) => None,
        }
    }
}

/// The entries of one season whose bodies are archived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchivedSeason {
    /// The season, `2026-Q3`.
    pub season: String,
    /// How many entries.
    pub entries: u64,
    /// The position of the first one.
    pub first: u64,
    /// The position of the last one.
    pub last: u64,
}

impl ArchivedSeason {
    /// Counts the entry at `position` among those of its season; positions come in order.
    pub fn count(seasons: &mut Vec<Self>, season: String, position: u64) {
        match seasons.iter_mut().find(|known| known.season == season) {
            Some(known) => {
                known.entries += 1;
                known.last = position;
            }
            None => seasons.push(Self {
                season,
                entries: 1,
                first: position,
                last: position,
            }),
        }
    }
}

/// Where the bodies are that the ledger does not have.
pub trait Bodies: Send {
    /// What the entry at `position` says; nothing if it is not there.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    fn body(&mut self, position: u64) -> Result<Option<Vec<u8>>, StoreError>;
}

/// No archive.
#[derive(Debug, Clone, Copy)]
pub struct Nowhere;

impl Bodies for Nowhere {
    fn body(&mut self, _: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }
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
    /// The hash of the owner's token, once there is one.
    async fn owner_token(&mut self) -> Result<Option<TokenHash>, StoreError>;
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
    /// One proof.
    async fn proof(&self, id: Uuid) -> Result<Option<ProofRecord>, StoreError>;
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

/// Secrets made at the first start.
#[derive(Debug)]
pub struct Secrets {
    /// The seed of the farm's Ed25519 key.
    pub farm_key: SecretKey,
    /// The farm's secret, 32 bytes: leaf salts and session tags.
    pub farm_secret: Vec<u8>,
}

impl Secrets {
    /// New ones.
    pub fn generate(rng: &mut impl rand::CryptoRng) -> Self {
        let mut farm_secret = vec![0; 32];
        rng.fill_bytes(&mut farm_secret);
        Self {
            farm_key: SecretKey::generate(rng),
            farm_secret,
        }
    }

    /// The public half of the farm's key.
    pub fn public_key(&self) -> PublicKey {
        self.farm_key.public()
    }
}
