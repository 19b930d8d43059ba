//! What local actors sent.

use async_trait::async_trait;
use url::Url;

use crate::{post::Post, store::StoreError};

/// What local actors sent.
#[async_trait]
pub trait PostStore {
    /// Appends a post; false if one with the same id is there (then nothing changes).
    async fn append_post(&self, post: &Post) -> Result<bool, StoreError>;

    /// The post with this activity id.
    async fn post(&self, id: &Url) -> Result<Option<Post>, StoreError>;

    /// Spreads up to `limit` posts not yet spread over the inboxes of their audiences, in the
    /// order of appending, each post in one transaction: one delivery per inbox whose host is
    /// not blocked, never a second for the same activity and inbox. Answers how many posts.
    async fn spread_posts(&self, limit: u32) -> Result<u32, StoreError>;

    /// The listed posts of an actor, newest first, at most `limit` before position `before`,
    /// each with its position.
    async fn outbox(
        &self,
        actor: &Url,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<(u64, Post)>, StoreError>;

    /// How many listed posts an actor has.
    async fn count_outbox(&self, actor: &Url) -> Result<u64, StoreError>;
}
