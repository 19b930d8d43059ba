//! Checking a whole ledger again, from its bytes: every signature, every chain link, every score, the
//! totals and the transparency log's size.
//!
//! It shares the rules with the tracker and nothing else: it starts from an empty state and trusts no
//! table.

use std::collections::HashMap;

use farmops_protocol::{chain, enrolment::EnrolmentRequest, proof::ParsedProof, time::Timestamp};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    domain::{Applied, State},
    ledger::{AcceptedProof, Entry, Event},
};

/// Findings kept at most; a broken ledger has one for every line.
const FINDINGS_MAX: usize = 100;

/// What was found.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Entries read.
    pub entries: u64,
    /// Proofs whose signature, link and score were checked.
    pub proofs: u64,
    /// Coins by the ledger.
    pub coins: u64,
    /// What is wrong; empty for a sound ledger.
    pub findings: Vec<Finding>,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The ledger position; 0 for the farm as a whole.
    pub position: u64,
    /// What is wrong.
    pub reason: String,
}

/// An audit in progress.
#[derive(Debug, Default)]
pub struct Audit {
    state: State,
    scores: HashMap<Uuid, u64>,
    report: Report,
}

impl Audit {
    /// Checks the next line of the ledger.
    pub fn line(&mut self, position: u64, kind: &str, recorded_at: Timestamp, body: &[u8]) {
        self.report.entries += 1;
        if position != self.state.next_position() {
            let expected = self.state.next_position();
            self.find(position, format!("expected position {expected}"));
            return;
        }
        let event = match Event::read(kind, body) {
            Ok(event) => self.check(position, event, recorded_at, body),
            Err(error) => {
                self.find(position, error.to_string());
                return;
            }
        };
        let id = proof_id(&event);
        let entry = Entry {
            position,
            recorded_at,
            event,
        };
        if let (Some(id), Applied::Scored { score, .. }) = (id, self.state.apply(&entry)) {
            self.scores.insert(id, score.coins);
        }
    }

    /// Compares what a table says a proof earned.
    pub fn awarded(&mut self, position: u64, proof: Uuid, coins: u64) {
        match self.scores.get(&proof) {
            Some(scored) if *scored == coins => {}
            Some(scored) => self.find(position, format!("{coins} coins awarded, {scored} earned")),
            None => self.find(position, format!("the proof {proof} is not in the ledger")),
        }
    }

    /// Compares the totals that the farm shows, and ends the audit.
    pub fn finish(mut self, total_coins: u64, ledger_size: u64) -> Report {
        self.report.coins = self.state.coins.earned;
        let (coins, size) = (self.state.coins.earned, self.state.position);
        if coins != total_coins {
            self.find(
                0,
                format!("the farm shows {total_coins} coins, the ledger has {coins}"),
            );
        }
        if size != ledger_size {
            self.find(
                0,
                format!("the farm shows {ledger_size} entries, the ledger has {size}"),
            );
        }
        self.report
    }

    fn check(&mut self, position: u64, event: Event, at: Timestamp, body: &[u8]) -> Event {
        match event {
            Event::ProofAccepted(proof) => match *proof {
                AcceptedProof::Recorded(parsed) => {
                    let checked = self.check_proof(position, parsed, at);
                    Event::ProofAccepted(Box::new(checked))
                }
                verified @ AcceptedProof::Verified(_) => Event::ProofAccepted(Box::new(verified)),
            },
            Event::AgentEnrolled(request) => {
                if let Err(error) = EnrolmentRequest::verify(body, request.requested_at) {
                    self.find(position, error.to_string());
                }
                Event::AgentEnrolled(request)
            }
            other => other,
        }
    }

    fn check_proof(&mut self, position: u64, parsed: ParsedProof, at: Timestamp) -> AcceptedProof {
        self.report.proofs += 1;
        let agent = self.state.agents.get(&parsed.body().agent.agent_id);
        let Some((key, head)) = agent.map(|agent| (agent.public_key, agent.head)) else {
            self.find(
                position,
                "a proof of an agent that never enrolled".to_owned(),
            );
            return AcceptedProof::Recorded(parsed);
        };
        match parsed.clone().verify(&key) {
            Ok(verified) => {
                if let Err(error) = chain::extend(head.as_ref(), &verified, at) {
                    self.find(position, error.to_string());
                }
                AcceptedProof::Verified(verified)
            }
            Err(error) => {
                self.find(position, error.to_string());
                AcceptedProof::Recorded(parsed)
            }
        }
    }

    fn find(&mut self, position: u64, reason: String) {
        if self.report.findings.len() < FINDINGS_MAX {
            self.report.findings.push(Finding { position, reason });
        }
    }
}

fn proof_id(event: &Event) -> Option<Uuid> {
    match event {
        Event::ProofAccepted(proof) => Some(proof.body().proof_id),
        _ => None,
    }
}
