//! Every way a registration can go.
#![allow(clippy::unwrap_used)]

use farmops_federation::{Account, Reach, Timestamp};
use farmops_protocol::{
    key::SecretKey,
    registration::{Applicant, RegistrationRequest},
};

use super::*;
use crate::farmer::FarmerId;

const VILLAGE: &str = "https://orchard.example";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn request(key: u8, invite: Option<&str>) -> RegistrationRequest {
    let applicant = Applicant {
        actor: "https://farm.example/ap/actor",
        display_name: "Alice's farm",
        handle: "alice",
        invite,
        tracker_url: "https://farm.example",
        village_url: VILLAGE,
    };
    let bytes =
        RegistrationRequest::sign(applicant, &SecretKey::from_bytes([key; 32]), at(1000)).unwrap();
    RegistrationRequest::verify(&bytes, VILLAGE, at(1000)).unwrap()
}

fn alice(membership: Option<Membership>) -> Farmer {
    Farmer {
        id: FarmerId::fresh(),
        actor: "https://farm.example/ap/actor".parse().unwrap(),
        account: Account::parse("alice@orchard.example", Reach::Public).unwrap(),
        display_name: "Alice's farm".to_owned(),
        tracker_url: "https://farm.example".to_owned(),
        farmer_key: SecretKey::from_bytes([7; 32]).public(),
        page: None,
        membership,
        following: None,
        registered_at: at(0),
        asked_at: None,
        last_sync_at: None,
    }
}

fn facts(holder: Option<&Farmer>) -> Facts<'_> {
    Facts {
        handle_holder: holder,
        actor_holder: holder,
        standing: Standing {
            membership: holder.and_then(|h| h.membership),
            ..Standing::default()
        },
        reserved: false,
        invite_is_good: false,
        full: false,
    }
}

#[test]
fn each_policy_lets_in_whom_it_says() {
    let good = Facts {
        invite_is_good: true,
        ..facts(None)
    };
    let admit = |membership, spend_invite| {
        Ok(Decision::Admit {
            membership,
            spend_invite,
        })
    };
    for (policy, invite, facts, expected) in [
        (
            Registration::Open,
            None,
            facts(None),
            admit(Membership::Active, false),
        ),
        (
            Registration::Invite,
            None,
            facts(None),
            Err(Denial::InviteNeeded),
        ),
        (
            Registration::Invite,
            Some("x"),
            facts(None),
            Err(Denial::InviteRefused),
        ),
        (
            Registration::Invite,
            Some("x"),
            good,
            admit(Membership::Active, true),
        ),
        (
            Registration::Approval,
            None,
            facts(None),
            admit(Membership::Pending, false),
        ),
        (
            Registration::Approval,
            Some("x"),
            good,
            admit(Membership::Active, true),
        ),
        (
            Registration::Approval,
            Some("x"),
            facts(None),
            Err(Denial::InviteRefused),
        ),
    ] {
        assert_eq!(
            decide(policy, &request(7, invite), facts),
            expected,
            "{policy:?} {invite:?}"
        );
    }
}

#[test]
fn asking_again_changes_nothing() {
    for status in [Membership::Active, Membership::Pending] {
        let known = alice(Some(status));
        let decision = decide(Registration::Invite, &request(7, None), facts(Some(&known)));
        assert_eq!(decision, Ok(Decision::Already(status)));
    }
}

#[test]
fn a_handle_stays_with_its_key_even_after_leaving() {
    for membership in [Membership::Active, Membership::Left, Membership::Removed] {
        let known = alice(Some(membership));
        let stranger = Facts {
            actor_holder: None,
            ..facts(Some(&known))
        };
        let decision = decide(Registration::Open, &request(8, None), stranger);
        assert_eq!(decision, Err(Denial::HandleTaken));
    }
}

#[test]
fn one_farm_has_one_handle_and_one_key() {
    let known = alice(Some(Membership::Active));
    let other_handle = Facts {
        handle_holder: None,
        ..facts(Some(&known))
    };
    assert_eq!(
        decide(Registration::Open, &request(7, None), other_handle),
        Err(Denial::OtherHandle)
    );
    let followed = alice(None);
    let other_key = Facts {
        handle_holder: None,
        ..facts(Some(&followed))
    };
    assert_eq!(
        decide(Registration::Open, &request(8, None), other_key),
        Err(Denial::OtherKey)
    );
}

#[test]
fn an_old_request_does_not_bring_a_farmer_back() {
    let mut known = alice(Some(Membership::Left));
    known.asked_at = Some(at(1000));
    let again = |known: &Farmer| decide(Registration::Open, &request(7, None), facts(Some(known)));
    assert_eq!(again(&known), Err(Denial::Replayed));
    known.asked_at = Some(at(999));
    assert!(matches!(again(&known), Ok(Decision::Admit { .. })));
}

#[test]
fn the_removed_the_blocked_and_the_reserved_stay_out() {
    let removed = alice(Some(Membership::Removed));
    assert_eq!(
        decide(Registration::Open, &request(7, None), facts(Some(&removed))),
        Err(Denial::Policy(Refusal::Removed))
    );
    let blocked = Facts {
        standing: Standing {
            blocked: true,
            ..Standing::default()
        },
        ..facts(None)
    };
    assert_eq!(
        decide(Registration::Open, &request(7, None), blocked),
        Err(Denial::Policy(Refusal::Blocked))
    );
    let reserved = Facts {
        reserved: true,
        ..facts(None)
    };
    assert_eq!(
        decide(Registration::Open, &request(7, None), reserved),
        Err(Denial::Reserved)
    );
    let full = Facts {
        full: true,
        ..facts(None)
    };
    assert_eq!(
        decide(Registration::Open, &request(7, None), full),
        Err(Denial::Full)
    );
}
