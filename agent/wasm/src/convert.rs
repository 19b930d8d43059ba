//! From the contract's types, as a component answers them, to those of the SDK.

use std::collections::BTreeMap;

use farmops_plugin::{
    ActionType, Actor, ActorType, Category, Complexity, Description, Finding, Hints,
    KubernetesResource, Observation, OutcomeStatus, Placeholder, SourceRequirement, Template,
    Verdict, Who,
};

use crate::fault::Fault;
use crate::wit::farmops::plugin::types as wit;

pub(crate) fn observation(observation: &Observation) -> wit::Observation {
    wit::Observation {
        observation_id: observation.id.clone(),
        source_type: observation.source_type.clone(),
        event: observation.event.clone(),
        raw_data: observation.raw_data.clone(),
        detected_at: observation.detected_at,
    }
}

pub(crate) fn description(description: wit::Description) -> Result<Description, Fault> {
    let schema = &description.settings_schema_json;
    let settings_schema = if schema.is_empty() {
        None
    } else {
        let schema = serde_json::from_slice(schema);
        Some(schema.map_err(|_| malformed("settings-schema-json is not JSON"))?)
    };
    let templates = description.templates.into_iter().map(template);
    Ok(Description {
        plugin_id: description.plugin_id,
        version: description.version,
        description: description.description,
        categories: description.categories.into_iter().map(category).collect(),
        sources: description
            .source_requirements
            .into_iter()
            .map(source)
            .collect(),
        templates: templates.collect::<Result<_, _>>()?,
        subcategories: description.subcategories,
        settings_schema,
    })
}

fn source(source: wit::SourceRequirement) -> SourceRequirement {
    let resources = source
        .resources
        .into_iter()
        .map(|resource| KubernetesResource {
            resource: resource.resource,
            fields: resource.fields,
            settle_seconds: resource.settle_seconds,
            optional: resource.optional,
        });
    SourceRequirement {
        source_type: source.source_type,
        permissions: source.permissions,
        resources: resources.collect(),
    }
}

fn template(template: wit::Template) -> Result<Template, Fault> {
    let placeholders = template.placeholders.into_iter().map(|placeholder| {
        let kind = match placeholder.kind {
            wit::PlaceholderKind::Number(max) => Placeholder::Number { max },
            wit::PlaceholderKind::Choice(words) => Placeholder::Choice(words),
        };
        (placeholder.name, kind)
    });
    Ok(Template {
        id: template.id,
        text: template.text,
        placeholders: map("placeholders", placeholders)?,
    })
}

pub(crate) fn verdict(verdict: wit::Verdict) -> Result<Verdict, Fault> {
    Ok(match verdict {
        wit::Verdict::Rejected(reason) => Verdict::Rejected(reason),
        wit::Verdict::Inconclusive(reason) => Verdict::Inconclusive(reason),
        wit::Verdict::Verified(finding) => Verdict::Verified(Box::new(self::finding(finding)?)),
    })
}

fn finding(finding: wit::Finding) -> Result<Finding, Fault> {
    if finding.dedupe_key.is_empty() {
        return Err(malformed("dedupe-key is empty"));
    }
    let hints = finding.scoring_hints;
    Ok(Finding {
        action_type: action_type(finding.action_type),
        category: category(finding.category),
        subcategory: finding.subcategory.filter(|word| !word.is_empty()),
        template: finding.template_id,
        numbers: map("numbers", finding.numbers)?,
        words: map("words", finding.words)?,
        hints: Hints {
            complexity: match hints.complexity {
                wit::Complexity::Low => Complexity::Low,
                wit::Complexity::Medium => Complexity::Medium,
                wit::Complexity::High => Complexity::High,
            },
            impact_radius: hints.impact_radius,
            artifacts_touched: hints.artifacts_touched,
            time_spent_seconds: hints.time_spent_seconds,
        },
        outcome: match finding.outcome {
            wit::OutcomeStatus::Success => OutcomeStatus::Success,
            wit::OutcomeStatus::Failure => OutcomeStatus::Failure,
            wit::OutcomeStatus::Partial => OutcomeStatus::Partial,
        },
        evidence: finding.evidence,
        actor: Actor {
            who: match finding.actor.who {
                wit::Who::Identifier(name) => Who::Identifier(name),
                wit::Who::OnCall => Who::OnCall,
            },
            kind: match finding.actor.type_ {
                wit::ActorType::Human => ActorType::Human,
                wit::ActorType::Bot => ActorType::Bot,
                wit::ActorType::System => ActorType::System,
            },
        },
        dedupe_key: finding.dedupe_key,
        finished_at: finding.finished_at,
    })
}

const fn action_type(action: wit::ActionType) -> ActionType {
    match action {
        wit::ActionType::Verify => ActionType::Verify,
        wit::ActionType::Fix => ActionType::Fix,
        wit::ActionType::Upgrade => ActionType::Upgrade,
        wit::ActionType::Deploy => ActionType::Deploy,
        wit::ActionType::Resolve => ActionType::Resolve,
        wit::ActionType::Review => ActionType::Review,
        wit::ActionType::Configure => ActionType::Configure,
        wit::ActionType::Observe => ActionType::Observe,
    }
}

const fn category(category: wit::Category) -> Category {
    match category {
        wit::Category::Maintenance => Category::Maintenance,
        wit::Category::Toil => Category::Toil,
        wit::Category::Reliability => Category::Reliability,
        wit::Category::Security => Category::Security,
        wit::Category::Incident => Category::Incident,
        wit::Category::Upgrade => Category::Upgrade,
    }
}

/// A map; the contract's lists of pairs name nothing twice.
fn map<T>(
    what: &str,
    pairs: impl IntoIterator<Item = (String, T)>,
) -> Result<BTreeMap<String, T>, Fault> {
    let mut map = BTreeMap::new();
    for (name, value) in pairs {
        if map.insert(name, value).is_some() {
            return Err(malformed(&format!("{what} names something twice")));
        }
    }
    Ok(map)
}

fn malformed(what: &str) -> Fault {
    Fault::Malformed(what.to_owned())
}
