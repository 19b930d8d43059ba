//! Whether a farmer may become a member: the one rule, pure.

use farmops_protocol::registration::RegistrationRequest;
use serde::Deserialize;

use crate::{
    farmer::{Farmer, Membership},
    policy::{Refusal, Standing, admit_farmer},
};

/// Who may join.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Everyone.
    #[default]
    Open,
    /// Who brings an invite.
    Invite,
    /// Who the village's people let in; an invite lets in at once.
    Approval,
}

impl Registration {
    /// The word in the configuration and in the federation's information.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invite => "invite",
            Self::Approval => "approval",
        }
    }
}

/// What the decision rests on, beside the request.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Who has the handle.
    pub handle_holder: Option<&'a Farmer>,
    /// Who has the actor.
    pub actor_holder: Option<&'a Farmer>,
    /// What is known of the actor's holder, or of the actor's host.
    pub standing: Standing,
    /// Whether the village keeps the handle for itself.
    pub reserved: bool,
    /// Whether the invite, if there is one, would let someone in.
    pub invite_is_good: bool,
    /// Whether the roster is full.
    pub full: bool,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: she is a member already, or waits already.
    Already(Membership),
    /// She comes in, or onto the list of those who wait.
    Admit {
        /// `Active` or `Pending`.
        membership: Membership,
        /// Whether the invite loses a use.
        spend_invite: bool,
    },
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The village keeps the handle for itself.
    #[error("this handle is kept for the village itself")]
    Reserved,
    /// The handle belongs to another key.
    #[error("this handle belongs to another farmer")]
    HandleTaken,
    /// The farmer is known here under another actor.
    #[error("this handle is registered for another actor; leave the village with that one first")]
    OtherActor,
    /// The farmer is a member under another handle.
    #[error("this farm is registered here under another handle; leave the village first")]
    OtherHandle,
    /// The actor is known here with another key.
    #[error("this actor is known here with another key")]
    OtherKey,
    /// The request is older than the last one that was heeded.
    #[error("a newer request of this farmer was heeded already")]
    Replayed,
    /// One needs an invite here.
    #[error("this village takes new members by invite")]
    InviteNeeded,
    /// The invite is unknown, used up or too old.
    #[error("this invite is unknown, used up or expired")]
    InviteRefused,
    /// The roster is full.
    #[error("this village has no room left")]
    Full,
    /// The policy refuses her.
    #[error(transparent)]
    Policy(#[from] Refusal),
}

/// Decides about a request whose form, freshness and signature were checked.
pub fn decide(
    registration: Registration,
    request: &RegistrationRequest,
    facts: Facts<'_>,
) -> Result<Decision, Denial> {
    if facts.reserved {
        return Err(Denial::Reserved);
    }
    if let Some(holder) = facts.handle_holder {
        if holder.farmer_key != request.farmer_key {
            return Err(Denial::HandleTaken);
        }
        if holder.actor.as_str() != request.actor {
            return Err(Denial::OtherActor);
        }
    }
    let membership = facts.actor_holder.and_then(|holder| holder.membership);
    if let Some(holder) = facts.actor_holder {
        if holder.farmer_key != request.farmer_key {
            return Err(Denial::OtherKey);
        }
        let in_or_waiting = matches!(membership, Some(Membership::Active | Membership::Pending));
        if in_or_waiting && facts.handle_holder.is_none() {
            return Err(Denial::OtherHandle);
        }
    }
    admit_farmer(facts.standing)?;
    if let Some(status @ (Membership::Active | Membership::Pending)) = membership {
        return Ok(Decision::Already(status));
    }
    let heeded = facts.actor_holder.and_then(|holder| holder.asked_at);
    if heeded.is_some_and(|heeded| request.requested_at <= heeded) {
        return Err(Denial::Replayed);
    }
    if facts.actor_holder.is_none() && facts.full {
        return Err(Denial::Full);
    }
    let admit = |membership, spend_invite| {
        Ok(Decision::Admit {
            membership,
            spend_invite,
        })
    };
    match (registration, &request.invite) {
        (Registration::Open, _) => admit(Membership::Active, false),
        (Registration::Invite, None) => Err(Denial::InviteNeeded),
        (Registration::Approval, None) => admit(Membership::Pending, false),
        (_, Some(_)) if facts.invite_is_good => admit(Membership::Active, true),
        (_, Some(_)) => Err(Denial::InviteRefused),
    }
}

#[cfg(test)]
mod tests;
