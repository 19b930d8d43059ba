//! What a plugin says of itself, once.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::resource::{BadResource, KubernetesResource};
use crate::template::{BadTemplate, Template, is_slug};
use crate::wire::v1::Category;

/// Templates, subcategories, categories and sources that one plugin may declare of each.
pub const DECLARED_MAX: usize = 64;

/// Bytes of the settings' schema.
pub const SCHEMA_BYTES_MAX: usize = 16 * 1024;

/// The plugin's declaration. Nothing outside it can get into a proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// `owner/name`.
    pub plugin_id: String,
    /// Semantic version.
    pub version: String,
    /// One sentence for the operator.
    pub description: String,
    /// Every category a verdict may name.
    pub categories: Vec<Category>,
    /// What the plugin can read.
    pub sources: Vec<SourceRequirement>,
    /// Every sentence a verdict may name.
    pub templates: Vec<Template>,
    /// Every subcategory a verdict may name.
    pub subcategories: Vec<String>,
    /// JSON Schema (2020-12) of the operator's settings; `None` for a plugin that takes none.
    pub settings_schema: Option<Value>,
}

/// A type of source the plugin can read, and what it must be able to see there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRequirement {
    /// `github`, `gitea`, `alertmanager`, `file`, `kubernetes`.
    pub source_type: String,
    /// For the operator, for example `get alerts`.
    pub permissions: Vec<String>,
    /// What the agent watches; of type `kubernetes` at least one, of others none.
    pub resources: Vec<KubernetesResource>,
}

impl SourceRequirement {
    /// A requirement of any type but `kubernetes`.
    pub fn new(source_type: &str, permissions: &[&str]) -> Self {
        Self {
            source_type: source_type.to_owned(),
            permissions: permissions.iter().map(|&text| text.to_owned()).collect(),
            resources: Vec::new(),
        }
    }

    /// A requirement of objects of Kubernetes.
    pub fn kubernetes(resources: Vec<KubernetesResource>) -> Self {
        let permissions = resources
            .iter()
            .map(|resource| format!("list and watch {}", resource.resource));
        Self {
            source_type: KUBERNETES.to_owned(),
            permissions: permissions.collect(),
            resources,
        }
    }
}

/// The type of source whose requirements name resources.
pub const KUBERNETES: &str = "kubernetes";

/// A declaration that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDescription {
    /// The id is not `owner/name` in slugs.
    #[error("`{0}` is not a plugin id like farmops/git-pr-review")]
    Id(String),
    /// A sentence that cannot be used.
    #[error("template `{id}`: {source}")]
    Template {
        /// The template's id.
        id: String,
        /// The broken rule.
        source: BadTemplate,
    },
    /// Two templates of one id.
    #[error("template `{0}` is declared twice")]
    TwiceDeclared(String),
    /// No slug.
    #[error("subcategory `{0}` is not a slug of a-z, 0-9 and -")]
    Subcategory(String),
    /// Nothing that a verdict could name.
    #[error("no {0} declared")]
    Nothing(&'static str),
    /// A resource of Kubernetes that cannot be watched for a plugin.
    #[error("resource `{resource}`: {source}")]
    Resource {
        /// As declared.
        resource: String,
        /// The broken rule.
        source: BadResource,
    },
    /// Resources without Kubernetes, or the other way round.
    #[error("sources of type kubernetes name resources, and no others do")]
    ResourcesMisplaced,
    /// The schema is no JSON object, or larger than [`SCHEMA_BYTES_MAX`].
    #[error("the schema of the settings must be a JSON object of at most {SCHEMA_BYTES_MAX} bytes")]
    SettingsSchema,
    /// A list longer than [`DECLARED_MAX`].
    #[error("more than {DECLARED_MAX} {0}")]
    TooMany(&'static str),
}

impl Description {
    /// Holds the declaration against its rules.
    ///
    /// # Errors
    /// The first broken rule.
    pub fn check(&self) -> Result<(), BadDescription> {
        let halves = self.plugin_id.split_once('/');
        if !halves.is_some_and(|(owner, name)| is_slug(owner) && is_slug(name)) {
            return Err(BadDescription::Id(
                self.plugin_id.chars().take(80).collect(),
            ));
        }
        for (what, length, needed) in [
            ("categories", self.categories.len(), true),
            ("sources", self.sources.len(), true),
            ("templates", self.templates.len(), true),
            ("subcategories", self.subcategories.len(), false),
        ] {
            if length > DECLARED_MAX {
                return Err(BadDescription::TooMany(what));
            }
            if needed && length == 0 {
                return Err(BadDescription::Nothing(what));
            }
        }
        let mut ids = BTreeSet::new();
        for template in &self.templates {
            template
                .check()
                .map_err(|source| BadDescription::Template {
                    id: template.id.clone(),
                    source,
                })?;
            if !ids.insert(&template.id) {
                return Err(BadDescription::TwiceDeclared(template.id.clone()));
            }
        }
        self.check_resources()?;
        let schema = self.settings_schema.as_ref();
        if schema.is_some_and(|s| !s.is_object() || s.to_string().len() > SCHEMA_BYTES_MAX) {
            return Err(BadDescription::SettingsSchema);
        }
        match self.subcategories.iter().find(|word| !is_slug(word)) {
            Some(word) => Err(BadDescription::Subcategory(word.clone())),
            None => Ok(()),
        }
    }

    fn check_resources(&self) -> Result<(), BadDescription> {
        for source in &self.sources {
            if (source.source_type == KUBERNETES) == source.resources.is_empty() {
                return Err(BadDescription::ResourcesMisplaced);
            }
            if source.resources.len() > DECLARED_MAX {
                return Err(BadDescription::TooMany("resources"));
            }
            for resource in &source.resources {
                resource
                    .check()
                    .map_err(|source| BadDescription::Resource {
                        resource: resource.resource.chars().take(80).collect(),
                        source,
                    })?;
            }
        }
        Ok(())
    }

    /// Every resource of Kubernetes that the plugin declares.
    pub fn resources(&self) -> impl Iterator<Item = &KubernetesResource> {
        self.sources.iter().flat_map(|source| &source.resources)
    }

    /// The template with this id.
    pub fn template(&self, id: &str) -> Option<&Template> {
        self.templates.iter().find(|template| template.id == id)
    }

    /// Whether the plugin reads sources of this type.
    pub fn reads(&self, source_type: &str) -> bool {
        self.sources.iter().any(|s| s.source_type == source_type)
    }
}
