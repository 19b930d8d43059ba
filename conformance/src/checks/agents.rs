//! An agent of the suite at a tracker whose owner lends her token: it presents itself, does work that earns
//! nothing, and is sent away at the end.

use farmops_protocol::{
    chain::ChainHead,
    digest::sha256,
    enrolment::{EnrolmentAnswer, EnrolmentRequest},
    field::FieldError,
    int::SafeUint,
    key::SecretKey,
    proof::{
        Action, ActionType, Actor, ActorType, Agent as By, Category, Complexity, Link, Outcome,
        OutcomeStatus, ProofBody, ScoringHints, VerifiedProof,
    },
    time::Timestamp,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    check::{Miss, Verdict, ensure, ensure_status, fail},
    http::Answer,
    session::{Session, now},
};

const ALIAS: &str = "conformance";

/// An agent with its key and the end of its chain.
pub(super) struct Agent {
    pub(super) id: Uuid,
    pub(super) key: SecretKey,
    pub(super) head: Option<ChainHead>,
}

/// A new key.
pub(super) fn fresh_key() -> SecretKey {
    let mut seed = [0; 32];
    seed[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    seed[16..].copy_from_slice(Uuid::new_v4().as_bytes());
    SecretKey::from_bytes(seed)
}

impl Agent {
    /// One that has presented itself and waits for its approval; skipped where no owner lends a token.
    pub(super) async fn enrolled(session: &Session) -> Result<Self, Miss> {
        session.owner_token()?;
        let agent = Self {
            id: Uuid::now_v7(),
            key: fresh_key(),
            head: None,
        };
        session.remember_agent(agent.id);
        let answer = agent.hello(session).await?;
        ensure(answer.head.is_none(), || {
            "a new agent has a chain already".to_owned()
        })?;
        Ok(agent)
    }

    /// One that the owner has approved, with a chain of so many proofs.
    pub(super) async fn at_work(
        session: &Session,
        proofs: usize,
    ) -> Result<(Self, Vec<VerifiedProof>), Miss> {
        let mut agent = Self::enrolled(session).await?;
        let fingerprint = agent.key.public().fingerprint();
        let body = json!({ "fingerprint": fingerprint });
        let answer = session.owner(&agent.path("approve"), &body).await?;
        ensure_status("the owner's approval", &answer, &[200])?;
        let mut chain = Vec::new();
        for _ in 0..proofs {
            let proof = agent.next()?;
            let answer = agent.submit(session, &proof).await?;
            ensure_status("a proof of an approved agent", &answer, &[201])?;
            agent.advance(&proof);
            chain.push(proof);
        }
        Ok((agent, chain))
    }

    /// A path below the agent.
    pub(super) fn path(&self, what: &str) -> String {
        format!("/api/v1/agents/{}/{what}", self.id)
    }

    /// Presents itself; how it stands.
    pub(super) async fn hello(&self, session: &Session) -> Result<EnrolmentAnswer, Miss> {
        let answer = self.hello_as(session, &self.key).await?;
        ensure_status("an enrolment", &answer, &[200])?;
        standing("an enrolment", &answer)
    }

    /// Presents itself with this key.
    pub(super) async fn hello_as(
        &self,
        session: &Session,
        key: &SecretKey,
    ) -> Result<Answer, Miss> {
        let request = EnrolmentRequest::sign(self.id, ALIAS, key, now()).map_err(own)?;
        post(session, "/api/v1/agents/enroll", request).await
    }

    /// The next proof of its chain; the chain stays where it is.
    pub(super) fn next(&self) -> Result<VerifiedProof, Miss> {
        self.after(self.head.as_ref(), &self.key)
    }

    /// A proof that follows `previous`, signed with `key`.
    pub(super) fn after(
        &self,
        previous: Option<&ChainHead>,
        key: &SecretKey,
    ) -> Result<VerifiedProof, Miss> {
        let at = previous.map_or_else(now, |head| now().max(head.timestamp));
        body(self.id, previous, at).sign(key).map_err(own)
    }

    /// Moves the end of its chain to `proof`.
    pub(super) fn advance(&mut self, proof: &VerifiedProof) {
        let length = self.head.map_or(SafeUint::ZERO, |head| head.length);
        self.head = Some(ChainHead {
            hash: proof.hash(),
            length: length.saturating_add(SafeUint::from(1)),
            proof_id: proof.body().proof_id,
            timestamp: proof.body().timestamp,
        });
    }

    /// Sends a proof.
    pub(super) async fn submit(
        &self,
        session: &Session,
        proof: &VerifiedProof,
    ) -> Result<Answer, Miss> {
        post(session, "/api/v1/proofs", proof.bytes().to_vec()).await
    }

    /// Fails unless the chain ends where the agent says.
    pub(super) async fn ensure_head(&self, session: &Session, head: Option<&ChainHead>) -> Verdict {
        let stands = self.hello(session).await?;
        ensure(stands.head.as_ref() == head, || {
            format!("the chain ends at {:?}, expected {head:?}", stands.head)
        })
    }
}

fn body(agent_id: Uuid, previous: Option<&ChainHead>, timestamp: Timestamp) -> ProofBody {
    ProofBody::new(
        Link {
            proof_id: Uuid::now_v7(),
            timestamp,
            previous,
        },
        By {
            agent_id,
            cluster_alias: ALIAS.to_owned(),
        },
        Actor {
            actor_hash: sha256(b"conformance"),
            actor_type: ActorType::Human,
        },
        Action {
            action_type: ActionType::Resolve,
            category: Category::Toil,
            description: "Checked a tracker".to_owned(),
            plugin: "farmops/conformance".to_owned(),
            subcategory: None,
        },
        Outcome {
            evidence_hash: sha256(b"none"),
            status: OutcomeStatus::Success,
            // So it earns nothing.
            verified: false,
        },
        ScoringHints {
            artifacts_touched: SafeUint::from(1),
            complexity: Complexity::Low,
            impact_radius: SafeUint::from(1),
            time_spent_seconds: None,
        },
    )
}

/// Sends a document without credentials.
pub(super) async fn post(session: &Session, path: &str, body: Vec<u8>) -> Result<Answer, Miss> {
    Ok(session.client.post_json(&session.url(path), body).await?)
}

/// How an agent stands, as it is told.
pub(super) fn standing(what: &str, answer: &Answer) -> Result<EnrolmentAnswer, Miss> {
    serde_json::from_slice(&answer.body)
        .or_else(|error| fail(format!("{what}: no enrolment answer: {error}")))
}

/// Fails unless `answer` refuses with one of these statuses, and one of these codes.
pub(super) fn ensure_refused(
    what: &str,
    answer: &Answer,
    status: u16,
    codes: &[&str],
    field: &str,
) -> Verdict {
    ensure_status(what, answer, &[status])?;
    let problem = answer.json();
    ensure(codes.iter().any(|code| problem["code"] == *code), || {
        format!(
            "{what}: code {}, expected {}",
            problem["code"],
            codes.join(" or ")
        )
    })?;
    ensure(problem["field"] == field, || {
        format!("{what}: field {}, expected {field}", problem["field"])
    })
}

/// Fails unless the refusal carries where the chain ends (`SUB-HEAD-001`).
pub(super) fn ensure_shows_head(what: &str, answer: &Answer, head: &ChainHead) -> Verdict {
    let shown = answer.json()["head"].clone();
    let expected = serde_json::to_value(head).unwrap_or(Value::Null);
    ensure(shown == expected, || {
        format!("{what}: its head is {shown}, expected {expected}")
    })
}

/// What went wrong in the suite itself.
#[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
pub(super) fn own(error: FieldError) -> Miss {
    Miss::Failed(format!("a document of the suite: {error}"))
}
