//! The plugin as a WebAssembly component: the world of `protocol-spec/wit`, exported by [`crate::export!`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::description::{Description, SourceRequirement};
use crate::template::{Placeholder, Template};
use crate::verdict::{Finding, Verdict, Who};
use crate::{ActionType, ActorType, Category, Complexity, Observation, OutcomeStatus, Plugin};

/// The Rust of `protocol-spec/wit`, plugin side.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../../protocol-spec/wit",
        world: "farmops:plugin/plugin",
        pub_export_macro: true,
        default_bindings_module: "farmops_plugin::component::bindings",
    });
}

use bindings::farmops::plugin::types as wit;

/// The plugin of one instance. An instance answers one call, or settings and one call.
pub struct State<P>(Mutex<Option<P>>);

impl<P: Plugin + Default> State<P> {
    /// Before anything was asked.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    fn plugin(&self) -> MutexGuard<'_, Option<P>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the world's `describe` answers.
    pub fn describe(&self) -> wit::Description {
        let mut plugin = self.plugin();
        plugin.get_or_insert_default().describe().into()
    }

    /// What the world's `configure-sources` answers.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn configure(
        &self,
        granted: Vec<wit::Source>,
        settings_json: &[u8],
    ) -> Result<Vec<String>, String> {
        let settings =
            serde_json::from_slice(settings_json).map_err(|e| format!("settings: {e}"))?;
        let mut plugin = self.plugin();
        let plugin = plugin.get_or_insert_default();
        plugin
            .configure(&settings)
            .map_err(|error| error.to_string())?;
        let description = plugin.describe();
        let wanted = granted
            .into_iter()
            .filter(|source| description.reads(&source.source_type));
        Ok(wanted.map(|source| source.name).collect())
    }

    /// What the world's `verify` answers.
    pub fn verify(&self, observation: wit::Observation) -> wit::Verdict {
        let mut plugin = self.plugin();
        let observation = Observation {
            id: observation.observation_id,
            source_type: observation.source_type,
            event: observation.event,
            raw_data: observation.raw_data,
            detected_at: observation.detected_at,
        };
        plugin.get_or_insert_default().verify(&observation).into()
    }
}

impl<P: Plugin + Default> Default for State<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Description> for wit::Description {
    fn from(description: Description) -> Self {
        let categories = description.categories.into_iter().map(category);
        Self {
            plugin_id: description.plugin_id,
            version: description.version,
            description: description.description,
            categories: categories.collect(),
            source_requirements: description.sources.into_iter().map(Into::into).collect(),
            templates: description.templates.into_iter().map(Into::into).collect(),
            subcategories: description.subcategories,
            settings_schema_json: description
                .settings_schema
                .map(|schema| schema.to_string().into_bytes())
                .unwrap_or_default(),
        }
    }
}

impl From<SourceRequirement> for wit::SourceRequirement {
    fn from(source: SourceRequirement) -> Self {
        let resources = source
            .resources
            .into_iter()
            .map(|resource| wit::KubernetesResource {
                resource: resource.resource,
                fields: resource.fields,
                settle_seconds: resource.settle_seconds,
                optional: resource.optional,
            });
        Self {
            source_type: source.source_type,
            permissions: source.permissions,
            resources: resources.collect(),
        }
    }
}

impl From<Template> for wit::Template {
    fn from(template: Template) -> Self {
        let placeholders = template
            .placeholders
            .into_iter()
            .map(|(name, placeholder)| wit::Placeholder {
                name,
                kind: match placeholder {
                    Placeholder::Number { max } => wit::PlaceholderKind::Number(max),
                    Placeholder::Choice(words) => wit::PlaceholderKind::Choice(words),
                },
            });
        Self {
            id: template.id,
            text: template.text,
            placeholders: placeholders.collect(),
        }
    }
}

impl From<Verdict> for wit::Verdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Rejected(reason) => Self::Rejected(reason),
            Verdict::Inconclusive(reason) => Self::Inconclusive(reason),
            Verdict::Verified(finding) => Self::Verified((*finding).into()),
        }
    }
}

impl From<Finding> for wit::Finding {
    fn from(finding: Finding) -> Self {
        Self {
            action_type: action_type(finding.action_type),
            category: category(finding.category),
            subcategory: finding.subcategory,
            template_id: finding.template,
            numbers: finding.numbers.into_iter().collect(),
            words: finding.words.into_iter().collect(),
            scoring_hints: wit::ScoringHints {
                complexity: match finding.hints.complexity {
                    Complexity::Low => wit::Complexity::Low,
                    Complexity::Medium => wit::Complexity::Medium,
                    Complexity::High => wit::Complexity::High,
                    Complexity::Unspecified => unsaid("complexity"),
                },
                impact_radius: finding.hints.impact_radius,
                artifacts_touched: finding.hints.artifacts_touched,
                time_spent_seconds: finding.hints.time_spent_seconds,
            },
            outcome: match finding.outcome {
                OutcomeStatus::Success => wit::OutcomeStatus::Success,
                OutcomeStatus::Failure => wit::OutcomeStatus::Failure,
                OutcomeStatus::Partial => wit::OutcomeStatus::Partial,
                OutcomeStatus::Unspecified => unsaid("outcome"),
            },
            evidence: finding.evidence,
            actor: wit::Actor {
                who: match finding.actor.who {
                    Who::Identifier(name) => wit::Who::Identifier(name),
                    Who::OnCall => wit::Who::OnCall,
                },
                type_: match finding.actor.kind {
                    ActorType::Human => wit::ActorType::Human,
                    ActorType::Bot => wit::ActorType::Bot,
                    ActorType::System => wit::ActorType::System,
                    ActorType::Unspecified => unsaid("actor.type"),
                },
            },
            dedupe_key: finding.dedupe_key,
            finished_at: finding.finished_at,
        }
    }
}

fn action_type(action: ActionType) -> wit::ActionType {
    match action {
        ActionType::Verify => wit::ActionType::Verify,
        ActionType::Fix => wit::ActionType::Fix,
        ActionType::Upgrade => wit::ActionType::Upgrade,
        ActionType::Deploy => wit::ActionType::Deploy,
        ActionType::Resolve => wit::ActionType::Resolve,
        ActionType::Review => wit::ActionType::Review,
        ActionType::Configure => wit::ActionType::Configure,
        ActionType::Observe => wit::ActionType::Observe,
        ActionType::Unspecified => unsaid("action_type"),
    }
}

fn category(category: Category) -> wit::Category {
    match category {
        Category::Maintenance => wit::Category::Maintenance,
        Category::Toil => wit::Category::Toil,
        Category::Reliability => wit::Category::Reliability,
        Category::Security => wit::Category::Security,
        Category::Incident => wit::Category::Incident,
        Category::Upgrade => wit::Category::Upgrade,
        Category::Unspecified => unsaid("category"),
    }
}

/// The contract of components has no word for "not said"; as a process the agent refuses it.
fn unsaid(field: &str) -> ! {
    panic!("the plugin leaves `{field}` unsaid")
}
