//! What stands in an archive, as the database has it.

use farmops_ledger::archive::{
    Checkpointed, FarmKeys, FormatError, LastSnapshot, Member, SNAPSHOT,
};
use farmops_protocol::log::TreeHead;
use serde_json::value::RawValue;

use crate::store::{Publication, Secrets, SignedHead, Village};

impl From<Checkpointed> for SignedHead {
    fn from(signed: Checkpointed) -> Self {
        Self {
            head: TreeHead {
                size: signed.size,
                root: signed.root,
            },
            note: signed.note,
            signed_at: signed.signed_at,
        }
    }
}

impl From<SignedHead> for Checkpointed {
    fn from(signed: SignedHead) -> Self {
        Self {
            size: signed.head.size,
            root: signed.head.root,
            note: signed.note,
            signed_at: signed.signed_at,
        }
    }
}

impl From<Member> for Village {
    fn from(member: Member) -> Self {
        Self {
            url: member.url,
            actor: member.actor,
            account: member.account,
            status: member.status,
            home: member.home,
            joined_at: member.joined_at,
            place: member.place,
        }
    }
}

impl From<Village> for Member {
    fn from(village: Village) -> Self {
        Self {
            url: village.url,
            actor: village.actor,
            account: village.account,
            status: village.status,
            home: village.home,
            joined_at: village.joined_at,
            place: village.place,
        }
    }
}

impl From<LastSnapshot> for Publication {
    fn from(published: LastSnapshot) -> Self {
        Self {
            sequence: published.sequence,
            object_id: published.object_id,
            ledger_position: published.ledger_position,
            published_at: published.published_at,
            document: published.document.get().as_bytes().to_vec(),
        }
    }
}

impl TryFrom<Publication> for LastSnapshot {
    type Error = FormatError;

    fn try_from(published: Publication) -> Result<Self, FormatError> {
        let document = String::from_utf8(published.document)
            .map_err(|error| FormatError::form(SNAPSHOT, error))?;
        Ok(Self {
            sequence: published.sequence,
            object_id: published.object_id,
            ledger_position: published.ledger_position,
            published_at: published.published_at,
            document: RawValue::from_string(document)
                .map_err(|error| FormatError::form(SNAPSHOT, error))?,
        })
    }
}

impl From<FarmKeys> for Secrets {
    fn from(keys: FarmKeys) -> Self {
        Self {
            farm_key: keys.farm_key,
            farm_secret: keys.farm_secret,
        }
    }
}
