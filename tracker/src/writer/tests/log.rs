//! The log under two writers, and the heads that are signed of it.

use farmops_ledger::{AgentApproved, Event};
use farmops_protocol::log::TreeHead;

use super::*;
use crate::store::{Growth, SignedHead};

/// A second writer that read the state before the first one went on.
struct Late {
    journal: Box<dyn Upkeep>,
    loaded: Loaded,
}

impl Late {
    async fn of(farm: &Farm) -> Self {
        let mut journal = farm.database.stranger().await;
        let loaded = journal.load().await.unwrap();
        Self { journal, loaded }
    }

    /// Commits an entry after the state that it read.
    async fn commit(&mut self) -> Result<(), StoreError> {
        let Loaded { state, log, .. } = &mut self.loaded;
        let from = log.head();
        let agent = TestAgent::new(9);
        let entry = Entry {
            position: state.next_position(),
            recorded_at: friday(),
            event: Event::AgentApproved(AgentApproved {
                agent_id: agent.id,
                fingerprint: agent.key.public().fingerprint(),
            }),
        };
        let entered = enter(state, log, &SaltSource::new(SECRET), &entry);
        let mut changes = crate::domain::Changes::default();
        changes.note(state, &entry, entered.applied);
        let batch = Batch {
            entries: &[entry],
            changes: Some((state, &changes)),
            log: Some(Growth {
                from,
                log,
                tiles: &entered.tiles,
            }),
            ..Batch::default()
        };
        self.journal.commit(&batch).await
    }
}

#[tokio::test]
async fn two_writers_never_fork_the_log() {
    let farm = Farm::begin().await;
    let mut late = Late::of(&farm).await;
    let mut agent = farm.trusted(1).await;
    let before = farm.dump().await;
    assert!(matches!(late.commit().await, Err(StoreError::OtherHead)));
    assert_eq!(before, farm.dump().await, "nothing of it was kept");

    // The other way round: the writer notices, reads the state again, and goes on after it.
    let mut quick = Late::of(&farm).await;
    quick.commit().await.unwrap();
    let proof = agent.work(Category::Toil, friday());
    let checked = farm.writer.directory().check(proof.bytes());
    let refused = farm.writer.submit(vec![checked]).await;
    assert_eq!(refused, Err(WriteError::Unavailable));
    assert_eq!(
        standing(&farm.submit(proof.bytes()).await),
        Standing::Chained
    );
    let dump = farm.dump().await;
    let mut journal = farm.database.stranger().await;
    journal
        .rebuild(&SaltSource::new(SECRET), &mut Nowhere, &mut |_| ())
        .await
        .unwrap();
    assert_eq!(dump, farm.dump().await);
}

#[tokio::test]
async fn only_a_durable_head_of_this_log_is_kept_as_signed() {
    let farm = Farm::begin().await;
    farm.trusted(1).await;
    let durable = farm.writer.glimpse(Vec::new()).await.unwrap().head;
    let mut journal = farm.database.stranger().await;
    let mut keep = async |head: TreeHead| {
        let signed = SignedHead {
            head,
            note: "note".to_owned(),
            signed_at: friday(),
        };
        let batch = Batch {
            checkpoints: &[signed],
            ..Batch::default()
        };
        journal.commit(&batch).await
    };
    let other = farmops_protocol::digest::sha256(b"other");
    for (size, root) in [(durable.size + 1, durable.root), (durable.size, other)] {
        let kept = keep(TreeHead { size, root }).await;
        assert!(matches!(kept, Err(StoreError::NotOurs(_))), "{size}");
    }
    keep(durable).await.unwrap();
    keep(durable).await.unwrap();
    let reads = farm.database.reads();
    let kept = reads.checkpoint().await.unwrap().unwrap();
    assert_eq!(kept.head, durable);
    assert_eq!(reads.checkpoints(0, 10).await.unwrap(), [kept]);
}
