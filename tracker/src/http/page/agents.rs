//! The agents: who waits, who works, who was sent away, and the owner's decisions about them.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use farmops_ledger::Event;
use farmops_protocol::{enrolment::AgentStatus, key::Fingerprint};
use farmops_service::problem::{Path, Problem};
use uuid::Uuid;

use super::{
    frame::{Fault, Frame, Owner, OwnersForm, capital, done, sentence},
    framed,
    overview::first_agent,
    when::When,
};
use crate::{
    app::App,
    domain::Schedule,
    http::{agents, farm::figures, refused::not_read},
    store::ProofFilter,
    writer::{Resumption, Since},
};

/// Proofs that can be chosen as the last good one without typing an id.
const CHOICES: u32 = 20;

/// Entries among which a decision is, right after it was made.
const DECISION_WITHIN: u32 = 1000;

/// An agent with what can be chosen about it.
struct Card {
    agent: agents::Shown,
    heard: Option<When>,
    head: Option<When>,
    asked: Option<When>,
    /// Its last proofs, latest first.
    latest: Vec<(Uuid, String)>,
}

impl Card {
    /// Whether it asks to go on where its chain ends here: then what followed was lost with this tracker.
    fn lost_here(&self) -> bool {
        let end = self.agent.head.map(|head| head.proof_id);
        let mut asked = self.agent.reset_asked.iter();
        asked.any(|asked| asked.resumes_after == end)
    }
}

#[derive(Template)]
#[template(path = "agents.html")]
struct AgentsPage {
    frame: Frame,
    waiting: Vec<Card>,
    known: Vec<Card>,
    first_agent: String,
}

/// Shows the agents.
pub(in crate::http) async fn show(State(app): State<App>, owner: Owner) -> Response {
    page(&app, (owner, None)).await
}

async fn page(app: &App, shown: (Owner, Option<Fault>)) -> Response {
    gather(app, shown).await.into_response()
}

async fn gather(app: &App, (owner, fault): (Owner, Option<Fault>)) -> Result<Response, Problem> {
    let farm = figures(app).await?;
    let (mut waiting, mut known) = (Vec::new(), Vec::new());
    for agent in agents::all(app).await.map_err(not_read)? {
        let pending = agent.status == AgentStatus::Pending;
        let card = card(app, agent, &farm.profile.schedule).await?;
        if pending { &mut waiting } else { &mut known }.push(card);
    }
    let page = AgentsPage {
        waiting,
        known,
        first_agent: first_agent(app),
        frame: owner.frame(&farm, "/agents", fault),
    };
    framed(app, &page.frame, &page)
}

async fn card(app: &App, agent: agents::Shown, schedule: &Schedule) -> Result<Card, Problem> {
    let filter = ProofFilter {
        agent: Some(agent.agent_id),
        ..ProofFilter::default()
    };
    let proofs = app.reads.proofs(&filter, CHOICES).await.map_err(not_read)?;
    let when = |moment| When::new(schedule, moment);
    let recorded = proofs.first().map(|record| record.recorded_at);
    let latest = proofs.iter().map(|record| {
        let text = format!(
            "proof {} of {}, {}",
            record.row.chain_length,
            when(record.row.timestamp).text,
            record.row.category
        );
        (record.row.proof_id, text)
    });
    Ok(Card {
        // Contacts are written down every few minutes only, proofs at once.
        heard: agent.heard_at.max(recorded).map(when),
        head: agent.head.as_ref().map(|head| when(head.timestamp)),
        asked: agent
            .reset_asked
            .as_ref()
            .map(|asked| when(asked.received_at)),
        latest: latest.collect(),
        agent,
    })
}

/// How long the ledger is.
async fn entries(app: &App) -> Option<u64> {
    figures(app).await.ok().map(|farm| farm.ledger_size)
}

/// What was decided about an agent after so many entries, as the ledger has it; nothing if it was so already.
/// Where the ledger cannot be read, only that the writer took it is known.
async fn decided(app: &App, before: Option<u64>, id: Uuid) -> Option<String> {
    let read = match before {
        Some(before) => app.reads.ledger(before, DECISION_WITHIN).await.ok(),
        None => None,
    };
    let Some(lines) = read else {
        return Some(String::new());
    };
    lines.iter().find_map(|line| {
        let event = Event::read(&line.kind, line.body.bytes()?).ok()?;
        event.decided(id)
    })
}

/// The sentence for a decision that brings something, or was made before.
fn told(brings: Option<String>, now: &str, before: &str) -> String {
    match brings {
        Some(brings) => format!("The agent {now}. {brings}").trim_end().to_owned(),
        None => format!("The agent {before} already; nothing has changed."),
    }
}

/// Approves an agent whose fingerprint the owner read off its log.
pub(in crate::http) async fn approve(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    form: OwnersForm,
) -> Response {
    let field = format!("fingerprint-{id}");
    let fingerprint = match form.fields.text("fingerprint").parse::<Fingerprint>() {
        Ok(fingerprint) => fingerprint,
        Err(error) => return page(&app, form.fault(field, capital(&error.to_string()))).await,
    };
    let before = entries(&app).await;
    match app.writer.approve(id, fingerprint).await {
        Ok(_) => {
            let brings = decided(&app, before, id).await;
            let told = told(brings, "is approved; its work counts", "was approved");
            done(&app, "/agents", &told)
        }
        Err(error) => page(&app, form.fault(field, sentence(&error))).await,
    }
}

/// Sends away an agent that waits.
pub(in crate::http) async fn dismiss(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    form: OwnersForm,
) -> Response {
    let before = entries(&app).await;
    match app.writer.dismiss(id).await {
        Ok(_) => {
            let brings = decided(&app, before, id).await;
            done(
                &app,
                "/agents",
                &told(brings, "was sent away", "was sent away"),
            )
        }
        Err(error) => page(&app, form.fault(format!("agent-{id}"), sentence(&error))).await,
    }
}

/// Revokes an agent, from now on or back to a proof of the owner's choice.
pub(in crate::http) async fn revoke(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    form: OwnersForm,
) -> Response {
    let field = format!("last-good-{id}");
    let since = match form.fields.text("last_good") {
        "" | "all" => Since::Now,
        "none" => Since::After(None),
        proof => match proof.parse() {
            Ok(proof) => Since::After(Some(proof)),
            Err(_) => return page(&app, form.fault(field, "Choose one of its proofs.")).await,
        },
    };
    let before = entries(&app).await;
    match app.writer.revoke(id, since).await {
        Ok(_) => {
            let brings = decided(&app, before, id).await;
            done(&app, "/agents", &told(brings, "is revoked", "was revoked"))
        }
        Err(error) => page(&app, form.fault(field, sentence(&error))).await,
    }
}

/// Lets an agent's chain resume where it asked.
pub(in crate::http) async fn reset_chain(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    form: OwnersForm,
) -> Response {
    match app.writer.reset_chain(id, Resumption::AsAsked).await {
        Ok(_) => done(
            &app,
            "/agents",
            "The chain goes on from there; nothing is lost.",
        ),
        Err(error) => page(&app, form.fault(format!("agent-{id}"), sentence(&error))).await,
    }
}

/// Helpers that the template calls.
impl Card {
    fn is_revoked(&self) -> bool {
        self.agent.status == AgentStatus::Revoked
    }

    /// Whether it was sent away before it was ever approved.
    fn was_sent_away(&self) -> bool {
        self.is_revoked() && self.agent.approved_at.is_none()
    }

    /// Whether anything of it is left that could be taken back.
    fn counts(&self) -> bool {
        !self.is_revoked() || self.agent.last_good_proof.is_some()
    }

    /// Ids of its fields on the page.
    fn id(&self, field: &str) -> String {
        format!("{field}-{}", self.agent.agent_id)
    }
}
