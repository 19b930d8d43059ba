//! `farmops/certificate-renewal`: a certificate that was renewed before it ended.
//!
//! Reads settled changes of cert-manager's Certificates. A certificate that had been in trouble, not ready
//! or long overdue, and got a new term in time was rescued by somebody. A renewal that took care of
//! itself counts little, and all of one day are one.
//!
//! Not rewarded: short-lived certificates, a term that was not half used, a renewal after the end, and a
//! Certificate's first. `RULES.md` beside this crate has every rule and its reason.

mod settings;

use std::collections::BTreeMap;

use farmops_plugin::kubernetes::Seen;
use farmops_plugin::{
    ActionType, Actor, ActorType, BadSettings, Category, Change, Complexity, Description, Finding,
    Hints, KubernetesResource, Observation, OutcomeStatus, Plugin, SourceRequirement, Template,
    Verdict, Who,
};
use serde_json::json;

use crate::settings::Settings;

const RESOURCE: &str = "certificates.cert-manager.io";

/// How long the new term must stay. Fields of one renewal change within seconds of each other.
const SETTLE_SECONDS: u32 = 300;
const MINUTE_SECONDS: i64 = 60;
const HOUR_SECONDS: i64 = 3600;
const DAY_SECONDS: i64 = 24 * HOUR_SECONDS;

/// No key, no secret's name, no host name: terms and whether it is ready.
const FIELDS: &[&str] = &[
    "status.conditions[type=Ready].lastTransitionTime",
    "status.conditions[type=Ready].status",
    "status.notAfter",
    "status.notBefore",
    "status.renewalTime",
    "status.revision",
];

/// The plugin; made with [`CertificateRenewal::default`].
#[derive(Debug, Default)]
pub struct CertificateRenewal {
    settings: Settings,
}

farmops_plugin::export!(CertificateRenewal);

/// A certificate as it is at one time.
#[derive(Debug, Clone, Copy)]
struct Term {
    from: i64,
    until: i64,
    revision: i64,
    is_ready: bool,
    /// When `is_ready` last changed.
    ready_changed_at: Option<i64>,
    /// When it is to be renewed.
    due_at: Option<i64>,
}

/// A new term that began before the old one ended.
#[derive(Debug, Clone, Copy)]
struct Renewal {
    old: Term,
    new: Term,
    at: i64,
    was_in_trouble: bool,
}

impl Plugin for CertificateRenewal {
    fn describe(&self) -> Description {
        let resource = KubernetesResource::new(RESOURCE, FIELDS);
        let days = |id, text| Template::new(id, text).number("days", 999);
        Description {
            plugin_id: "farmops/certificate-renewal".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: "Rewards certificates of cert-manager that were renewed before their end."
                .to_owned(),
            categories: vec![Category::Reliability, Category::Maintenance],
            sources: vec![SourceRequirement::kubernetes(vec![
                resource.settle_seconds(SETTLE_SECONDS).optional(),
            ])],
            templates: vec![
                days(
                    "rescued-days",
                    "Rescued a certificate {days} days before its end",
                ),
                Template::new(
                    "rescued-hours",
                    "Rescued a certificate {hours} hours before its end",
                )
                .number("hours", 999),
                days(
                    "renewed-days",
                    "Had a certificate renewed {days} days before its end",
                ),
            ],
            subcategories: vec!["rescue".to_owned(), "renewal".to_owned()],
            settings_schema: Some(Settings::schema()),
        }
    }

    fn configure(&mut self, settings: &serde_json::Value) -> Result<(), BadSettings> {
        self.settings = farmops_plugin::settings::read(settings)?;
        Ok(())
    }

    fn verify(&self, observation: &Observation) -> Verdict {
        let change = match Change::read(observation) {
            Ok(change) => change,
            Err(verdict) => return verdict,
        };
        if change.resource != RESOURCE {
            return Verdict::rejected("not a certificate");
        }
        let renewal = match self.judge(&change) {
            Ok(renewal) => renewal,
            Err(reason) => return Verdict::rejected(reason),
        };
        let finding = if renewal.was_in_trouble {
            rescued(&change, renewal)
        } else if self.settings.routine_renewals {
            renewed(&change, renewal)
        } else {
            return Verdict::rejected("it took care of itself");
        };
        Verdict::Verified(Box::new(finding))
    }
}

impl CertificateRenewal {
    fn judge(&self, change: &Change) -> Result<Renewal, &'static str> {
        let at = change.after.since;
        let Some(old) = Term::read(&change.before) else {
            return Err("there was no certificate before");
        };
        let Some(new) = Term::read(&change.after) else {
            return Err("there is no certificate");
        };
        if new.until <= old.until || new.revision <= old.revision {
            return Err("it has no new term");
        }
        if !new.is_ready {
            return Err("it is not ready");
        }
        if at >= old.until {
            return Err("the renewal came after the end");
        }
        let validity_min = i64::from(self.settings.min_validity_days) * DAY_SECONDS;
        if old.validity() < validity_min || new.validity() < validity_min {
            return Err("it is valid for too short a time");
        }
        if at.saturating_sub(old.from) < old.validity() / 2 {
            return Err("the old term was not half over");
        }
        let unready_min = i64::from(self.settings.min_unready_minutes) * MINUTE_SECONDS;
        let overdue_min = i64::from(self.settings.min_overdue_hours) * HOUR_SECONDS;
        let unready_since = old.ready_changed_at.unwrap_or(change.before.since);
        let was_unready = !old.is_ready && at.saturating_sub(unready_since) >= unready_min;
        let was_overdue = old
            .due_at
            .is_some_and(|due| at.saturating_sub(due) >= overdue_min);
        Ok(Renewal {
            old,
            new,
            at,
            was_in_trouble: was_unready || was_overdue,
        })
    }
}

impl Term {
    fn read(seen: &Seen) -> Option<Self> {
        let ready = seen.condition("Ready");
        let term = Self {
            from: seen.time("/status/notBefore")?,
            until: seen.time("/status/notAfter")?,
            revision: seen.integer("/status/revision")?,
            is_ready: ready.is_some_and(|ready| ready.status == "True"),
            ready_changed_at: ready.and_then(|ready| ready.changed_at),
            due_at: seen.time("/status/renewalTime"),
        };
        (term.from < term.until).then_some(term)
    }

    fn validity(self) -> i64 {
        self.until.saturating_sub(self.from)
    }
}

fn rescued(change: &Change, renewal: Renewal) -> Finding {
    let left_seconds = renewal.old.until.saturating_sub(renewal.at);
    let (template, gap, number) = if left_seconds < 3 * DAY_SECONDS {
        ("rescued-hours", "hours", left_seconds / HOUR_SECONDS)
    } else {
        ("rescued-days", "days", left_seconds / DAY_SECONDS)
    };
    let was_close = left_seconds < renewal.old.validity() / 10;
    let namespace = change.namespace.as_deref().unwrap_or_default();
    Finding {
        action_type: ActionType::Resolve,
        category: Category::Reliability,
        subcategory: Some("rescue".to_owned()),
        template: template.to_owned(),
        numbers: whole(gap, number),
        words: BTreeMap::new(),
        hints: hints(if was_close {
            Complexity::High
        } else {
            Complexity::Medium
        }),
        outcome: OutcomeStatus::Success,
        evidence: evidence(change, renewal),
        actor: Actor {
            who: Who::OnCall,
            kind: ActorType::Human,
        },
        dedupe_key: format!("{namespace}/{} {}", change.name, renewal.old.until).into_bytes(),
        finished_at: renewal.at,
    }
}

/// Nobody did it on that day; that it works is worth a little, however many certificates there are.
fn renewed(change: &Change, renewal: Renewal) -> Finding {
    let left_seconds = renewal.old.until.saturating_sub(renewal.at);
    let day = renewal.at.div_euclid(DAY_SECONDS);
    Finding {
        action_type: ActionType::Observe,
        category: Category::Maintenance,
        subcategory: Some("renewal".to_owned()),
        template: "renewed-days".to_owned(),
        numbers: whole("days", left_seconds / DAY_SECONDS),
        words: BTreeMap::new(),
        hints: hints(Complexity::Low),
        outcome: OutcomeStatus::Success,
        evidence: evidence(change, renewal),
        actor: Actor {
            who: Who::OnCall,
            kind: ActorType::System,
        },
        dedupe_key: format!("routine {day}").into_bytes(),
        finished_at: renewal.at,
    }
}

fn whole(gap: &str, number: i64) -> BTreeMap<String, u64> {
    BTreeMap::from([(gap.to_owned(), u64::try_from(number).unwrap_or(0).min(999))])
}

fn hints(complexity: Complexity) -> Hints {
    Hints {
        complexity,
        impact_radius: 1,
        artifacts_touched: 1,
        time_spent_seconds: None,
    }
}

fn evidence(change: &Change, renewal: Renewal) -> Vec<u8> {
    json!({
        "name": change.name,
        "namespace": change.namespace,
        "newNotAfter": renewal.new.until,
        "oldNotAfter": renewal.old.until,
        "renewedAt": renewal.at,
        "revision": renewal.new.revision,
        "uid": change.uid,
        "wasInTrouble": renewal.was_in_trouble,
        "wasReady": renewal.old.is_ready,
    })
    .to_string()
    .into_bytes()
}

#[cfg(test)]
mod tests;
