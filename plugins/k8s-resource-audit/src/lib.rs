//! `farmops/k8s-resource-audit`: a workload whose pods are safer than they were.
//!
//! Holds the pod templates of Deployments, `StatefulSets`, `DaemonSets` and `CronJobs` against the rules in
//! [`audit()`], before and after a settled change. Rewarded is a change that took away flaws and brought
//! none as bad. What was mended is named by its worst rule, and each rule counts once per workload: what is
//! broken again to be mended again earns nothing. `RULES.md` beside this crate has it all.

pub mod audit;
mod settings;

use std::collections::{BTreeMap, BTreeSet};

use farmops_plugin::kubernetes::Seen;
use farmops_plugin::{
    ActionType, Actor, ActorType, BadSettings, Category, Change, Complexity, Description, Finding,
    Hints, KubernetesResource, Observation, OutcomeStatus, Plugin, SourceRequirement, Template,
    Verdict, Who,
};
use serde_json::{Value, json};

use crate::audit::{Area, Flaw, Rule, Runs, Severity, audit, containers};
use crate::settings::Settings;

/// How long a change must stay: a test of a stricter setting that is taken back is not work.
const SETTLE_SECONDS: u32 = 900;

/// The plugin; made with [`ResourceAudit::default`].
#[derive(Debug, Default)]
pub struct ResourceAudit {
    settings: Settings,
}

farmops_plugin::export!(ResourceAudit);

/// A kind of workload.
struct Workload {
    resource: &'static str,
    word: &'static str,
    /// Where its pod template is, as a JSON pointer.
    template: &'static str,
    runs: Runs,
    /// What it is scaled or paused by, as a path.
    switch: Option<&'static str>,
}

const WORKLOADS: [Workload; 4] = [
    Workload {
        resource: "deployments.apps",
        word: "deployment",
        template: "/spec/template",
        runs: Runs::Always,
        switch: Some("spec.replicas"),
    },
    Workload {
        resource: "statefulsets.apps",
        word: "stateful set",
        template: "/spec/template",
        runs: Runs::Always,
        switch: Some("spec.replicas"),
    },
    Workload {
        resource: "daemonsets.apps",
        word: "daemon set",
        template: "/spec/template",
        runs: Runs::Always,
        switch: None,
    },
    Workload {
        resource: "cronjobs.batch",
        word: "cron job",
        template: "/spec/jobTemplate/spec/template",
        runs: Runs::ToCompletion,
        switch: Some("spec.suspend"),
    },
];

/// What is kept of a pod template: no environment, no arguments, no commands, no names of anything but
/// containers and volumes. Of a probe, its period says that it is there.
const POD_FIELDS: &[&str] = &[
    "automountServiceAccountToken",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "securityContext.runAsNonRoot",
    "securityContext.runAsUser",
    "securityContext.seccompProfile.type",
    "volumes[].hostPath.path",
];
const CONTAINER_FIELDS: &[&str] = &[
    "name",
    "image",
    "ports[].hostPort",
    "securityContext.allowPrivilegeEscalation",
    "securityContext.capabilities",
    "securityContext.privileged",
    "securityContext.readOnlyRootFilesystem",
    "securityContext.runAsNonRoot",
    "securityContext.runAsUser",
    "securityContext.seccompProfile.type",
];
const SERVING_FIELDS: &[&str] = &[
    "livenessProbe.periodSeconds",
    "readinessProbe.periodSeconds",
    "resources.limits",
    "resources.requests",
];

impl Workload {
    fn requirement(&self) -> KubernetesResource {
        let spec = format!(
            "{}.spec",
            self.template.trim_start_matches('/').replace('/', ".")
        );
        let pod = POD_FIELDS.iter().map(|field| format!("{spec}.{field}"));
        let containers = CONTAINER_FIELDS.iter().chain(SERVING_FIELDS);
        let containers = containers.map(|field| format!("{spec}.containers[].{field}"));
        let initial = CONTAINER_FIELDS.iter();
        let initial = initial.map(|field| format!("{spec}.initContainers[].{field}"));
        let switch = self.switch.iter().map(|&field| field.to_owned());
        let mut requirement = KubernetesResource::new(self.resource, &[]);
        requirement.fields = switch.chain(pod).chain(containers).chain(initial).collect();
        requirement.settle_seconds(SETTLE_SECONDS)
    }

    /// Whether pods of it run at all. How many does not matter.
    fn is_on(&self, seen: &Seen) -> bool {
        match self.switch {
            Some("spec.suspend") => seen.at("/spec/suspend") != Some(&Value::Bool(true)),
            Some(_) => seen.integer("/spec/replicas").unwrap_or(1) > 0,
            None => true,
        }
    }
}

/// What a change took away.
struct Mended {
    flaws: BTreeSet<Flaw>,
    worst: Rule,
}

impl Plugin for ResourceAudit {
    fn describe(&self) -> Description {
        let words = WORKLOADS.map(|workload| workload.word);
        let template = |id, text| {
            Template::new(id, text)
                .choice("workload", &words)
                .choice("area", &Area::ALL.map(Area::word))
                .choice("severity", &Severity::ALL.map(Severity::word))
        };
        Description {
            plugin_id: "farmops/k8s-resource-audit".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: "Rewards workloads whose pod templates lost flaws of security or reliability."
                .to_owned(),
            categories: vec![Category::Security, Category::Reliability],
            sources: vec![SourceRequirement::kubernetes(
                WORKLOADS.iter().map(Workload::requirement).collect(),
            )],
            templates: vec![
                template(
                    "one",
                    "Mended a {area} flaw of {severity} severity in a {workload}",
                ),
                template(
                    "several",
                    "Mended {flaws} flaws in a {workload}, the worst a {area} flaw of {severity} severity",
                )
                .number("flaws", 999),
            ],
            subcategories: Rule::ALL.iter().map(|rule| rule.name().to_owned()).collect(),
            settings_schema: Some(Settings::schema()),
        }
    }

    fn configure(&mut self, settings: &Value) -> Result<(), BadSettings> {
        self.settings = Settings::read(settings)?;
        Ok(())
    }

    fn verify(&self, observation: &Observation) -> Verdict {
        let change = match Change::read(observation) {
            Ok(change) => change,
            Err(verdict) => return verdict,
        };
        let of = |workload: &&Workload| workload.resource == change.resource;
        let Some(workload) = WORKLOADS.iter().find(of) else {
            return Verdict::rejected("not a workload");
        };
        match self.judge(&change, workload) {
            Ok(mended) => told(&change, workload, &mended),
            Err(reason) => Verdict::rejected(reason),
        }
    }
}

impl ResourceAudit {
    fn judge(&self, change: &Change, workload: &Workload) -> Result<Mended, &'static str> {
        if !workload.is_on(&change.before) || !workload.is_on(&change.after) {
            return Err("no pods of it run");
        }
        let template = |seen: &Seen| seen.at(workload.template).cloned().unwrap_or_default();
        let (before, after) = (template(&change.before), template(&change.after));
        if !before.is_object() || !after.is_object() {
            return Err("there is no pod template");
        }
        let counted = |template: &Value| -> BTreeSet<Flaw> {
            let flaws = audit(template, workload.runs).into_iter();
            flaws
                .filter(|flaw| self.settings.counts(flaw.rule))
                .collect()
        };
        let (flaws_before, flaws_after) = (counted(&before), counted(&after));
        // A container that is gone took its flaws along; that mends nothing.
        let there = containers(&after);
        let is_there = |flaw: &&Flaw| {
            let container = flaw.container.as_deref();
            container.is_none_or(|name| there.contains(name))
        };
        let gone = flaws_before.difference(&flaws_after).filter(is_there);
        let flaws: BTreeSet<Flaw> = gone.cloned().collect();
        let worst_first = |flaw: &&Flaw| (flaw.rule.severity(), std::cmp::Reverse(flaw.rule));
        let Some(worst) = flaws.iter().max_by_key(worst_first).map(|flaw| flaw.rule) else {
            return Err("nothing was mended");
        };
        let new = flaws_after.difference(&flaws_before);
        if new.map(|flaw| flaw.rule.severity()).max() >= Some(worst.severity()) {
            return Err("something as bad came in its place");
        }
        if change.age_seconds() < i64::from(self.settings.min_age_hours) * 3600 {
            return Err("the workload is too young");
        }
        if change.before_seconds() < i64::from(self.settings.min_standing_minutes) * 60 {
            return Err("the flaw had not stood long enough");
        }
        Ok(Mended { flaws, worst })
    }
}

fn told(change: &Change, workload: &Workload, mended: &Mended) -> Verdict {
    let (resource, name) = (&change.resource, &change.name);
    let namespace = change.namespace.as_deref().unwrap_or_default();
    let worst = mended.worst;
    let count = u64::try_from(mended.flaws.len()).unwrap_or(u64::MAX);
    let rules: BTreeSet<&str> = mended.flaws.iter().map(|flaw| flaw.rule.name()).collect();
    let word = |gap: &str, word: &str| (gap.to_owned(), word.to_owned());
    Verdict::Verified(Box::new(Finding {
        action_type: ActionType::Fix,
        category: match worst.area() {
            Area::Security => Category::Security,
            Area::Reliability => Category::Reliability,
        },
        subcategory: Some(worst.name().to_owned()),
        template: if count > 1 { "several" } else { "one" }.to_owned(),
        numbers: (count > 1)
            .then(|| ("flaws".to_owned(), count))
            .into_iter()
            .collect(),
        words: BTreeMap::from([
            word("workload", workload.word),
            word("area", worst.area().word()),
            word("severity", worst.severity().word()),
        ]),
        hints: Hints {
            complexity: match worst.severity() {
                Severity::High => Complexity::High,
                Severity::Medium => Complexity::Medium,
                Severity::Low => Complexity::Low,
            },
            impact_radius: 1,
            artifacts_touched: 1,
            time_spent_seconds: None,
        },
        outcome: OutcomeStatus::Success,
        evidence: json!({
            "mended": rules,
            "name": name,
            "namespace": namespace,
            "resource": resource,
            "since": change.after.since,
            "uid": change.uid,
        })
        .to_string()
        .into_bytes(),
        actor: Actor {
            who: Who::OnCall,
            kind: ActorType::Human,
        },
        dedupe_key: format!("{resource} {namespace}/{name} {}", worst.name()).into_bytes(),
        finished_at: change.after.since,
    }))
}

#[cfg(test)]
mod tests;
