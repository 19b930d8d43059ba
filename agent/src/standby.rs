//! Several replicas, one at work: an agent that is told to works only while it holds a Lease
//! (`coordination.k8s.io/v1`) in its own namespace.
//!
//! [`election`] decides; here its steps are taken against the API server. Who loses the lease stops and ends
//! the program, so that nothing of its memory of having led is left; a watchdog of its own thread ends it by
//! force in time, even where a part hangs.

pub mod election;
mod mandate;
mod server;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::election::{Election, Step, Timing};
use self::mandate::Tenure;
pub use self::mandate::{Mandate, Succession, Term};
use self::server::LeaseServer;
pub use self::server::StandbyError;

/// Longest wait for one answer of the API server.
const ANSWER: Duration = Duration::from_secs(3);
/// So long after it led last, the process ends whatever it is doing. With a look every second it is over
/// before the lease is anybody else's.
const GRACE: Duration = Duration::from_secs(3);
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The exit status of a program that lost its lease.
const LOST_STATUS: u8 = 6;
/// 1 while this replica is at work, else 0.
const LEADING: &str = "farmops_agent_leading";

/// Run only while holding a lease.
#[derive(Debug, Clone, Deserialize)]
pub struct StandbyConfig {
    /// The lease's name; replicas of one agent name the same.
    pub lease: String,
    /// Its namespace. Default: the pod's own, or that of the kubeconfig's context.
    #[serde(default)]
    pub namespace: Option<String>,
}

impl StandbyConfig {
    /// Key and reason of the first rule that is broken.
    pub(crate) fn check(&self) -> Result<(), (String, String)> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let named = |name: &str| (1..=63).contains(&name.len()) && name.bytes().all(plain);
        for (key, name) in [
            ("lease", Some(&self.lease)),
            ("namespace", self.namespace.as_ref()),
        ] {
            if let Some(name) = name.filter(|name| !named(name)) {
                let reason = format!("`{name}` is not 1 to 63 of a-z, 0-9 and -");
                return Err((format!("standby.{key}"), reason));
            }
        }
        Ok(())
    }
}

/// How a replica stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct View {
    /// Whether this one is at work.
    pub leading: bool,
    /// Who holds the lease, as far as was seen.
    pub holder: Option<String>,
    /// Why the API server could not be asked last, if it could not.
    pub trouble: Option<String>,
}

/// A replica that waits for its turn.
pub struct Standby {
    server: LeaseServer,
    election: Election,
    begin: Instant,
    view: watch::Sender<View>,
}

impl Standby {
    /// Finds the way to the API server; nothing is asked yet.
    ///
    /// # Errors
    /// A [`StandbyError`] where there is none.
    pub async fn connect(config: &StandbyConfig) -> Result<Self, StandbyError> {
        let name = new_name();
        Ok(Self {
            server: LeaseServer::connect(config, name.clone()).await?,
            election: Election::new(name, Timing::default()),
            begin: Instant::now(),
            view: watch::Sender::default(),
        })
    }

    /// Tells how it stands.
    pub fn view(&self) -> watch::Receiver<View> {
        self.view.subscribe()
    }

    /// Waits until this replica leads; `None` when it was told to stop before. While it leads the lease is
    /// renewed; `stop` is cancelled when it is lost.
    pub async fn lead(mut self, stop: CancellationToken) -> Option<Leadership> {
        metrics::gauge!(LEADING).set(0.0);
        let until = loop {
            let (now, until) = (self.now(), self.election.leads_until());
            if let Some(until) = until.filter(|until| now < *until) {
                break until;
            }
            tokio::select! {
                () = stop.cancelled() => return None,
                step = self.turn() => if step == Step::Lost {
                    // Its claim was answered when it had run out.
                    self.stand_again();
                }
            }
        };
        let mandate = Mandate {
            succession: self.server.succession(),
            tenure: Tenure::new(self.begin, until),
        };
        metrics::gauge!(LEADING).set(1.0);
        tracing::info!("this replica holds the lease and goes to work");
        watch_over(mandate.tenure.clone());
        let done = CancellationToken::new();
        let task = tokio::spawn(self.keep(stop, done.clone(), mandate.tenure.clone()));
        Some(Leadership {
            task,
            done,
            mandate,
        })
    }

    /// There is no way back for a candidate that lost, but for another one there is.
    fn stand_again(&mut self) {
        let name = new_name();
        self.election = self.election.succeed(name.clone());
        self.server.rename(name);
    }

    /// Renews the lease until `done`; gives itself back then, or `None` when the lease was lost.
    async fn keep(
        mut self,
        stop: CancellationToken,
        done: CancellationToken,
        tenure: Tenure,
    ) -> Option<Self> {
        loop {
            if let Some(leads_until) = self.election.leads_until() {
                tenure.extend(leads_until);
            }
            let lost = tokio::select! {
                () = done.cancelled() => return Some(self),
                step = self.turn() => step == Step::Lost,
            };
            if lost {
                metrics::gauge!(LEADING).set(0.0);
                tracing::error!("the lease is lost; this replica stops");
                stop.cancel();
                return None;
            }
        }
    }

    /// Takes one step.
    async fn turn(&mut self) -> Step {
        let now = self.now();
        let step = self.election.step(now);
        let deadline = self
            .election
            .leads_until()
            .map_or(ANSWER, |until| ANSWER.min(until.saturating_sub(now)));
        let trouble = match &step {
            Step::Lost => None,
            Step::Wait(pause) => {
                tokio::time::sleep(*pause).await;
                return step;
            }
            Step::Read => {
                let answer = timely(deadline, self.server.read()).await;
                let (answer, trouble) = apart(answer);
                self.election.read(self.now(), answer);
                trouble
            }
            Step::Claim(version) => {
                let claim = self.server.claim(version.as_deref());
                let (answer, trouble) = apart(timely(deadline, claim).await);
                self.election.written(self.now(), answer);
                trouble
            }
        };
        self.show(trouble);
        step
    }

    fn show(&self, trouble: Option<String>) {
        let view = View {
            leading: self.election.leads(self.now()),
            holder: self.election.holder().map(str::to_owned),
            trouble,
        };
        self.view.send_if_modified(|shown| {
            if view.trouble.is_some() && view.trouble != shown.trouble {
                let reason = view.trouble.as_deref();
                tracing::warn!(reason, "the lease cannot be read or renewed");
            }
            if view.holder != shown.holder && !view.leading {
                tracing::info!(holder = view.holder, "another replica holds the lease");
            }
            std::mem::replace(shown, view.clone()) != view
        });
    }

    fn now(&self) -> Duration {
        self.begin.elapsed()
    }
}

/// The right to work, for as long as it lasts.
pub struct Leadership {
    task: JoinHandle<Option<Standby>>,
    done: CancellationToken,
    mandate: Mandate,
}

impl Leadership {
    /// What it takes to its work.
    pub fn mandate(&self) -> Mandate {
        self.mandate.clone()
    }

    /// After the work has ended: gives the lease up if it is still held, so that another replica need not
    /// wait. The exit status says whether it was.
    pub async fn end(self) -> ExitCode {
        self.done.cancel();
        let Ok(Some(mut standby)) = self.task.await else {
            return ExitCode::from(LOST_STATUS);
        };
        // Whatever becomes of the lease, nothing is at work any more.
        self.mandate.tenure.close();
        match timely(ANSWER, standby.server.give_up()).await {
            Ok(()) => tracing::info!("the lease is given up"),
            Err(reason) => tracing::warn!(reason, "the lease could not be given up; it runs out"),
        }
        ExitCode::SUCCESS
    }
}

/// Ends the process by force where it has not ended by itself after its lease ran out.
fn watch_over(tenure: Tenure) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(LOOK_INTERVAL);
            if tenure.is_over(GRACE) {
                std::process::exit(i32::from(LOST_STATUS));
            }
        }
    });
}

/// Another life of the same pod is another holder.
fn new_name() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "agent".to_owned());
    format!("{host}_{}", Uuid::new_v4())
}

async fn timely<T>(
    deadline: Duration,
    answer: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    let answer = tokio::time::timeout(deadline, answer).await;
    answer.unwrap_or_else(|_| Err("the API server does not answer in time".to_owned()))
}

/// For the election it does not matter why; for the operator it does.
fn apart<T>(answer: Result<T, String>) -> (Result<T, ()>, Option<String>) {
    match answer {
        Ok(answer) => (Ok(answer), None),
        Err(reason) => (Err(()), Some(reason)),
    }
}

#[cfg(test)]
mod tests;
