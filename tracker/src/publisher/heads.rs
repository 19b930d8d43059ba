//! Signing the transparency log's heads.
//!
//! A head is signed only as the writer showed it, so only for what is durable, and kept in the
//! transaction that says it to the world.

use farmops_protocol::{checkpoint::Checkpoint, key::SecretKey, log::TreeHead, time::Timestamp};

use crate::{
    site::Site,
    store::SignedHead,
    writer::{Outgoing, WriteError, WriterHandle},
};

/// `head` as a checkpoint of the farm at `site`.
pub fn sign(site: &Site, key: &SecretKey, head: TreeHead, now: Timestamp) -> SignedHead {
    let checkpoint = Checkpoint {
        origin: site.log_origin(),
        size: head.size,
        root: head.root,
    };
    SignedHead {
        head,
        note: checkpoint.sign(key),
        signed_at: now,
    }
}

/// The latest signed head, if it has the entry at `position`, or a new one that has everything durable.
pub async fn covering(
    position: u64,
    site: &Site,
    key: &SecretKey,
    writer: &WriterHandle,
    now: Timestamp,
) -> Result<SignedHead, WriteError> {
    let glimpse = writer.glimpse(Vec::new()).await?;
    if let Some(signed) = glimpse.signed.filter(|signed| signed.head.size >= position) {
        return Ok(signed);
    }
    let signed = sign(site, key, glimpse.head, now);
    let outgoing = Outgoing {
        checkpoints: vec![signed.clone()],
        ..Outgoing::default()
    };
    writer.say(outgoing).await?;
    Ok(signed)
}
