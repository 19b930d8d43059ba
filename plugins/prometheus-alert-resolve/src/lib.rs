//! `farmops/prometheus-alert-resolve`: an alert that fired, lasted, and ended.
//!
//! Reads what the agent's `alertmanager` sources report when an alert has ended, whether a webhook
//! said so or the poll noticed. One life of an alert, from one `startsAt` to its end, is one piece
//! of work, however often and by whichever way it is reported.
//!
//! Not rewarded: alerts that ended sooner than `min_firing_seconds` (nobody resolved those), alerts
//! that were silenced or inhibited, and the ones that are there to fire for ever (`severity: none`).

mod alert;
mod settings;

use std::collections::BTreeMap;

use farmops_plugin::{
    ActionType, Actor, ActorType, BadSettings, Category, Complexity, Description, Finding, Hints,
    Observation, OutcomeStatus, Plugin, SourceRequirement, Template, Verdict, Who,
};

use crate::alert::{EndedAlert, Severity};
use crate::settings::Settings;

/// The plugin; made with [`AlertResolve::default`].
#[derive(Debug, Default)]
pub struct AlertResolve {
    settings: Settings,
}

farmops_plugin::export!(AlertResolve);

impl Plugin for AlertResolve {
    fn describe(&self) -> Description {
        let severities = Severity::ALL.map(Severity::word);
        let template = |id, text| Template::new(id, text).choice("severity", &severities);
        Description {
            plugin_id: "farmops/prometheus-alert-resolve".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: "Rewards alerts of Alertmanager that fired and were resolved.".to_owned(),
            categories: vec![Category::Incident],
            sources: vec![SourceRequirement::new(
                "alertmanager",
                &["receive notifications", "get alerts"],
            )],
            templates: vec![
                template("quick", "Resolved a {severity} alert within two minutes"),
                template(
                    "minutes",
                    "Resolved a {severity} alert after {minutes} minutes",
                )
                .number("minutes", 999),
                template("hours", "Resolved a {severity} alert after {hours} hours")
                    .number("hours", 999),
                template(
                    "several",
                    "Resolved a {severity} alert that fired on {instances} instances",
                )
                .number("instances", 999),
            ],
            subcategories: vec!["alert".to_owned()],
            settings_schema: Some(Settings::schema()),
        }
    }

    fn configure(&mut self, settings: &serde_json::Value) -> Result<(), BadSettings> {
        self.settings = farmops_plugin::settings::read(settings)?;
        Ok(())
    }

    fn verify(&self, observation: &Observation) -> Verdict {
        if observation.source_type != "alertmanager" || observation.event != "alert.ended" {
            return Verdict::rejected("not the end of an alert");
        }
        match EndedAlert::parse(&observation.raw_data) {
            Ok(alert) => self.judge(&alert),
            Err(reason) => Verdict::Inconclusive(reason),
        }
    }
}

impl AlertResolve {
    fn judge(&self, alert: &EndedAlert) -> Verdict {
        if alert.suppressed {
            return Verdict::rejected("the alert was silenced or inhibited");
        }
        let label = |name: &str| alert.labels.get(name).map(String::as_str);
        let Some(severity) = Severity::of(label(&self.settings.severity_label)) else {
            return Verdict::rejected("an alert of severity none is not an incident");
        };
        let fired_seconds = alert.ends_at - alert.starts_at;
        if fired_seconds < i64::from(self.settings.min_firing_seconds) {
            return Verdict::rejected("the alert ended too soon for anyone to have resolved it");
        }
        let owner = self.settings.owner_label.as_deref().and_then(label);
        let (template, number) = sentence(alert.instances, fired_seconds);
        Verdict::Verified(Box::new(Finding {
            action_type: ActionType::Resolve,
            category: Category::Incident,
            subcategory: Some("alert".to_owned()),
            template: template.to_owned(),
            numbers: number
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .collect(),
            words: BTreeMap::from([("severity".to_owned(), severity.word().to_owned())]),
            hints: Hints {
                complexity: severity.complexity(),
                impact_radius: u32::try_from(alert.instances.clamp(1, 10)).unwrap_or(10),
                artifacts_touched: alert.instances.max(1),
                time_spent_seconds: None,
            },
            outcome: OutcomeStatus::Success,
            evidence: alert.evidence(),
            actor: Actor {
                who: owner.map_or(Who::OnCall, |name| Who::Identifier(name.to_owned())),
                kind: ActorType::Human,
            },
            dedupe_key: alert.life(),
            finished_at: alert.ends_at,
        }))
    }
}

/// Which sentence tells it, and the number in it. Numbers stay below 1,000 by their unit, so that
/// none can be a port, a year or a ticket.
fn sentence(instances: u64, fired_seconds: i64) -> (&'static str, Option<(&'static str, u64)>) {
    let minutes = u64::try_from(fired_seconds / 60).unwrap_or(0);
    match (instances, minutes) {
        (2.., _) => ("several", Some(("instances", instances))),
        (_, 0..2) => ("quick", None),
        (_, 2..1000) => ("minutes", Some(("minutes", minutes))),
        _ => ("hours", Some(("hours", minutes / 60))),
    }
}

impl Severity {
    fn complexity(self) -> Complexity {
        match self {
            Self::Critical => Complexity::High,
            Self::Warning => Complexity::Medium,
            Self::Minor => Complexity::Low,
        }
    }
}

#[cfg(test)]
mod tests;
