//! The writing side's use cases, one line each.

use async_trait::async_trait;
use farmops_protocol::chain::ChainHead;
use uuid::Uuid;

use super::{SqliteJournal, log, publications, revocations};
use crate::{
    domain::{Cut, History},
    store::{Batch, Journal, Loaded, Notice, Publication, SignedHead, StoreError, Village},
};

#[async_trait]
impl Journal for SqliteJournal {
    async fn load(&mut self) -> Result<Loaded, StoreError> {
        self.read_all().await
    }

    async fn commit(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        self.write(batch).await
    }

    async fn history(
        &mut self,
        agent: Uuid,
        proof: Uuid,
        follows: Uuid,
    ) -> Result<History, StoreError> {
        self.look_up(agent, proof, follows).await
    }

    async fn cut(
        &mut self,
        agent: Uuid,
        last_good: Option<Uuid>,
    ) -> Result<Option<Cut>, StoreError> {
        revocations::cut(&mut self.conn, agent, last_good).await
    }

    async fn head_at(&mut self, agent: Uuid, proof: Uuid) -> Result<Option<ChainHead>, StoreError> {
        self.read_head_at(agent, proof).await
    }

    async fn buffered(&mut self, agent: Uuid) -> Result<Vec<Vec<u8>>, StoreError> {
        self.read_buffered(agent).await
    }

    async fn last_publication(&mut self) -> Result<Option<Publication>, StoreError> {
        publications::last(&mut self.conn).await
    }

    async fn checkpoint(&mut self) -> Result<Option<SignedHead>, StoreError> {
        log::latest(&mut self.conn).await
    }

    async fn notice(&mut self, key: &str) -> Result<Option<Notice>, StoreError> {
        publications::notice(&mut self.conn, key).await
    }

    async fn villages(&mut self) -> Result<Vec<Village>, StoreError> {
        publications::villages(&mut self.conn).await
    }
}
