//! How an agent hands over to a new key.

use farmops_protocol::{chain::ChainHead, key::SecretKey, rotation::KeyRotation};

use super::agents::{Agent, ensure_refused, fresh_key, own, post, standing};
use crate::{
    check::{Check, Look, Miss, Verdict, ensure, ensure_status},
    http::Answer,
    session::{Session, now},
    target::Kind,
};

const TRACKER: &[Kind] = &[Kind::Tracker];

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "keys-rotation",
        clauses: &[
            "KEY-ROT-001",
            "KEY-ROT-006",
            "KEY-ROT-008",
            "IDN-AGENT-001",
            "ENR-KEY-001",
        ],
        title: "after a rotation, of a pending agent too, only the new key signs",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(rotation(s))),
    },
    Check {
        name: "keys-rotation-form",
        clauses: &[
            "KEY-ROT-002",
            "KEY-ROT-003",
            "KEY-ROT-004",
            "SUB-AGENT-001",
            "ENR-FRESH-001",
        ],
        title: "a rotation that either key did not sign, that is stale, or of another agent is refused",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(form(s))),
    },
    Check {
        name: "keys-rotation-place",
        clauses: &["KEY-ROT-005"],
        title: "a rotation made elsewhere than at the end of the chain is refused",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(place(s))),
    },
    Check {
        name: "keys-rotation-again",
        clauses: &["KEY-ROT-007"],
        title: "a rotation that is in force is acknowledged again, and a key that was replaced does not come back",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(again(s))),
    },
    Check {
        name: "keys-rotation-often",
        clauses: &["KEY-ROT-008", "KEY-ROT-009"],
        title: "a pending agent may replace its key eight times, and is told when it may not once more",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(often(s))),
    },
];

/// How often a pending agent may replace its key, at least.
const PENDING_ROTATIONS_MIN: usize = 8;

fn signed(
    agent: &Agent,
    head: Option<&ChainHead>,
    old: &SecretKey,
    new: &SecretKey,
    seconds: i64,
) -> Result<Vec<u8>, Miss> {
    let at = now().saturating_add(seconds);
    KeyRotation::sign(agent.id, head, old, new, at).map_err(own)
}

async fn rotate(session: &Session, agent: &Agent, rotation: Vec<u8>) -> Result<Answer, Miss> {
    post(session, &agent.path("rotate"), rotation).await
}

async fn rotation(session: &Session) -> Verdict {
    let mut agent = Agent::enrolled(session).await?;
    let first = agent.next()?;
    let answer = agent.submit(session, &first).await?;
    ensure_status("a proof of a pending agent", &answer, &[202])?;
    agent.advance(&first);
    let (old, new) = (agent.key.clone(), fresh_key());
    let text = signed(&agent, agent.head.as_ref(), &old, &new, 0)?;
    let answer = rotate(session, &agent, text).await?;
    ensure_status("a rotation", &answer, &[200])?;
    let stands = standing("a rotation", &answer)?;
    ensure(stands.fingerprint == new.public().fingerprint(), || {
        "the answer has another fingerprint than the new key".to_owned()
    })?;
    let stale = agent.after(agent.head.as_ref(), &old)?;
    let answer = agent.submit(session, &stale).await?;
    ensure_refused(
        "a proof by the old key",
        &answer,
        422,
        &["bad-signature"],
        "signature",
    )?;
    let answer = agent.hello_as(session, &old).await?;
    ensure_refused(
        "an enrolment by the old key",
        &answer,
        409,
        &["agent-id-taken"],
        "agent_id",
    )?;
    agent.key = new;
    let second = agent.next()?;
    let answer = agent.submit(session, &second).await?;
    ensure_status("a proof by the new key", &answer, &[202])?;
    agent.advance(&second);
    agent.ensure_head(session, agent.head.as_ref()).await
}

async fn form(session: &Session) -> Verdict {
    let agent = Agent::enrolled(session).await?;
    let (other, new, stranger) = (Agent::enrolled(session).await?, fresh_key(), fresh_key());
    let good = String::from_utf8_lossy(&signed(&agent, None, &agent.key, &new, 0)?).into_owned();
    let by_another = signed(&agent, None, &agent.key, &stranger, 0)?;
    let by_another = String::from_utf8_lossy(&by_another).into_owned();
    let false_half = member(&by_another, "new_key_signature");
    for (what, text, field) in [
        (
            "a rotation by a stranger",
            signed(&agent, None, &stranger, &new, 0)?,
            "signature",
        ),
        (
            "a rotation that the new key did not sign",
            good.replace(&member(&good, "new_key_signature"), &false_half)
                .into_bytes(),
            "new_key_signature",
        ),
        (
            "a rotation of two hours ago",
            signed(&agent, None, &agent.key, &new, -7200)?,
            "requested_at",
        ),
        (
            "another agent's rotation",
            signed(&other, None, &other.key, &new, 0)?,
            "agent_id",
        ),
    ] {
        let answer = rotate(session, &agent, text).await?;
        ensure_refused(what, &answer, 422, &["invalid", "bad-signature"], field)?;
    }
    // None of them had an effect.
    agent.hello(session).await.map(|_| ())
}

/// The text of a member of a flat document.
fn member(text: &str, name: &str) -> String {
    let document: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    document[name].as_str().unwrap_or_default().to_owned()
}

async fn place(session: &Session) -> Verdict {
    let mut agent = Agent::enrolled(session).await?;
    let first = agent.next()?;
    let answer = agent.submit(session, &first).await?;
    ensure_status("a proof of a pending agent", &answer, &[202])?;
    let anew = signed(&agent, None, &agent.key, &fresh_key(), 0)?;
    let answer = rotate(session, &agent, anew).await?;
    let what = "a rotation of an empty chain";
    ensure_refused(what, &answer, 409, &["second-genesis"], "prev_proof_id")?;
    agent.advance(&first);
    let ahead = agent.next()?;
    agent.advance(&ahead);
    let text = signed(&agent, agent.head.as_ref(), &agent.key, &fresh_key(), 0)?;
    let answer = rotate(session, &agent, text).await?;
    let what = "a rotation after a proof that was not sent";
    ensure_refused(what, &answer, 409, &["not-the-head"], "prev_proof_id")
}

async fn again(session: &Session) -> Verdict {
    let mut agent = Agent::enrolled(session).await?;
    let (old, new) = (agent.key.clone(), fresh_key());
    let text = signed(&agent, None, &old, &new, 0)?;
    for what in ["a rotation", "the same rotation again"] {
        let answer = rotate(session, &agent, text.clone()).await?;
        ensure_status(what, &answer, &[200])?;
    }
    agent.key = new;
    let back = signed(&agent, None, &agent.key, &old, 0)?;
    let answer = rotate(session, &agent, back).await?;
    ensure_refused("a rotation back", &answer, 422, &["invalid"], "new_key")?;
    agent.hello(session).await.map(|_| ())
}

async fn often(session: &Session) -> Verdict {
    let mut agent = Agent::enrolled(session).await?;
    for _ in 0..PENDING_ROTATIONS_MIN {
        let new = fresh_key();
        let text = signed(&agent, None, &agent.key, &new, 0)?;
        let answer = rotate(session, &agent, text).await?;
        ensure_status("a rotation of a pending agent", &answer, &[200])?;
        agent.key = new;
    }
    let text = signed(&agent, None, &agent.key, &fresh_key(), 0)?;
    let answer = rotate(session, &agent, text).await?;
    if answer.status == 200 {
        return Ok(());
    }
    let what = "one rotation more";
    ensure_refused(what, &answer, 429, &["too-many-keys"], "new_key")
}
