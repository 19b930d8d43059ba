//! Where this farm is on the web: the names that pages, posts and peers use for it.

use farmops_federation::{Account, Reach, account::authority};
use farmops_ledger::archive::Membership;
use url::Url;

use crate::store::Village;

/// The name of the farmer's actor: `{public_url}/ap/actor`.
pub const ACTOR: &str = "actor";
/// The kind of snapshot objects: `{public_url}/ap/snapshots/{sequence}`.
pub const SNAPSHOTS: &str = "snapshots";
/// The kind of cards and milestones: `{public_url}/ap/notes/{key}`.
pub const NOTES: &str = "notes";

/// The addresses of this farm.
#[derive(Debug, Clone)]
pub struct Site {
    public_url: Url,
    reach: Reach,
}

impl Site {
    /// The farm reached at `public_url`.
    pub fn new(public_url: Url, reach: Reach) -> Self {
        Self { public_url, reach }
    }

    /// The front page.
    pub fn page(&self) -> Url {
        self.path("/")
    }

    /// The farm's picture.
    pub fn picture(&self) -> Url {
        self.path("/farm.svg")
    }

    /// The farmer's actor.
    pub fn actor(&self) -> Url {
        self.path(&format!("/ap/{ACTOR}"))
    }

    /// Scheme and authority, without a trailing slash.
    pub fn origin(&self) -> String {
        self.public_url.origin().ascii_serialization()
    }

    /// Host, and port where one is written.
    pub fn authority(&self) -> String {
        authority(&self.public_url).unwrap_or_default()
    }

    /// The name of the transparency log, and of the key that signs its checkpoints.
    pub fn log_origin(&self) -> String {
        format!("{}/ledger", self.authority())
    }

    /// Whether cookies can insist on an encrypted connection.
    pub fn is_encrypted(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// Whom we may talk to.
    pub const fn reach(&self) -> Reach {
        self.reach
    }

    /// The account that everyone should show: at the home village once she is a member there, at the
    /// tracker itself before.
    pub fn account(&self, handle: &str, villages: &[Village]) -> Option<Account> {
        let home = villages
            .iter()
            .find(|village| village.home && village.status == Membership::Active)
            .and_then(|village| Account::parse(&village.account, self.reach).ok());
        home.or_else(|| self.own_account(handle))
    }

    /// The account at the tracker itself.
    pub fn own_account(&self, handle: &str) -> Option<Account> {
        Account::parse(&format!("{handle}@{}", self.authority()), self.reach).ok()
    }

    fn path(&self, path: &str) -> Url {
        let mut url = self.public_url.clone();
        url.set_path(path);
        url.set_query(None);
        url.set_fragment(None);
        url
    }
}
