//! A tracker's door for agents, as a stranger finds it: no credentials, no agent enrolled.

use farmops_protocol::{enrolment::EnrolmentRequest, key::SecretKey};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    check::{Check, Look, Miss, Verdict, ensure, ensure_status},
    http::Answer,
    session::{Session, now},
    target::Kind,
};

const TRACKER: &[Kind] = &[Kind::Tracker];

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "proof-form",
        clauses: &[
            "SUB-REST-001",
            "SUB-REST-002",
            "PRF-FORM-001",
            "PRF-FORM-003",
            "CAN-MEMBER-001",
            "CAN-INT-001",
        ],
        title: "a proof of the wrong form is a problem that names the member",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(proof_form(s))),
    },
    Check {
        name: "proof-of-unknown-agent",
        clauses: &["SUB-REST-001", "ENR-APPROVE-001"],
        title: "a good proof of an agent that never enrolled is 404 agent-unknown",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(unknown_agent(s))),
    },
    Check {
        name: "proof-too-large",
        clauses: &["SUB-LIMIT-001"],
        title: "a proof of more than 4,096 bytes is 413",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(too_large(s))),
    },
    Check {
        name: "proof-request",
        clauses: &["SUB-REST-001"],
        title: "a proof as another media type is 415, by another method 405",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(request(s))),
    },
    Check {
        name: "enrolment-form",
        clauses: &["ENR-SIGN-001", "ENR-FRESH-001", "PRF-ALIAS-001"],
        title: "an enrolment that is stale, changed or names a host is a problem that names the member",
        kinds: TRACKER,
        look: Look::By(|s| Box::pin(enrolment_form(s))),
    },
];

/// Vectors of proofs that are refused for their form.
const MALFORMED: [&str; 12] = [
    include_str!("../../../protocol-spec/vectors/invalid/signing/alias-host-name.json"),
    include_str!("../../../protocol-spec/vectors/invalid/signing/category-unknown.json"),
    include_str!("../../../protocol-spec/vectors/invalid/signing/description-bidi-override.json"),
    include_str!("../../../protocol-spec/vectors/invalid/signing/half-genesis.json"),
    include_str!("../../../protocol-spec/vectors/invalid/signing/order.json"),
    include_str!("../../../protocol-spec/vectors/invalid/signing/repeated-member.json"),
    include_str!("../../../protocol-spec/vectors/invalid/signing/space.json"),
    include_str!("../../../protocol-spec/vectors/invalid/signing/touched-two-to-the-53.json"),
    include_str!("../../../protocol-spec/vectors/invalid/signing/truncated.json"),
    include_str!("../../../protocol-spec/vectors/invalid/signing/type-of-verified.json"),
    include_str!("../../../protocol-spec/vectors/invalid/signing/unknown-member.json"),
    include_str!("../../../protocol-spec/vectors/invalid/signing/uuid-v4.json"),
];
/// A vector of a good proof, whose agent no tracker knows.
const GOOD: &str = include_str!("../../../protocol-spec/vectors/valid/signing/first-proof.json");

fn vector(text: &str) -> Result<Value, Miss> {
    serde_json::from_str(text).map_err(|e| Miss::Failed(format!("a vector of the suite: {e}")))
}

async fn submit(session: &Session, body: &str) -> Result<Answer, Miss> {
    Ok(session
        .client
        .post_json(&session.url("/api/v1/proofs"), body.into())
        .await?)
}

/// A problem document about `field`.
fn ensure_problem(what: &str, answer: &Answer, status: &[u16], field: &str) -> Verdict {
    ensure_status(what, answer, status)?;
    ensure(answer.media_type == "application/problem+json", || {
        format!("{what}: media type {}", answer.media_type)
    })?;
    let problem = answer.json();
    for member in ["type", "title", "code"] {
        ensure(problem[member].is_string(), || {
            format!("{what}: the problem has no {member}")
        })?;
    }
    ensure(problem["status"] == answer.status, || {
        format!("{what}: the problem says status {}", problem["status"])
    })?;
    ensure(problem["field"] == field, || {
        format!("{what}: field {}, expected {field}", problem["field"])
    })
}

async fn proof_form(session: &Session) -> Verdict {
    for text in MALFORMED {
        let vector = vector(text)?;
        let answer = submit(
            session,
            vector["input"]["text"].as_str().unwrap_or_default(),
        )
        .await?;
        let what = vector["title"].as_str().unwrap_or_default();
        let field = vector["expect"]["field"].as_str().unwrap_or_default();
        ensure_problem(what, &answer, &[422], field)?;
    }
    Ok(())
}

async fn unknown_agent(session: &Session) -> Verdict {
    let vector = vector(GOOD)?;
    let answer = submit(
        session,
        vector["input"]["text"].as_str().unwrap_or_default(),
    )
    .await?;
    ensure_problem(
        "a proof of an unknown agent",
        &answer,
        &[404],
        "agent.agent_id",
    )?;
    let code = &answer.json()["code"];
    ensure(code == "agent-unknown", || {
        format!("the problem's code is {code}")
    })
}

async fn too_large(session: &Session) -> Verdict {
    let answer = submit(session, &format!("{{\"a\":\"{}\"}}", "x".repeat(5000))).await?;
    ensure_status("5,000 bytes", &answer, &[413])
}

async fn request(session: &Session) -> Verdict {
    let url = session.url("/api/v1/proofs");
    let text = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/plain"))]);
    let answer = session.client.post(&url, text, b"{}".to_vec()).await?;
    ensure_status("text/plain", &answer, &[415])?;
    let answer = session.client.delete_json(&url, b"{}".to_vec()).await?;
    ensure_status("DELETE", &answer, &[405])
}

async fn enrolment_form(session: &Session) -> Verdict {
    let mut seed = [0; 32];
    seed[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    let key = SecretKey::from_bytes(seed);
    let signed = |seconds| {
        EnrolmentRequest::sign(Uuid::new_v4(), "probe", &key, now().saturating_add(seconds))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .map_err(|e| Miss::Failed(e.to_string()))
    };
    let good = signed(0)?;
    for (what, body, field) in [
        ("a request of two hours ago", signed(-7200)?, "requested_at"),
        (
            "a request of ten minutes ahead",
            signed(600)?,
            "requested_at",
        ),
        (
            "a request changed after signing",
            good.replace("\"probe\"", "\"other\""),
            "signature",
        ),
        (
            "a host name as alias",
            good.replace("\"probe\"", "\"probe.example\""),
            "cluster_alias",
        ),
        (
            "a request that is not canonical",
            good.replace("\",\"", "\", \""),
            "$",
        ),
    ] {
        let url = session.url("/api/v1/agents/enroll");
        let answer = session.client.post_json(&url, body.into()).await?;
        ensure_problem(what, &answer, &[422], field)?;
    }
    Ok(())
}
