//! `{{owner}}/{{project-name}}`: a task that somebody finished.
//!
//! Reads records that a script appends to a file, one JSON object per line:
//! `{"event":"task-done","id":"42","by":"alice","minutes":25}`.

use std::collections::BTreeMap;

use farmops_plugin::{
    ActionType, Actor, ActorType, BadSettings, Category, Complexity, Description, Finding, Hints,
    Observation, OutcomeStatus, Plugin, SourceRequirement, Template, Verdict, Who, settings,
};
use serde::Deserialize;
use serde_json::Value;

/// The plugin. It keeps nothing but its settings: a verdict depends on them and the observation alone.
#[derive(Debug, Default)]
pub struct TaskDone {
    settings: Settings,
}

farmops_plugin::export!(TaskDone);

/// What the operator writes under `config`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// Shorter tasks do not count.
    minutes_min: u32,
}

/// One line of the file.
#[derive(Deserialize)]
struct Record {
    id: String,
    by: String,
    minutes: u64,
}

impl Plugin for TaskDone {
    fn describe(&self) -> Description {
        Description {
            plugin_id: "{{owner}}/{{project-name}}".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: "Rewards finished tasks.".to_owned(),
            categories: vec![Category::Toil],
            sources: vec![SourceRequirement::new("file", &["records of finished tasks"])],
            // All the text that can ever leave the machine. Names and numbers of tasks are not in it.
            templates: vec![
                Template::new("done", "Finished a {size} task").choice("size", &["small", "large"]),
            ],
            subcategories: vec!["task".to_owned()],
            settings_schema: Some(settings::schema([(
                "minutes_min",
                settings::whole(0, "Shorter tasks do not count."),
            )])),
        }
    }

    fn configure(&mut self, written: &Value) -> Result<(), BadSettings> {
        self.settings = settings::read(written)?;
        Ok(())
    }

    fn verify(&self, observation: &Observation) -> Verdict {
        if observation.event != "task-done" {
            return Verdict::rejected("not the end of a task");
        }
        let record: Record = match serde_json::from_slice(&observation.raw_data) {
            Ok(record) => record,
            Err(error) => return Verdict::Inconclusive(format!("not a record: {error}")),
        };
        if record.minutes < u64::from(self.settings.minutes_min) {
            return Verdict::rejected("too short to count");
        }
        let large = record.minutes >= 60;
        let size = if large { "large" } else { "small" };
        Verdict::Verified(Box::new(Finding {
            action_type: ActionType::Fix,
            category: Category::Toil,
            subcategory: Some("task".to_owned()),
            template: "done".to_owned(),
            numbers: BTreeMap::new(),
            words: BTreeMap::from([("size".to_owned(), size.to_owned())]),
            hints: Hints {
                complexity: if large { Complexity::Medium } else { Complexity::Low },
                impact_radius: 1,
                artifacts_touched: 1,
                time_spent_seconds: Some(record.minutes * 60),
            },
            outcome: OutcomeStatus::Success,
            // Stays here; the proof holds a salted hash of it.
            evidence: observation.raw_data.clone(),
            actor: Actor {
                who: Who::Identifier(record.by),
                kind: ActorType::Human,
            },
            // The same task told twice is one piece of work.
            dedupe_key: format!("task {}", record.id).into_bytes(),
            finished_at: observation.detected_at,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declaration_keeps_its_rules() {
        assert_eq!(TaskDone::default().describe().check(), Ok(()));
    }

    /// The files in `vectors`. `UPDATE=1 cargo test` writes the verdicts into them.
    #[test]
    fn recorded_observations_get_their_verdicts() {
        farmops_plugin::testing::run::<TaskDone>(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors"));
    }
}
