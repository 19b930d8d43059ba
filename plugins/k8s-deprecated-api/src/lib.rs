//! `farmops/k8s-deprecated-api`: an object that nobody writes through a deprecated API version any more.
//!
//! The API server notes in `metadata.managedFields` who wrote an object and through which version. Rewarded
//! is an object of which a person's tool had written through a version of the table in
//! `deprecations.json`, and no tool has now, while one writes it through another version.
//! `RULES.md` beside this crate has every rule and its reason.

mod manager;
mod settings;
mod table;

use std::collections::BTreeMap;

use farmops_plugin::{
    ActionType, Actor, ActorType, BadSettings, Category, Change, Complexity, Description, Finding,
    Hints, KubernetesResource, Observation, OutcomeStatus, Plugin, SourceRequirement, Template,
    Verdict, Who,
};
use serde_json::json;

use crate::manager::{Written, written};
use crate::settings::Settings;
use crate::table::{AREAS, Fate, RESOURCES, Resource, Version};

/// How long the new writing must stay: a tool of last year that runs once more takes it back.
const SETTLE_SECONDS: u32 = 900;

const FIELDS: &[&str] = &[
    "metadata.managedFields[].apiVersion",
    "metadata.managedFields[].manager",
    "metadata.managedFields[].subresource",
];

/// The plugin; made with [`DeprecatedApi::default`].
#[derive(Debug, Default)]
pub struct DeprecatedApi {
    settings: Settings,
}

farmops_plugin::export!(DeprecatedApi);

impl Plugin for DeprecatedApi {
    fn describe(&self) -> Description {
        let watched = RESOURCES.iter().filter(|row| row.unwatched.is_none());
        let resources = watched.map(|row| {
            KubernetesResource::new(&row.name, FIELDS)
                .settle_seconds(SETTLE_SECONDS)
                .optional()
        });
        let mut areas: Vec<&str> = AREAS.iter().map(|(_, area)| *area).collect();
        areas.sort_unstable();
        areas.dedup();
        Description {
            plugin_id: "farmops/k8s-deprecated-api".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description:
                "Rewards objects that are no longer written through a deprecated API version."
                    .to_owned(),
            categories: vec![Category::Upgrade],
            sources: vec![SourceRequirement::kubernetes(resources.collect())],
            templates: vec![
                Template::new(
                    "moved",
                    "Moved one {area} object off an API version that Kubernetes 1.{minor} {fate}",
                )
                .choice("area", &areas)
                .number("minor", 999)
                .choice("fate", &Fate::ALL.map(Fate::word)),
            ],
            subcategories: Fate::ALL.map(|fate| fate.word().to_owned()).to_vec(),
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
        let watched = RESOURCES.iter().filter(|row| row.unwatched.is_none());
        let mut of_table = watched.filter(|row| row.name == change.resource);
        let Some(row) = of_table.next() else {
            return Verdict::rejected("no version of it is deprecated");
        };
        match self.judge(&change, row) {
            Ok(version) => told(&change, row, version),
            Err(reason) => Verdict::rejected(reason),
        }
    }
}

impl DeprecatedApi {
    /// The version that the object was moved off.
    fn judge<'row>(
        &self,
        change: &Change,
        row: &'row Resource,
    ) -> Result<&'row Version, &'static str> {
        let entries =
            |seen| -> Vec<Written<'_>> { written(seen, &self.settings.ignored_managers).collect() };
        let (before, after) = (entries(&change.before), entries(&change.after));
        let old = |entry: &Written<'_>| row.deprecated(entry.api_version);
        let Some(left) = before.iter().filter_map(old).min() else {
            return Err("it was not written through a deprecated version");
        };
        if after.iter().any(|entry| old(entry).is_some()) {
            return Err("it still is written through a deprecated version");
        }
        // The API server forgets entries of versions that it no longer serves; that is nobody's work.
        let moved = |entry: &&Written<'_>| {
            let of_mover = |was: &Written<'_>| old(was).is_some() && was.manager == entry.manager;
            !before.contains(entry) || before.iter().any(of_mover)
        };
        if !after.iter().any(|entry| moved(&entry)) {
            return Err("nobody has written it through another version");
        }
        if change.age_seconds() < i64::from(self.settings.min_age_hours) * 3600 {
            return Err("the object is too young");
        }
        Ok(left)
    }
}

fn told(change: &Change, row: &Resource, version: &Version) -> Verdict {
    let (fate, minor) = version.fate();
    let (resource, name) = (&change.resource, &change.name);
    let namespace = change.namespace.as_deref().unwrap_or_default();
    Verdict::Verified(Box::new(Finding {
        action_type: ActionType::Upgrade,
        category: Category::Upgrade,
        subcategory: Some(fate.word().to_owned()),
        template: "moved".to_owned(),
        numbers: BTreeMap::from([("minor".to_owned(), u64::from(minor))]),
        words: BTreeMap::from([
            ("area".to_owned(), row.area().to_owned()),
            ("fate".to_owned(), fate.word().to_owned()),
        ]),
        hints: Hints {
            complexity: match fate {
                Fate::Removed => Complexity::Medium,
                Fate::Deprecated => Complexity::Low,
            },
            impact_radius: 1,
            artifacts_touched: 1,
            time_spent_seconds: None,
        },
        outcome: OutcomeStatus::Success,
        evidence: json!({
            "left": version.name,
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
        dedupe_key: format!("{resource} {namespace}/{name} {}", version.name).into_bytes(),
        finished_at: change.after.since,
    }))
}

#[cfg(test)]
mod tests;
