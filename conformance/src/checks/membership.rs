//! Joining a village, being shown there, and leaving.

use std::time::Duration;

use farmops_protocol::{
    departure::DepartureRequest,
    field::FieldError,
    integrity,
    key::SecretKey,
    registration::{Applicant, RegistrationRequest},
};
use serde_json::{Value, json};
use url::Url;

use super::snapshot::{shown, strange_coins};
use crate::{
    check::{Check, Look, Miss, Verdict, ensure, ensure_status, ensure_success, fail, skip},
    http::Answer,
    probe::{Actor, Letter, Probe},
    session::{Session, now},
    target::Kind,
};

const VILLAGE: &[Kind] = &[Kind::Village];
/// Between two looks at the public pages.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "registration-form",
        clauses: &[
            "REG-FORM-001",
            "REG-SIGN-001",
            "REG-FRESH-001",
            "REG-AUD-001",
            "REG-ACTOR-001",
        ],
        title: "a registration that is stale, changed, for another village or not canonical is 422",
        kinds: VILLAGE,
        look: Look::By(|s| Box::pin(form(s))),
    },
    Check {
        name: "registration-key",
        clauses: &["REG-ACTOR-002"],
        title: "a registration by a key that the actor does not show is 422",
        kinds: VILLAGE,
        look: Look::By(|s| Box::pin(key(s))),
    },
    Check {
        name: "member-snapshots",
        clauses: &[
            "REG-ANSWER-001",
            "REG-AFTER-001",
            "SNP-SEQ-001",
            "SNP-PROOF-003",
            "REG-LEAVE-002",
        ],
        title: "a member's newest good snapshot is shown, an older or a false one is not, and nothing after she left; then she is followed no more",
        kinds: VILLAGE,
        look: Look::By(|s| Box::pin(member_snapshots(s))),
    },
];

/// A registration of `actor` by `key`, asked `seconds` from now.
fn signed(
    actor: &str,
    village: &str,
    key: &SecretKey,
    seconds: i64,
) -> Result<(String, String), Miss> {
    let url = Url::parse(actor).map_err(|e| Miss::Failed(e.to_string()))?;
    let handle = format!("probe-{}", &uuid::Uuid::new_v4().simple().to_string()[..12]);
    let applicant = Applicant {
        actor,
        display_name: "Conformance probe",
        handle: &handle,
        invite: None,
        tracker_url: &url.origin().ascii_serialization(),
        village_url: village,
    };
    let bytes =
        RegistrationRequest::sign(applicant, key, now().saturating_add(seconds)).map_err(ours)?;
    Ok((String::from_utf8_lossy(&bytes).into_owned(), handle))
}

/// The suite's own documents are well formed; if one is not, that is a failure of the check.
fn ours(FieldError { field, reason }: FieldError) -> Miss {
    Miss::Failed(format!("a document of the suite: {field}: {reason}"))
}

fn village(session: &Session) -> String {
    session.target.base.origin().ascii_serialization()
}

async fn register(session: &Session, body: String) -> Result<Answer, Miss> {
    let url = session.url("/api/v1/farmers/register");
    Ok(session.client.post_json(&url, body.into()).await?)
}

/// Refused with 422 and this field; the whole document may go unnamed.
fn ensure_refused(what: &str, answer: &Answer, field: &str) -> Verdict {
    ensure_status(what, answer, &[422])?;
    let named = answer.json()["field"].as_str().unwrap_or("$").to_owned();
    ensure(named == field, || {
        format!("{what}: field {named}, expected {field}")
    })
}

async fn form(session: &Session) -> Verdict {
    let (actor, home) = ("https://probe.example/actors/1", village(session));
    let key = &Probe::keys().farm;
    let make = |village: &str, seconds| signed(actor, village, key, seconds).map(|(body, _)| body);
    let good = make(&home, 0)?;
    for (what, body, field) in [
        (
            "a request for another village",
            make("https://elsewhere.example", 0)?,
            "village_url",
        ),
        (
            "a request of two hours ago",
            make(&home, -7200)?,
            "requested_at",
        ),
        (
            "a request of ten minutes ahead",
            make(&home, 600)?,
            "requested_at",
        ),
        (
            "a request changed after signing",
            good.replace("Conformance", "Changed"),
            "signature",
        ),
        (
            "an actor on another host",
            good.replace(actor, "https://elsewhere.example/1"),
            "actor",
        ),
        (
            "a request that is not canonical",
            good.replacen(',', ", ", 1),
            "$",
        ),
        ("a broken request", good[..good.len() / 2].to_owned(), "$"),
    ] {
        ensure_refused(what, &register(session, body).await?, field)?;
    }
    Ok(())
}

async fn key(session: &Session) -> Verdict {
    let actor = session.probe()?.fresh_actor();
    let (body, _) = signed(&actor.id, &village(session), &Probe::keys().other_farm, 0)?;
    let answer = register(session, body).await?;
    if answer.status == 403 {
        return skip("the village takes invited farmers only");
    }
    ensure_refused("a key that the actor does not show", &answer, "farmer_key")
}

async fn member_snapshots(session: &Session) -> Verdict {
    let probe = session.probe()?;
    if !session.may_join {
        return skip("joins the village for a moment; see --join");
    }
    let actor = probe.fresh_actor();
    let (body, handle) = signed(&actor.id, &village(session), &Probe::keys().farm, 0)?;
    let answer = register(session, body).await?;
    if matches!(answer.status, 202 | 403) {
        return skip(format!(
            "the village does not take everybody: status {}",
            answer.status
        ));
    }
    ensure_status("the registration", &answer, &[201])?;
    let Some(place) = answer.location.clone() else {
        return fail("the answer has no Location");
    };
    let newest = strange_coins();
    let found = live_there(session, &actor, &handle, &answer.json(), newest).await;
    let left = leave(session, &actor, &place, newest).await;
    found.and(left)
}

/// What a member sees of the village.
async fn live_there(
    session: &Session,
    actor: &Actor,
    handle: &str,
    answer: &Value,
    newest: u64,
) -> Verdict {
    let probe = session.probe()?;
    let account = answer["account"].as_str().unwrap_or_default();
    ensure(account.starts_with(&format!("{handle}@")), || {
        format!("the account is {account:?}")
    })?;
    ensure(answer["status"] == "active", || {
        format!("the status is {}", answer["status"])
    })?;
    let follows = |letter: &Letter| {
        letter.activity["type"] == "Follow" && letter.activity["object"] == actor.id
    };
    let Some(follow) = probe.letter(session.patience, follows).await else {
        return fail("the village did not follow its new member");
    };
    ensure(follow.activity["actor"] == answer["village"], || {
        "another actor followed".to_owned()
    })?;
    let accept = actor.activity("Accept", &follow.activity);
    ensure_success("the Accept", &session.send(actor, &accept, None).await?)?;

    let [first, older, forged] = [(); 3].map(|()| strange_coins());
    publish(session, actor, 1, first).await?;
    until(
        session,
        "a member's first snapshot is not shown",
        &[first],
        true,
    )
    .await?;
    publish(session, actor, 3, newest).await?;
    until(
        session,
        "a member's newer snapshot is not shown",
        &[newest],
        true,
    )
    .await?;
    publish(session, actor, 2, older).await?;
    let mut document = snapshot(actor, 4, newest)?;
    document["farm:totalCoins"] = json!(forged);
    let create = actor.activity("Create", &document);
    ensure_status(
        "a member's false snapshot",
        &session.send(actor, &create, None).await?,
        &[422],
    )?;
    in_order(session, actor).await?;
    let wrong = shown(session, &[older, forged]).await?;
    ensure(wrong.is_none(), || {
        "an older or a false snapshot replaced the newest".to_owned()
    })?;
    until(session, "the newest snapshot vanished", &[newest], true).await
}

fn snapshot(actor: &Actor, sequence: u64, coins: u64) -> Result<Value, Miss> {
    let mut document = actor.snapshot(coins, now());
    document["farm:sequence"] = json!(sequence);
    integrity::sign(&document, &Probe::keys().farm, &actor.farm_key_id(), now()).map_err(ours)
}

async fn publish(session: &Session, actor: &Actor, sequence: u64, coins: u64) -> Verdict {
    let create = actor.activity("Create", &snapshot(actor, sequence, coins)?);
    let answer = session.send(actor, &create, None).await?;
    ensure_success(&format!("a member's snapshot {sequence}"), &answer)
}

/// Waits until what `actor` sent so far has had its effect: mail of one actor is handled in order.
async fn in_order(session: &Session, actor: &Actor) -> Verdict {
    let follow = session.follow(actor);
    ensure_success(
        "a member's Follow",
        &session.send(actor, &follow, None).await?,
    )?;
    let id = follow["id"].as_str().unwrap_or_default();
    let answer = session
        .probe()?
        .letter(session.patience, |letter| letter.answers(id))
        .await;
    ensure(answer.is_some(), || {
        "a member's Follow had no answer".to_owned()
    })
}

/// Looks at the public pages until one of the figures is, or none of them is, shown there.
async fn until(session: &Session, otherwise: &str, coins: &[u64], present: bool) -> Verdict {
    let look = async {
        while shown(session, coins).await?.is_some() != present {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    };
    tokio::time::timeout(session.patience, look)
        .await
        .unwrap_or_else(|_| fail(otherwise))
}

async fn leave(session: &Session, actor: &Actor, place: &Url, newest: u64) -> Verdict {
    let request = DepartureRequest::sign(&actor.id, &village(session), &Probe::keys().farm, now());
    let answer = session
        .client
        .delete_json(place, request.map_err(ours)?)
        .await?;
    ensure_success("the departure", &answer)?;
    until(
        session,
        "she is still shown after she left",
        &[newest],
        false,
    )
    .await?;
    let ends = |letter: &Letter| {
        let object = &letter.activity["object"];
        let hers = object["object"] == actor.id || object["object"]["id"] == actor.id;
        letter.activity["type"] == "Undo" && object["type"] == "Follow" && hers
    };
    let undo = session.probe()?.letter(session.patience, ends).await;
    ensure(undo.is_some(), || {
        "she is still followed after she left".to_owned()
    })
}
