//! An agent's chain: what may follow what, and how it goes on after a loss.

use farmops_protocol::{chain::ChainHead, chain_reset::ChainResetRequest, key::SecretKey};
use serde_json::json;
use uuid::Uuid;

use super::agents::{Agent, ensure_refused, ensure_shows_head, fresh_key, own, post, standing};
use crate::{
    check::{Check, Look, Miss, Verdict, ensure, ensure_status},
    http::Answer,
    session::{Session, now},
    target::Kind,
};

const TRACKER: &[Kind] = &[Kind::Tracker];

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "chain-links",
        clauses: &[
            "PRF-CHAIN-001",
            "PRF-CHAIN-002",
            "PRF-CHAIN-003",
            "SUB-HEAD-001",
            "SUB-REST-002",
        ],
        title: "a fork, a gap and a second first proof are refused, with the end of the chain",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(links(s))),
    },
    Check {
        name: "chain-repeats",
        clauses: &["PRF-CHAIN-006", "PRF-CHAIN-007", "SUB-DUP-001"],
        title: "a proof is acknowledged again, and its id under other content is refused",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(repeats(s))),
    },
    Check {
        name: "chain-agents-id",
        clauses: &["PRF-CHAIN-011", "SUB-TRACE-001"],
        title: "a proof under its agent's own id is refused, and the chain goes on without it",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(agents_id(s))),
    },
    Check {
        name: "chain-reset-form",
        clauses: &["PRF-RESET-005", "PRF-RESET-006", "SUB-AGENT-001"],
        title: "a reset request that is stale, of another agent, or names no proof of this one is refused",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(form(s))),
    },
    Check {
        name: "chain-reset-waits",
        clauses: &["PRF-RESET-006", "PRF-RESET-008", "ENR-ANSWER-001"],
        title: "a reset request, of a pending agent too, waits for the owner and changes nothing",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(waits(s))),
    },
    Check {
        name: "chain-reset",
        clauses: &[
            "PRF-RESET-001",
            "PRF-RESET-002",
            "PRF-RESET-003",
            "PRF-RESET-004",
        ],
        title: "after the owner's reset the chain goes on where it was asked, and keeps what it had",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(granted(s))),
    },
    Check {
        name: "chain-reset-at-the-end",
        clauses: &["PRF-RESET-006", "PRF-RESET-009"],
        title: "a reset at the end of the chain is the owner's to grant as well, and opens a branch",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(at_the_end(s))),
    },
];

async fn ask(
    session: &Session,
    agent: &Agent,
    resumes_after: Option<Uuid>,
    key: &SecretKey,
    seconds: i64,
) -> Result<Answer, Miss> {
    let at = now().saturating_add(seconds);
    let text = ChainResetRequest::sign(agent.id, resumes_after, key, at).map_err(own)?;
    post(session, &agent.path("chain-reset"), text).await
}

/// Asks, and sees that it waits.
async fn asked(session: &Session, agent: &Agent, resumes_after: Option<Uuid>) -> Verdict {
    let answer = ask(session, agent, resumes_after, &agent.key, 0).await?;
    ensure_status("a reset request", &answer, &[202])?;
    let stands = standing("a reset request", &answer)?;
    ensure(stands.reset_waiting, || {
        "the request does not wait".to_owned()
    })
}

async fn grant(session: &Session, agent: &Agent) -> Verdict {
    let answer = session
        .owner(&agent.path("reset-chain"), &json!({}))
        .await?;
    ensure_status("the owner's reset", &answer, &[200])
}

async fn links(session: &Session) -> Verdict {
    let (agent, chain) = Agent::at_work(session, 2).await?;
    let head = agent
        .head
        .as_ref()
        .ok_or_else(|| Miss::Failed("no chain".to_owned()))?;
    let before = head_of(&chain[0]);
    let (unsent, gap) = {
        let unsent = agent.next()?;
        let mut ahead = Agent {
            id: agent.id,
            key: agent.key.clone(),
            head: agent.head,
        };
        ahead.advance(&unsent);
        (unsent, ahead.next()?)
    };
    let field = "prev_proof_id";
    for (what, proof, codes) in [
        (
            "a second successor",
            agent.after(Some(&before), &agent.key)?,
            &["fork"][..],
        ),
        (
            "a second first proof",
            agent.after(None, &agent.key)?,
            &["fork", "second-genesis"],
        ),
        (
            "a proof after one that was not sent",
            gap,
            &["not-the-head"],
        ),
    ] {
        let answer = agent.submit(session, &proof).await?;
        ensure_refused(what, &answer, 409, codes, field)?;
        ensure_shows_head(what, &answer, head)?;
    }
    let answer = agent.submit(session, &unsent).await?;
    ensure_status("the next proof", &answer, &[201])
}

/// The head that a chain had at its first proof.
fn head_of(proof: &farmops_protocol::proof::VerifiedProof) -> ChainHead {
    ChainHead {
        hash: proof.hash(),
        length: 1_u32.into(),
        proof_id: proof.body().proof_id,
        timestamp: proof.body().timestamp,
    }
}

async fn repeats(session: &Session) -> Verdict {
    let (agent, chain) = Agent::at_work(session, 2).await?;
    for proof in &chain {
        let answer = agent.submit(session, proof).await?;
        ensure_status("a proof once more", &answer, &[200])?;
    }
    let mut body = agent.next()?.body().clone();
    body.proof_id = chain[0].body().proof_id;
    let other = body.sign(&agent.key).map_err(own)?;
    let answer = agent.submit(session, &other).await?;
    ensure(matches!(answer.status, 409 | 422), || {
        format!(
            "another proof under an id that is taken: status {}",
            answer.status
        )
    })?;
    agent.ensure_head(session, agent.head.as_ref()).await
}

async fn agents_id(session: &Session) -> Verdict {
    let mut agent = Agent::enrolled(session).await?;
    for _ in 0..2 {
        let mut body = agent.next()?.body().clone();
        body.proof_id = agent.id;
        let proof = body.sign(&agent.key).map_err(own)?;
        let answer = agent.submit(session, &proof).await?;
        let what = "a proof under its agent's id";
        ensure_refused(what, &answer, 422, &["invalid"], "proof_id")?;
        let next = agent.next()?;
        let answer = agent.submit(session, &next).await?;
        ensure_status("the next proof", &answer, &[202])?;
        agent.advance(&next);
    }
    agent.ensure_head(session, agent.head.as_ref()).await
}

async fn form(session: &Session) -> Verdict {
    let (agent, other) = (
        Agent::enrolled(session).await?,
        Agent::enrolled(session).await?,
    );
    let foreign = ChainResetRequest::sign(other.id, None, &other.key, now()).map_err(own)?;
    for (what, answer, field) in [
        (
            "a request by a stranger",
            ask(session, &agent, None, &fresh_key(), 0).await?,
            "signature",
        ),
        (
            "a request of two hours ago",
            ask(session, &agent, None, &agent.key, -7200).await?,
            "requested_at",
        ),
        (
            "a request after an unknown proof",
            ask(session, &agent, Some(Uuid::now_v7()), &agent.key, 0).await?,
            "resumes_after",
        ),
        (
            "another agent's request",
            post(session, &agent.path("chain-reset"), foreign).await?,
            "agent_id",
        ),
    ] {
        ensure_refused(what, &answer, 422, &["invalid", "bad-signature"], field)?;
    }
    let stands = agent.hello(session).await?;
    ensure(!stands.reset_waiting, || {
        "a refused request waits".to_owned()
    })
}

async fn waits(session: &Session) -> Verdict {
    let mut agent = Agent::enrolled(session).await?;
    for _ in 0..2 {
        let proof = agent.next()?;
        let answer = agent.submit(session, &proof).await?;
        ensure_status("a proof of a pending agent", &answer, &[202])?;
        if agent.head.is_none() {
            asked(session, &agent, Some(proof.body().proof_id)).await?;
        }
        agent.advance(&proof);
    }
    asked(session, &agent, None).await?;
    let stands = agent.hello(session).await?;
    ensure(stands.reset_waiting, || {
        "the request does not wait".to_owned()
    })?;
    ensure(stands.branch.value() == 0, || {
        "a request opens a branch by itself".to_owned()
    })?;
    ensure(stands.head == agent.head, || {
        "a request moves the end of the chain".to_owned()
    })
}

async fn granted(session: &Session) -> Verdict {
    let (mut agent, chain) = Agent::at_work(session, 2).await?;
    let resumes = head_of(&chain[0]);
    asked(session, &agent, Some(resumes.proof_id)).await?;
    grant(session, &agent).await?;
    let stands = agent.hello(session).await?;
    ensure(stands.branch.value() == 1 && !stands.reset_waiting, || {
        format!("after a reset it is on branch {}", stands.branch.value())
    })?;
    agent.ensure_head(session, Some(&resumes)).await?;
    agent.head = Some(resumes);
    let branched = agent.next()?;
    let answer = agent.submit(session, &branched).await?;
    ensure_status("the first proof of a branch", &answer, &[201])?;
    agent.advance(&branched);
    agent.ensure_head(session, agent.head.as_ref()).await?;
    let answer = agent.submit(session, &chain[1]).await?;
    ensure_status("a proof of the branch before", &answer, &[200])
}

async fn at_the_end(session: &Session) -> Verdict {
    let (agent, _) = Agent::at_work(session, 1).await?;
    asked(session, &agent, agent.head.map(|head| head.proof_id)).await?;
    grant(session, &agent).await?;
    let stands = agent.hello(session).await?;
    ensure(
        stands.branch.value() == 1 && stands.head == agent.head,
        || {
            format!(
                "after a reset it is on branch {} at {:?}",
                stands.branch.value(),
                stands.head
            )
        },
    )?;
    let next = agent.next()?;
    let answer = agent.submit(session, &next).await?;
    ensure_status("the first proof of a branch", &answer, &[201])
}
