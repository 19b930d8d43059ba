//! Snapshots: the server's own, and false ones that it must not take.

use farmops_protocol::{
    checkpoint::Checkpoint,
    integrity,
    key::SecretKey,
    snapshot::{SnapshotDocument, is_snapshot},
};
use serde_json::{Value, json};
use url::Url;

use super::actor::farm_key;
use crate::{
    check::{Check, Look, Miss, Verdict, ensure, ensure_status, ensure_success, fail, skip},
    http::ACTIVITY_JSON,
    probe::{Actor, Probe},
    session::{Session, now},
    target::Kind,
};

const OURS: &[Kind] = &[Kind::Tracker, Kind::Village];

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "snapshot-own",
        clauses: &[
            "SNP-TYPE-001",
            "SNP-CTX-001",
            "SNP-FORM-001",
            "SNP-PROOF-002",
            "SNP-KEY-001",
            "SNP-KEY-002",
            "SNP-CHECK-001",
        ],
        title: "the snapshot that the tracker publishes verifies under its actor's farm key",
        kinds: &[Kind::Tracker],
        look: Look::By(|s| Box::pin(own(s))),
    },
    Check {
        name: "snapshot-changed",
        clauses: &["FED-INBOX-006", "SNP-PROOF-003"],
        title: "a snapshot changed after signing is 422 and names the member",
        kinds: OURS,
        look: Look::By(|s| Box::pin(refused(s, |d| d["farm:streakDays"] = json!(7), Signer::Own))),
    },
    Check {
        name: "snapshot-unsigned",
        clauses: &["FED-INBOX-006", "SNP-PROOF-003"],
        title: "a snapshot without a proof is 422",
        kinds: OURS,
        look: Look::By(|s| {
            Box::pin(refused(
                s,
                |d| {
                    d.as_object_mut().map(|d| d.remove("proof"));
                },
                Signer::Own,
            ))
        }),
    },
    Check {
        name: "snapshot-by-other-key",
        clauses: &["SNP-KEY-001"],
        title: "a snapshot that brings and is signed by another key than its author shows is 422",
        kinds: OURS,
        look: Look::By(|s| Box::pin(refused(s, |_| {}, Signer::OtherKey))),
    },
    Check {
        name: "snapshot-by-other-method",
        clauses: &["SNP-KEY-002"],
        title: "a snapshot whose verification method belongs to another actor is 422",
        kinds: OURS,
        look: Look::By(|s| Box::pin(refused(s, |_| {}, Signer::OtherMethod))),
    },
    Check {
        name: "snapshot-longer-context",
        clauses: &["SNP-PROOF-004"],
        title: "a snapshot whose context was made longer is 422",
        kinds: OURS,
        look: Look::By(|s| Box::pin(refused(s, longer_context, Signer::Own))),
    },
    Check {
        name: "snapshot-of-stranger",
        clauses: &["FED-FOLLOW-003", "FED-ANN-002", "SNP-PROOF-003"],
        title: "snapshots, true and false, of a farmer whom nobody follows do not show up",
        kinds: OURS,
        look: Look::By(|s| Box::pin(of_stranger(s))),
    },
];

async fn own(session: &Session) -> Verdict {
    let Some(document) = published(session).await? else {
        return skip("it has published no snapshot");
    };
    let (key_id, key) = farm_key(session)?;
    let field = |e: farmops_protocol::field::FieldError| Miss::Failed(format!("the snapshot: {e}"));
    let method = document
        .pointer("/proof/verificationMethod")
        .and_then(Value::as_str);
    ensure(method == Some(&key_id), || {
        format!("verificationMethod is {method:?}, expected {key_id}")
    })?;
    ensure(
        document["@context"] == farmops_protocol::snapshot::context(),
        || "@context is another one".to_owned(),
    )?;
    let verified = SnapshotDocument::from_value(document)
        .and_then(|d| d.verify(&key))
        .map_err(field)?;
    ensure(
        verified.post().attributed_to == session.target.actor_id.as_str(),
        || "attributedTo is another actor".to_owned(),
    )?;
    let checkpoint = Checkpoint::verify(&verified.snapshot().checkpoint, &key);
    checkpoint
        .map(|_| ())
        .map_err(|e| Miss::Failed(format!("farm:checkpoint: {e}")))
}

/// The newest snapshot: where the public API gives it, or in the outbox.
pub(super) async fn published(session: &Session) -> Result<Option<Value>, Miss> {
    let direct = session
        .client
        .get(&session.url("/api/v1/public/snapshot"), ACTIVITY_JSON)
        .await?;
    if direct.status == 200 {
        return Ok(Some(direct.json()));
    }
    let Some(outbox) = session.target.actor["outbox"]
        .as_str()
        .and_then(|o| Url::parse(o).ok())
    else {
        return fail("the actor has no outbox");
    };
    let outbox = session.client.get(&outbox, ACTIVITY_JSON).await?.json();
    let page = match &outbox["first"] {
        Value::String(first) => match Url::parse(first) {
            Ok(first) => session.client.get(&first, ACTIVITY_JSON).await?.json(),
            Err(_) => return fail("the outbox's first page is no URL"),
        },
        Value::Null => outbox,
        embedded => embedded.clone(),
    };
    let items = page["orderedItems"].as_array().cloned().unwrap_or_default();
    Ok(items
        .into_iter()
        .map(|item| item["object"].clone())
        .find(is_snapshot))
}

/// Whose key signs, and what it says of itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signer {
    Own,
    OtherKey,
    OtherMethod,
}

/// A signed snapshot of `actor`'s farm with figures that nothing else has.
fn signed(actor: &Actor, coins: u64, signer: Signer) -> Result<Value, Miss> {
    let mut document = actor.snapshot(coins, now());
    let keys = Probe::keys();
    let key: &SecretKey = match signer {
        Signer::OtherKey => &keys.other_farm,
        _ => &keys.farm,
    };
    document["farm:farmerKey"] = json!(key.public());
    let method = match signer {
        Signer::OtherMethod => "https://elsewhere.example/actor#farm-key".to_owned(),
        _ => actor.farm_key_id(),
    };
    integrity::sign(&document, key, &method, now()).map_err(|e| Miss::Failed(e.to_string()))
}

/// A number of coins that nobody has: 15 digits of chance.
pub(super) fn strange_coins() -> u64 {
    let random = uuid::Uuid::new_v4().as_u128() % 900_000_000_000_000;
    100_000_000_000_000 + u64::try_from(random).unwrap_or_default()
}

fn longer_context(document: &mut Value) {
    if let Some(context) = document["@context"].as_array_mut() {
        context.push(json!({ "content": "https://elsewhere.example/hidden" }));
    }
}

async fn refused(session: &Session, change: fn(&mut Value), signer: Signer) -> Verdict {
    let actor = session.probe()?.fresh_actor();
    let coins = strange_coins();
    let mut document = signed(&actor, coins, signer)?;
    change(&mut document);
    let answer = session
        .send(&actor, &actor.activity("Create", &document), None)
        .await?;
    ensure_status("the false snapshot", &answer, &[422])?;
    let field = answer.json()["field"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    ensure(field.starts_with("object"), || {
        format!("the refusal's field is {field:?}")
    })?;
    not_shown(session, &[coins]).await
}

async fn of_stranger(session: &Session) -> Verdict {
    let probe = session.probe()?;
    let (author, relay) = (probe.fresh_actor(), probe.fresh_actor());
    let coins = [strange_coins(), strange_coins(), strange_coins()];
    let create = author.activity("Create", &signed(&author, coins[0], Signer::Own)?);
    ensure_success(
        "a snapshot nobody asked for",
        &session.send(&author, &create, None).await?,
    )?;
    for (coins, signer) in [(coins[1], Signer::Own), (coins[2], Signer::OtherKey)] {
        let announce = relay.activity("Announce", &signed(&author, coins, signer)?);
        let answer = session.send(&relay, &announce, None).await?;
        ensure(answer.status < 500, || {
            format!("an Announce nobody asked for: status {}", answer.status)
        })?;
    }
    session.settled().await?;
    not_shown(session, &coins).await
}

/// Looks for the figures on the public pages.
async fn not_shown(session: &Session, coins: &[u64]) -> Verdict {
    session.settled().await?;
    match shown(session, coins).await? {
        Some(url) => fail(format!("{url} shows it")),
        None => Ok(()),
    }
}

/// The public page that shows one of these figures, if any does.
pub(super) async fn shown(session: &Session, coins: &[u64]) -> Result<Option<Url>, Miss> {
    for path in ["/", "/api/v1/leaderboard", "/api/v1/farmers"] {
        let url = session.url(path);
        let page = session.client.get(&url, "*/*").await?.text();
        // People read groups of three digits; programs do not.
        let digits: String = page.chars().filter(char::is_ascii_digit).collect();
        if coins.iter().any(|c| digits.contains(&c.to_string())) {
            return Ok(Some(url));
        }
    }
    Ok(None)
}
