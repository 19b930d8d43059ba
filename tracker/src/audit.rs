//! Checking a whole ledger again, from its bytes: every signature, every chain link, every score, the
//! totals and the transparency log.
//!
//! What is archived is passed over by the rows that the tracker kept of it, and reported; the log vouches
//! for what they say it was worth.
//!
//! It shares the rules with the tracker and nothing else: it starts from an empty state and trusts no
//! table. [`Audit`] follows the entries one by one, from wherever they come; [`fsck`] does so over a
//! database and compares everything else in it with what the entries say.

mod earlier;
pub mod fsck;
mod page;
mod report;
mod rows;
mod said;
mod signed;
mod waiting;
mod witness;

use std::collections::{HashMap, HashSet, VecDeque};

use farmops_ledger::{AcceptedProof, Entry, Event, PROOF_ACCEPTED};
use farmops_protocol::{
    chain,
    digest::Digest,
    enrolment::EnrolmentRequest,
    log::commitment::{LoggedEvent, SaltSource},
    proof::ParsedProof,
    snapshot::season_of,
    time::Timestamp,
};
use uuid::Uuid;

pub use self::{
    earlier::against_rows,
    page::Page,
    report::{Finding, Remedy, Report},
    said::Said,
};
use crate::{
    domain::{Applied, HourlyActivity, ProofRow, State, decide_composites},
    log::{Entered, Log, enter, pass_over},
    store::ArchivedSeason,
};

/// An audit in progress.
#[derive(Debug, Default)]
pub struct Audit {
    state: State,
    log: Log,
    /// Known to the farmer only; without them the log cannot be followed.
    salts: Option<SaltSource>,
    /// Each proof and what it earned, by position: an id stands once in each chain, not once in all.
    scores: HashMap<u64, (Uuid, u64)>,
    /// The rows that stand in for archived proofs, by position.
    rows: HashMap<u64, ProofRow>,
    /// The hours of archived proofs: what else was done in them cannot be scored again.
    clouded: HashSet<i64>,
    /// The composites that the last proof completed, which have to come next.
    completed: VecDeque<Event>,
    report: Report,
}

/// An entry that was followed, and what came of it.
#[derive(Debug)]
pub struct Followed {
    /// The entry.
    pub entry: Entry,
    /// What entering it brought; of a log without salts.
    pub entered: Entered,
}

impl Audit {
    /// An audit that follows the transparency log too.
    pub fn with_salts(salts: SaltSource) -> Self {
        Self {
            salts: Some(salts),
            ..Self::default()
        }
    }

    /// Checks the next line of the ledger; nothing if it cannot be followed any further.
    pub fn line(
        &mut self,
        position: u64,
        kind: &str,
        recorded_at: Timestamp,
        body: &[u8],
    ) -> Option<Followed> {
        if !self.comes_next(position) {
            return None;
        }
        let event = match Event::read(kind, body) {
            Ok(event) => self.check(position, event, recorded_at, body),
            Err(error) => {
                self.find(position, error.to_string());
                return None;
            }
        };
        let entry = Entry {
            position,
            recorded_at,
            event,
        };
        self.expect_composites(&entry);
        // An auditor without salts follows a log of its own, whose root means nothing.
        let unsalted = SaltSource::new([]);
        let salts = self.salts.as_ref().unwrap_or(&unsalted);
        let stand_in = self.rows.remove(&position).filter(|row| {
            let hour = HourlyActivity::hour(row.timestamp);
            matches!(entry.event, Event::ProofAccepted(_)) && self.clouded.contains(&hour)
        });
        let entered = match stand_in {
            None => enter(&mut self.state, &mut self.log, salts, &entry),
            Some(row) => {
                let event = LoggedEvent {
                    kind,
                    recorded_at,
                    body,
                };
                let event = salts.commit(position - 1, &event, None).event;
                pass_over(
                    &mut self.state,
                    &mut self.log,
                    salts,
                    &row,
                    recorded_at,
                    event,
                )
            }
        };
        if let (Event::ProofAccepted(proof), Applied::Scored { score, .. }) =
            (&entry.event, &entered.applied)
        {
            let scored = (proof.body().proof_id, score.coins);
            self.scores.insert(entry.position, scored);
            self.completed = decide_composites(&self.state, proof).into();
        }
        Some(Followed { entry, entered })
    }

    fn comes_next(&mut self, position: u64) -> bool {
        self.report.entries += 1;
        let expected = self.state.next_position();
        if position != expected {
            let reason = format!("position {expected} comes next, and here is {position}");
            self.find(expected, reason);
        }
        position == expected
    }

    /// Compares `entry` with the composite that the proof before completed, if it did. Which proofs wait to
    /// become a part is not known once one was passed over.
    fn expect_composites(&mut self, entry: &Entry) {
        let expected = self.completed.pop_front();
        let is_composite = matches!(entry.event, Event::CompositeEarned(_));
        if !self.report.archived.is_empty() || (expected.is_none() && !is_composite) {
            return;
        }
        let reason = match expected {
            Some(expected) if expected == entry.event => return,
            Some(_) if is_composite => "the composite is not the one that the proofs made complete",
            Some(_) => "the composite that the proof before it completed is not there",
            None => "no proof before it completed a composite",
        };
        self.find(entry.position, reason.to_owned());
        self.completed.clear();
    }

    /// Takes the rows that stand in for archived proofs among the entries that come next.
    pub fn know_rows(&mut self, rows: Vec<ProofRow>) {
        self.rows = rows.into_iter().map(|row| (row.position, row)).collect();
    }

    /// Whether scores depend on what is archived, so that rows have to be known.
    pub fn needs_rows(&self) -> bool {
        !self.clouded.is_empty()
    }

    /// Passes over a proof whose content is archived, by its row; nothing if there is none, so that the
    /// ledger cannot be followed any further. `commitment` is what the log has of it.
    pub fn archived(
        &mut self,
        position: u64,
        kind: &str,
        recorded_at: Timestamp,
        commitment: Digest,
    ) -> Option<(ProofRow, Entered)> {
        if !self.comes_next(position) {
            return None;
        }
        if kind != PROOF_ACCEPTED {
            self.find(position, "only proofs are archived".to_owned());
            return None;
        }
        let Some(row) = self.rows.remove(&position) else {
            let reason = "the row of an archived proof is missing".to_owned();
            self.find_row(position, reason);
            return None;
        };
        if let Err(column) = self.state.check_archived(&row) {
            self.find_row(
                position,
                format!("the row of an archived proof does not follow its chain, by its {column}"),
            );
        }
        self.clouded.insert(HourlyActivity::hour(row.timestamp));
        let scored = (row.proof_id, row.score.coins);
        self.scores.insert(position, scored);
        ArchivedSeason::count(&mut self.report.archived, season_of(recorded_at), position);
        let unsalted = SaltSource::new([]);
        let salts = self.salts.as_ref().unwrap_or(&unsalted);
        let (state, log) = (&mut self.state, &mut self.log);
        let entered = pass_over(state, log, salts, &row, recorded_at, commitment);
        Some((row, entered))
    }

    /// The fold so far.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The log so far.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Whether the log is the farm's own, so that its root means something.
    pub const fn follows_log(&self) -> bool {
        self.salts.is_some()
    }

    /// Compares what a table says a proof earned.
    pub fn awarded(&mut self, position: u64, proof: Uuid, coins: u64) {
        let at = self.scores.get(&position);
        match at.filter(|(id, _)| *id == proof) {
            Some((_, scored)) if *scored == coins => {}
            Some((_, scored)) => {
                self.find(position, format!("{coins} coins awarded, {scored} earned"));
            }
            None => self.find(
                position,
                format!("the proof {proof} is not in the ledger there"),
            ),
        }
    }

    /// Compares the totals that the farm shows, and ends the audit.
    pub fn finish(mut self, total_coins: u64, ledger_size: u64) -> Report {
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
        self.into_report()
    }

    /// Ends the audit.
    pub fn into_report(mut self) -> Report {
        self.report.coins = self.state.coins.earned;
        self.report.in_order()
    }

    /// Where findings go.
    pub const fn report_mut(&mut self) -> &mut Report {
        &mut self.report
    }

    fn check(&mut self, position: u64, event: Event, at: Timestamp, body: &[u8]) -> Event {
        match (&event, &self.state.farm) {
            (Event::FarmFounded(_), Some(_)) => {
                self.find(position, "the farm was founded already".to_owned());
            }
            (Event::FarmFounded(_), None) | (_, Some(_)) => {}
            (other, None) => {
                let reason = format!("the ledger begins with `{}`", other.kind());
                self.find(position, reason);
            }
        }
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
            other => {
                if let Err(reason) = signed::check(&self.state, &other, at) {
                    self.find(position, reason);
                }
                other
            }
        }
    }

    fn check_proof(&mut self, position: u64, parsed: ParsedProof, at: Timestamp) -> AcceptedProof {
        self.report.proofs += 1;
        let agent = self.state.agents.get(&parsed.body().agent.agent_id);
        let Some((key, head)) = agent.map(|agent| (*agent.key_at(agent.proofs), agent.head)) else {
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

    fn find_row(&mut self, position: u64, reason: String) {
        self.report
            .find(position, "proof_chain", reason, Remedy::Rebuild);
    }

    fn find(&mut self, position: u64, reason: String) {
        self.report
            .find(position, "ledger", reason, Remedy::Restore);
    }
}
