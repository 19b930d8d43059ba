//! `farmops/k8s-pod-health`: a workload that had been unhealthy for a while, and is well again.
//!
//! Reads settled changes of pods, Deployments, `StatefulSets` and `DaemonSets`. One workload's recoveries
//! of one day (UTC) are one piece of work, whether the pod or its owner tells of them.
//!
//! Not rewarded: short troubles, a first start, a scaling to fewer replicas, a rollout that merely
//! took its time, pods of Jobs. `RULES.md` beside this crate has every rule and its reason.

mod deployment;
mod pod;
mod replicas;
mod settings;

use std::collections::BTreeMap;

use farmops_plugin::{
    ActionType, Actor, ActorType, BadSettings, Category, Change, Complexity, Description, Finding,
    Hints, KubernetesResource, Observation, OutcomeStatus, Plugin, SourceRequirement, Template,
    Verdict, Who,
};
use serde_json::json;

use crate::settings::Settings;

/// How long an object must have stayed as it is, well or not. Shorter than the two longest waits of a
/// crashing container (160 and 300 seconds), so that a crash loop shows; longer than the steps in
/// which an ordinary rollout replaces pods.
const SETTLE_SECONDS: u32 = 150;
const DAY_SECONDS: i64 = 24 * 3600;

/// The plugin; made with [`PodHealth::default`].
#[derive(Debug, Default)]
pub struct PodHealth {
    settings: Settings,
}

farmops_plugin::export!(PodHealth);

/// A workload that was unhealthy and is not any more.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Recovery {
    trouble: Trouble,
    /// The owner's kind, as Kubernetes writes it.
    kind: String,
    /// The owner's name.
    name: String,
    unhealthy_since: i64,
    healthy_since: i64,
    /// What the trouble itself takes without anybody's doing, on top of the settings' minimum.
    excused_seconds: i64,
}

/// What was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Unavailable,
    StalledRollout,
    CrashLoop,
    ImagePull,
    Start,
    Readiness,
    MissingReplicas,
}

impl Plugin for PodHealth {
    fn describe(&self) -> Description {
        let troubles = Trouble::ALL.map(Trouble::phrase);
        let template = |id, unit, text| {
            Template::new(id, text)
                .choice("workload", &WORKLOADS)
                .choice("trouble", &troubles)
                .number(unit, 999)
        };
        Description {
            plugin_id: "farmops/k8s-pod-health".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: "Rewards workloads that were unhealthy for a while and recovered."
                .to_owned(),
            categories: vec![Category::Reliability],
            sources: vec![SourceRequirement::kubernetes(resources())],
            templates: vec![
                template(
                    "minutes",
                    "minutes",
                    "Brought a {workload} back from {trouble} after {minutes} minutes",
                ),
                template(
                    "hours",
                    "hours",
                    "Brought a {workload} back from {trouble} after {hours} hours",
                ),
                template(
                    "days",
                    "days",
                    "Brought a {workload} back from {trouble} after {days} days",
                ),
            ],
            subcategories: Trouble::ALL.map(|t| t.subcategory().to_owned()).to_vec(),
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
        let recovery = match change.resource.as_str() {
            "deployments.apps" => deployment::recovery(&change),
            "statefulsets.apps" => replicas::stateful_set(&change),
            "daemonsets.apps" => replicas::daemon_set(&change),
            "pods" => pod::recovery(&change),
            _ => Err("not a workload"),
        };
        match recovery {
            Ok(recovery) => self.judge(&change, &recovery),
            Err(reason) => Verdict::rejected(reason),
        }
    }
}

fn resources() -> Vec<KubernetesResource> {
    [
        ("pods", pod::FIELDS),
        ("deployments.apps", deployment::FIELDS),
        ("statefulsets.apps", replicas::STATEFUL_SET_FIELDS),
        ("daemonsets.apps", replicas::DAEMON_SET_FIELDS),
    ]
    .map(|(resource, fields)| {
        KubernetesResource::new(resource, fields).settle_seconds(SETTLE_SECONDS)
    })
    .to_vec()
}

impl PodHealth {
    fn judge(&self, change: &Change, recovery: &Recovery) -> Verdict {
        let started_well_after = change.created + i64::from(self.settings.first_start_seconds);
        if recovery.unhealthy_since < started_well_after {
            return Verdict::rejected("a first start is not a recovery");
        }
        let unhealthy_seconds = recovery.unhealthy_since.abs_diff(recovery.healthy_since);
        let needed = i64::from(self.settings.min_unhealthy_seconds) + recovery.excused_seconds;
        if recovery.healthy_since < recovery.unhealthy_since
            || unhealthy_seconds < needed.unsigned_abs()
        {
            return Verdict::rejected("it was not unhealthy long enough to need anybody");
        }
        let (template, number) = duration(unhealthy_seconds);
        let namespace = change.namespace.as_deref().unwrap_or_default();
        let (kind, name) = (&recovery.kind, &recovery.name);
        let day = change.after.since.div_euclid(DAY_SECONDS);
        Verdict::Verified(Box::new(Finding {
            action_type: ActionType::Resolve,
            category: Category::Reliability,
            subcategory: Some(recovery.trouble.subcategory().to_owned()),
            template: template.to_owned(),
            numbers: BTreeMap::from([(template.to_owned(), number)]),
            words: BTreeMap::from([
                ("workload".to_owned(), workload(kind).to_owned()),
                ("trouble".to_owned(), recovery.trouble.phrase().to_owned()),
            ]),
            hints: Hints {
                complexity: recovery.trouble.complexity(),
                impact_radius: recovery.trouble.impact_radius(),
                artifacts_touched: 1,
                time_spent_seconds: None,
            },
            outcome: OutcomeStatus::Success,
            evidence: json!({
                "healthySince": recovery.healthy_since,
                "kind": kind,
                "name": name,
                "namespace": namespace,
                "toldBy": change.resource,
                "trouble": recovery.trouble.subcategory(),
                "uid": change.uid,
                "unhealthySince": recovery.unhealthy_since,
            })
            .to_string()
            .into_bytes(),
            actor: Actor {
                who: Who::OnCall,
                kind: ActorType::Human,
            },
            dedupe_key: format!("{namespace}/{kind}/{name} {day}").into_bytes(),
            finished_at: change.after.since,
        }))
    }
}

/// The sentence, which is named as its number's unit, and the number.
fn duration(seconds: u64) -> (&'static str, u64) {
    match seconds / 60 {
        minutes @ 0..120 => ("minutes", minutes),
        minutes @ 120..4320 => ("hours", minutes / 60),
        minutes => ("days", (minutes / 60 / 24).min(999)),
    }
}

const WORKLOADS: [&str; 6] = [
    "deployment",
    "stateful set",
    "daemon set",
    "replica set",
    "pod",
    "workload",
];

/// The word for a kind; kinds of other people's making are workloads.
fn workload(kind: &str) -> &'static str {
    match kind {
        "Deployment" => "deployment",
        "StatefulSet" => "stateful set",
        "DaemonSet" => "daemon set",
        "ReplicaSet" => "replica set",
        "Pod" => "pod",
        _ => "workload",
    }
}

impl Trouble {
    const ALL: [Self; 7] = [
        Self::Unavailable,
        Self::StalledRollout,
        Self::CrashLoop,
        Self::ImagePull,
        Self::Start,
        Self::Readiness,
        Self::MissingReplicas,
    ];

    const fn phrase(self) -> &'static str {
        match self {
            Self::Unavailable => "an outage",
            Self::StalledRollout => "a stalled rollout",
            Self::CrashLoop => "a crash loop",
            Self::ImagePull => "a failing image pull",
            Self::Start => "a failing start",
            Self::Readiness => "not being ready",
            Self::MissingReplicas => "missing replicas",
        }
    }

    const fn subcategory(self) -> &'static str {
        match self {
            Self::Unavailable => "outage",
            Self::StalledRollout => "stalled-rollout",
            Self::CrashLoop => "crash-loop",
            Self::ImagePull => "image-pull",
            Self::Start => "start",
            Self::Readiness => "readiness",
            Self::MissingReplicas => "missing-replicas",
        }
    }

    const fn complexity(self) -> Complexity {
        match self {
            Self::Unavailable => Complexity::High,
            Self::StalledRollout | Self::CrashLoop | Self::ImagePull | Self::Start => {
                Complexity::Medium
            }
            Self::Readiness | Self::MissingReplicas => Complexity::Low,
        }
    }

    /// By kind of trouble and never by a count: replicas cost nothing to ask for.
    const fn impact_radius(self) -> u32 {
        match self {
            Self::Unavailable => 3,
            Self::StalledRollout | Self::MissingReplicas => 2,
            Self::CrashLoop | Self::ImagePull | Self::Start | Self::Readiness => 1,
        }
    }
}

#[cfg(test)]
mod tests;
