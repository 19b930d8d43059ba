//! The suite looks at itself: every check passes on a correct server and fails on one with a
//! deliberate fault.
//!
//! The servers run in this process, a village and a tracker whose handle lives at the village. They are
//! as small as a correct server can be and share no code with any real one.

mod agents;
mod fault;
mod identity;
mod inbox;
mod intake;
mod leagues;
mod log;
mod membership;
mod server;

use std::{fmt, time::Duration};

use serde::Serialize;

pub use self::fault::Fault;
use crate::{
    check::{Check, Miss, Verdict},
    checks,
    http::Client,
    probe::Probe,
    run::look,
    session::Session,
    target::{DiscoveryError, Kind, Target},
};

/// The host that the self-test's servers block.
const BLOCKED_HOST: &str = "blocked.localhost";
/// How long the self-test waits for a correct server in the same process.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long it waits for one that, perhaps, never answers.
const PATIENCE_FAULTY: Duration = Duration::from_secs(2);

/// What a check said about a correct and about a faulty server.
#[derive(Debug, Serialize)]
pub struct Trial {
    /// The check.
    pub check: &'static str,
    /// The fault; none for the correct server.
    pub fault: Option<String>,
    /// `tracker` or `village`.
    pub kind: &'static str,
    /// What the check found: `pass`, `fail` or `skip`.
    pub result: &'static str,
    /// Its reason.
    pub reason: Option<String>,
}

/// The self-test could not run.
#[derive(Debug, thiserror::Error)]
pub enum SelftestError {
    /// A socket or a client could not be had.
    #[error("the self-test cannot start: {0}")]
    Start(#[from] std::io::Error),
    /// The client could not be built.
    #[error(transparent)]
    Client(#[from] reqwest::Error),
    /// A server of the self-test could not be found.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
}

impl Trial {
    fn new(check: &Check, fault: Option<Fault>, kind: Kind, verdict: Verdict) -> Self {
        let (result, reason) = match verdict {
            Ok(()) => ("pass", None),
            Err(Miss::Failed(reason)) => ("fail", Some(reason)),
            Err(Miss::Skipped(reason)) => ("skip", Some(reason)),
        };
        let fault = fault.map(|fault| format!("{fault:?}"));
        Self {
            check: check.name,
            fault,
            kind: kind.as_str(),
            result,
            reason,
        }
    }

    /// Whether the check said what it should: no failure on a correct server, a failure on a faulty one.
    pub fn holds(&self) -> bool {
        if self.fault.is_some() {
            self.result == "fail"
        } else {
            self.result != "fail"
        }
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.holds() { "ok" } else { "WRONG" };
        let fault = self.fault.as_deref().unwrap_or("no fault");
        write!(
            f,
            "{mark:<5}  {:<26}  {:<7}  {fault}: {}",
            self.check, self.kind, self.result
        )?;
        match &self.reason {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}

/// Tries every check: on both correct servers, and with each of its faults.
pub async fn run() -> Result<Vec<Trial>, SelftestError> {
    let client = Client::new(true)?;
    let probe = Probe::start(([127, 0, 0, 1], 0).into(), None, Some(BLOCKED_HOST)).await?;
    let mut trials = Vec::new();
    for kind in [Kind::Village, Kind::Tracker] {
        let session = session(&client, &probe, None, kind).await?;
        for check in checks::all() {
            trials.push(Trial::new(&check, None, kind, look(&check, &session).await));
        }
    }
    for (fault, name) in fault::trials() {
        let Some(check) = checks::all().into_iter().find(|check| check.name == name) else {
            continue;
        };
        // A tracker can do all that a village can, but for what only villages do.
        let kind = if check.kinds.contains(&Kind::Tracker) {
            Kind::Tracker
        } else {
            Kind::Village
        };
        let session = session(&client, &probe, Some(fault), kind).await?;
        trials.push(Trial::new(
            &check,
            Some(fault),
            kind,
            look(&check, &session).await,
        ));
    }
    Ok(trials)
}

async fn session(
    client: &Client,
    probe: &Probe,
    fault: Option<Fault>,
    kind: Kind,
) -> Result<Session, SelftestError> {
    let world = server::start(client, fault).await?;
    let base = match kind {
        Kind::Tracker => world.tracker,
        _ => world.village,
    };
    let target = Target::discover(client, &base, Some(kind), None).await?;
    let patience = fault.map_or(PATIENCE, |_| PATIENCE_FAULTY);
    let mut session = Session::new(client.clone(), target, Some(probe.clone()), patience);
    session.may_join = true;
    session.lend_owner_token("the owner's".to_owned());
    Ok(session)
}
