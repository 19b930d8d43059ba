//! Who follows whom.

use async_trait::async_trait;
use url::Url;

use crate::{
    post::Post,
    relation::{Direction, Relation, RelationState},
    store::StoreError,
};

/// Which relations a list is about.
#[derive(Clone, Debug)]
pub struct RelationFilter {
    /// The local actor.
    pub local: Url,
    /// Which way they point.
    pub direction: Direction,
    /// Only this state.
    pub state: Option<RelationState>,
}

/// Who follows whom.
#[async_trait]
pub trait RelationStore {
    /// The relation between two actors in one direction.
    async fn relation(
        &self,
        local: &Url,
        remote: &Url,
        direction: Direction,
    ) -> Result<Option<Relation>, StoreError>;

    /// The relation that the Follow with this id began.
    async fn relation_by_follow(&self, follow_id: &Url) -> Result<Option<Relation>, StoreError>;

    /// Whether any local actor follows, or asked to follow, `remote`; the furthest state.
    async fn following_state(&self, remote: &Url) -> Result<Option<RelationState>, StoreError>;

    /// Writes a relation, replacing the one between the same actors in the same direction.
    async fn save_relation(&self, relation: &Relation) -> Result<(), StoreError>;

    /// Writes a relation and appends the post that tells the other side of it, both or neither.
    async fn save_relation_and_post(
        &self,
        relation: &Relation,
        post: &Post,
    ) -> Result<(), StoreError>;

    /// Ends a relation; true if there was one.
    async fn end_relation(
        &self,
        local: &Url,
        remote: &Url,
        direction: Direction,
    ) -> Result<bool, StoreError>;

    /// The relations that match, ordered by the remote id, at most `limit` after `after`.
    async fn relations(
        &self,
        filter: &RelationFilter,
        after: Option<&Url>,
        limit: u32,
    ) -> Result<Vec<Relation>, StoreError>;

    /// How many match.
    async fn count_relations(&self, filter: &RelationFilter) -> Result<u64, StoreError>;

    /// Every relation, both ways, with actors at `host`.
    async fn relations_with_host(&self, host: &str) -> Result<Vec<Relation>, StoreError>;

    /// Ends every follower relation that is delivered to `inbox` (it answered 410); answers them.
    async fn drop_followers_at(&self, inbox: &Url) -> Result<Vec<Relation>, StoreError>;
}
