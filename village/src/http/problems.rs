//! Which status each refusal has.

use farmops_federation::FederationError;
use farmops_protocol::field::FieldError;
use farmops_service::problem::Problem;
use http::StatusCode;

use crate::{
    policy::Refusal,
    roster::Denial,
    store::StoreError,
    village::{ApproveError, FollowError, LeaveError, PeerError, RegisterError},
};

/// A member of a body that breaks a rule.
pub(super) fn body(error: FieldError) -> Problem {
    Problem::unprocessable(error.field, error.reason)
}

/// A query parameter that breaks a rule.
pub(super) fn query(error: FieldError) -> Problem {
    Problem::bad_request(error.field, error.reason)
}

/// The database failed. By value, as `map_err` hands it over.
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn store(error: StoreError) -> Problem {
    Problem::internal(&error)
}

fn federation(error: FederationError) -> Problem {
    match error {
        FederationError::Denied(reason) => Problem::forbidden(reason),
        FederationError::Field(error) => body(error),
        other => Problem::internal(&other),
    }
}

fn policy(refusal: Refusal) -> Problem {
    Problem::forbidden(refusal.to_string()).code(match refusal {
        Refusal::Blocked => "server-blocked",
        Refusal::Removed => "farmer-removed",
        Refusal::NotWanted | Refusal::NoPeer => "not-wanted",
    })
}

fn denial(denial: Denial) -> Problem {
    let reason = denial.to_string();
    match denial {
        Denial::Reserved => Problem::unprocessable("handle", reason).code("handle-reserved"),
        Denial::HandleTaken => Problem::conflict(reason)
            .code("handle-taken")
            .field("handle"),
        Denial::OtherActor => Problem::conflict(reason).code("other-actor").field("actor"),
        Denial::OtherHandle => Problem::conflict(reason)
            .code("other-handle")
            .field("handle"),
        Denial::OtherKey => Problem::conflict(reason)
            .code("other-key")
            .field("farmer_key"),
        Denial::Replayed => replayed(reason),
        Denial::InviteNeeded => Problem::forbidden(reason)
            .code("invite-needed")
            .field("invite"),
        Denial::InviteRefused => Problem::forbidden(reason)
            .code("invite-refused")
            .field("invite"),
        Denial::Full => Problem::forbidden(reason).code("village-full"),
        Denial::Policy(refusal) => policy(refusal),
    }
}

fn replayed(reason: String) -> Problem {
    Problem::conflict(reason)
        .code("replayed")
        .field("requested_at")
}

pub(super) fn register(error: RegisterError) -> Problem {
    match error {
        RegisterError::Field(error) => body(error),
        RegisterError::Denied(reason) => denial(reason),
        RegisterError::Busy => Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests")
            .detail("too many registrations at the same time")
            .header(http::header::RETRY_AFTER, 5.into()),
        RegisterError::Federation(error) => federation(error),
        RegisterError::Store(error) => store(error),
    }
}

pub(super) fn leave(error: LeaveError) -> Problem {
    match error {
        LeaveError::Unknown => Problem::not_found("farmer"),
        LeaveError::Field(error) => body(error),
        LeaveError::NotHers => Problem::forbidden(LeaveError::NotHers.to_string()),
        LeaveError::Replayed => replayed(LeaveError::Replayed.to_string()),
        LeaveError::Federation(error) => federation(error),
        LeaveError::Store(error) => store(error),
    }
}

pub(super) fn approve(error: ApproveError) -> Problem {
    match error {
        ApproveError::Unknown => Problem::not_found("applicant"),
        ApproveError::Denied(reason) => denial(reason),
        ApproveError::Federation(error) => federation(error),
        ApproveError::Store(error) => store(error),
    }
}

pub(super) fn follow(error: FollowError) -> Problem {
    match error {
        FollowError::Field(error) => body(error),
        FollowError::Policy(refusal) => policy(refusal),
        FollowError::Unknown => Problem::not_found("followed farmer"),
        FollowError::Federation(error) => federation(error),
        FollowError::Store(error) => store(error),
    }
}

pub(super) fn peer(error: PeerError) -> Problem {
    match error {
        PeerError::Field(error) => body(error),
        PeerError::Unknown => Problem::not_found("peer"),
        PeerError::Policy(refusal) => policy(refusal),
        PeerError::Federation(error) => federation(error),
        PeerError::Store(error) => store(error),
    }
}
