//! The writing side's use cases, in a line each once the connection is there.

use async_trait::async_trait;
use farmops_protocol::{
    chain::ChainHead, digest::Digest, log::commitment::SaltSource, time::Timestamp,
};
use farmops_service::token::TokenHash;
use uuid::Uuid;

use super::{dialect::SqlJournal, log, publications, revocations, tokens};
use crate::{
    domain::{Cut, History, State},
    store::{
        Access, Batch, Bodies, Journal, Loaded, Notice, Publication, Secrets, SignedHead,
        StoreError, Upkeep, Village,
    },
};

#[async_trait]
impl Journal for SqlJournal {
    async fn load(&mut self) -> Result<Loaded, StoreError> {
        self.ready().await?;
        self.read_all().await
    }

    async fn commit(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        self.ready().await?;
        self.write(batch).await
    }

    async fn history(
        &mut self,
        agent: Uuid,
        proof: Uuid,
        follows: Uuid,
    ) -> Result<History, StoreError> {
        self.ready().await?;
        self.look_up(agent, proof, follows).await
    }

    async fn cut(
        &mut self,
        agent: Uuid,
        last_good: Option<Uuid>,
    ) -> Result<Option<Cut>, StoreError> {
        self.ready().await?;
        revocations::cut(&mut self.conn, agent, last_good).await
    }

    async fn last_proof(&mut self, agent: Uuid) -> Result<Option<Uuid>, StoreError> {
        self.ready().await?;
        revocations::last(&mut self.conn, agent).await
    }

    async fn head_at(&mut self, agent: Uuid, proof: Uuid) -> Result<Option<ChainHead>, StoreError> {
        self.ready().await?;
        self.read_head_at(agent, proof).await
    }

    async fn buffered(&mut self, agent: Uuid) -> Result<Vec<Vec<u8>>, StoreError> {
        self.ready().await?;
        self.read_buffered(agent).await
    }

    async fn last_publication(&mut self) -> Result<Option<Publication>, StoreError> {
        self.ready().await?;
        publications::last(&mut self.conn).await
    }

    async fn checkpoint(&mut self) -> Result<Option<SignedHead>, StoreError> {
        self.ready().await?;
        log::latest(&mut self.conn).await
    }

    async fn notice(&mut self, key: &str) -> Result<Option<Notice>, StoreError> {
        self.ready().await?;
        publications::notice(&mut self.conn, key).await
    }

    async fn villages(&mut self) -> Result<Vec<Village>, StoreError> {
        self.ready().await?;
        publications::villages(&mut self.conn).await
    }
}

#[async_trait]
impl Upkeep for SqlJournal {
    async fn secrets(&mut self, fresh: &Secrets) -> Result<Secrets, StoreError> {
        self.ready().await?;
        self.keep_secrets(fresh).await
    }

    async fn access(&mut self) -> Result<Option<Access>, StoreError> {
        self.ready().await?;
        tokens::read(&mut self.conn).await
    }

    async fn keep_owner_token(
        &mut self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ready().await?;
        tokens::write_owner(&mut self.conn, hash, now).await
    }

    async fn rebuild(
        &mut self,
        salts: &SaltSource,
        archive: &mut dyn Bodies,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<State, StoreError> {
        self.ready().await?;
        self.fold_again(salts, archive, progress).await
    }

    async fn take_bodies(&mut self, bodies: &[(u64, Digest)]) -> Result<(), StoreError> {
        self.ready().await?;
        self.remove_bodies(bodies).await
    }

    async fn put_bodies(&mut self, bodies: &[(u64, Digest, Vec<u8>)]) -> Result<(), StoreError> {
        self.ready().await?;
        self.restore_bodies(bodies).await
    }
}
