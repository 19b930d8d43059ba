//! Between the types of this crate and the messages they travel as.

use prost_types::Timestamp;

use crate::description::{Description, SourceRequirement};
use crate::observation::Observation;
use crate::resource::KubernetesResource;
use crate::template::{Placeholder, Template};
use crate::verdict::{Actor, Finding, Hints, Verdict, Who};
use crate::wire::v1 as wire;

/// A message that lacks something or holds an unknown word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is missing or has an unknown value")]
pub struct Malformed {
    /// The field, as the contract names it.
    pub field: &'static str,
}

const fn malformed(field: &'static str) -> Malformed {
    Malformed { field }
}

fn seconds(second: i64) -> Timestamp {
    Timestamp {
        seconds: second,
        nanos: 0,
    }
}

impl From<Observation> for wire::VerifyRequest {
    fn from(observation: Observation) -> Self {
        Self {
            observation_id: observation.id,
            source_type: observation.source_type,
            event: observation.event,
            raw_data: observation.raw_data,
            detected_at: Some(seconds(observation.detected_at)),
        }
    }
}

impl TryFrom<wire::VerifyRequest> for Observation {
    type Error = Malformed;

    fn try_from(request: wire::VerifyRequest) -> Result<Self, Malformed> {
        let detected_at = request.detected_at.ok_or(malformed("detected_at"))?;
        Ok(Self {
            id: request.observation_id,
            source_type: request.source_type,
            event: request.event,
            raw_data: request.raw_data,
            detected_at: detected_at.seconds,
        })
    }
}

impl From<Description> for wire::DescribeResponse {
    fn from(description: Description) -> Self {
        Self {
            plugin_id: description.plugin_id,
            version: description.version,
            description: description.description,
            categories: description.categories.iter().map(|&c| c.into()).collect(),
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

impl TryFrom<wire::DescribeResponse> for Description {
    type Error = Malformed;

    fn try_from(response: wire::DescribeResponse) -> Result<Self, Malformed> {
        let categories: Option<Vec<_>> = response
            .categories
            .iter()
            .map(|&number| known::<wire::Category>(number))
            .collect();
        let templates: Result<Vec<_>, _> = response
            .templates
            .into_iter()
            .map(TryInto::try_into)
            .collect();
        Ok(Self {
            plugin_id: response.plugin_id,
            version: response.version,
            description: response.description,
            categories: categories.ok_or(malformed("categories"))?,
            sources: response
                .source_requirements
                .into_iter()
                .map(Into::into)
                .collect(),
            templates: templates?,
            subcategories: response.subcategories,
            settings_schema: read_schema(&response.settings_schema_json)?,
        })
    }
}

/// No bytes are no schema.
fn read_schema(bytes: &[u8]) -> Result<Option<serde_json::Value>, Malformed> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let schema = serde_json::from_slice(bytes).map_err(|_| malformed("settings_schema_json"))?;
    Ok(Some(schema))
}

impl From<SourceRequirement> for wire::SourceRequirement {
    fn from(source: SourceRequirement) -> Self {
        let resources = source.resources.into_iter();
        Self {
            source_type: source.source_type,
            permissions: source.permissions,
            resources: resources
                .map(|resource| wire::KubernetesResource {
                    resource: resource.resource,
                    fields: resource.fields,
                    settle_seconds: resource.settle_seconds,
                    optional: resource.optional,
                })
                .collect(),
        }
    }
}

impl From<wire::SourceRequirement> for SourceRequirement {
    fn from(source: wire::SourceRequirement) -> Self {
        let resources = source.resources.into_iter();
        Self {
            source_type: source.source_type,
            permissions: source.permissions,
            resources: resources
                .map(|resource| KubernetesResource {
                    resource: resource.resource,
                    fields: resource.fields,
                    settle_seconds: resource.settle_seconds,
                    optional: resource.optional,
                })
                .collect(),
        }
    }
}

impl From<Template> for wire::Template {
    fn from(template: Template) -> Self {
        let placeholders = template
            .placeholders
            .into_iter()
            .map(|(name, placeholder)| wire::Placeholder {
                name,
                kind: Some(match placeholder {
                    Placeholder::Number { max } => {
                        wire::placeholder::Kind::Number(wire::Number { max })
                    }
                    Placeholder::Choice(words) => {
                        wire::placeholder::Kind::Choice(wire::Choice { words })
                    }
                }),
            })
            .collect();
        Self {
            id: template.id,
            text: template.text,
            placeholders,
        }
    }
}

impl TryFrom<wire::Template> for Template {
    type Error = Malformed;

    fn try_from(template: wire::Template) -> Result<Self, Malformed> {
        let placeholders = template.placeholders.into_iter().map(|placeholder| {
            let kind = match placeholder.kind.ok_or(malformed("placeholders.kind"))? {
                wire::placeholder::Kind::Number(number) => Placeholder::Number { max: number.max },
                wire::placeholder::Kind::Choice(choice) => Placeholder::Choice(choice.words),
            };
            Ok((placeholder.name, kind))
        });
        Ok(Self {
            id: template.id,
            text: template.text,
            placeholders: placeholders.collect::<Result<_, Malformed>>()?,
        })
    }
}

impl From<Verdict> for wire::VerifyResponse {
    fn from(verdict: Verdict) -> Self {
        let without_finding = |verdict: wire::Verdict, reason| Self {
            verdict: verdict.into(),
            reason,
            ..Self::default()
        };
        match verdict {
            Verdict::Rejected(reason) => without_finding(wire::Verdict::Rejected, reason),
            Verdict::Inconclusive(reason) => without_finding(wire::Verdict::Inconclusive, reason),
            Verdict::Verified(finding) => (*finding).into(),
        }
    }
}

impl From<Finding> for wire::VerifyResponse {
    fn from(finding: Finding) -> Self {
        let hints = finding.hints;
        Self {
            verdict: wire::Verdict::Verified.into(),
            reason: String::new(),
            action_type: finding.action_type.into(),
            category: finding.category.into(),
            subcategory: finding.subcategory.unwrap_or_default(),
            template_id: finding.template,
            numbers: finding.numbers.into_iter().collect(),
            words: finding.words.into_iter().collect(),
            scoring_hints: Some(wire::ScoringHints {
                complexity: hints.complexity.into(),
                impact_radius: hints.impact_radius,
                artifacts_touched: hints.artifacts_touched,
                time_spent_seconds: hints.time_spent_seconds,
            }),
            outcome: finding.outcome.into(),
            evidence: finding.evidence,
            actor: Some(wire::Actor {
                who: Some(match finding.actor.who {
                    Who::Identifier(name) => wire::actor::Who::Identifier(name),
                    Who::OnCall => wire::actor::Who::OnCall(wire::OnCall {}),
                }),
                r#type: finding.actor.kind.into(),
            }),
            dedupe_key: finding.dedupe_key,
            finished_at: Some(seconds(finding.finished_at)),
        }
    }
}

impl TryFrom<wire::VerifyResponse> for Verdict {
    type Error = Malformed;

    fn try_from(response: wire::VerifyResponse) -> Result<Self, Malformed> {
        match known::<wire::Verdict>(response.verdict).ok_or(malformed("verdict"))? {
            wire::Verdict::Rejected => Ok(Self::Rejected(response.reason)),
            wire::Verdict::Inconclusive => Ok(Self::Inconclusive(response.reason)),
            wire::Verdict::Verified => Ok(Self::Verified(Box::new(response.try_into()?))),
            wire::Verdict::Unspecified => Err(malformed("verdict")),
        }
    }
}

impl TryFrom<wire::VerifyResponse> for Finding {
    type Error = Malformed;

    fn try_from(response: wire::VerifyResponse) -> Result<Self, Malformed> {
        let hints = response.scoring_hints.ok_or(malformed("scoring_hints"))?;
        let actor = response.actor.ok_or(malformed("actor"))?;
        let finished_at = response.finished_at.ok_or(malformed("finished_at"))?;
        if response.dedupe_key.is_empty() {
            return Err(malformed("dedupe_key"));
        }
        Ok(Self {
            action_type: known(response.action_type).ok_or(malformed("action_type"))?,
            category: known(response.category).ok_or(malformed("category"))?,
            subcategory: Some(response.subcategory).filter(|word| !word.is_empty()),
            template: response.template_id,
            numbers: response.numbers.into_iter().collect(),
            words: response.words.into_iter().collect(),
            hints: Hints {
                complexity: known(hints.complexity).ok_or(malformed("scoring_hints.complexity"))?,
                impact_radius: hints.impact_radius,
                artifacts_touched: hints.artifacts_touched,
                time_spent_seconds: hints.time_spent_seconds,
            },
            outcome: known(response.outcome).ok_or(malformed("outcome"))?,
            evidence: response.evidence,
            actor: Actor {
                who: match actor.who.ok_or(malformed("actor.who"))? {
                    wire::actor::Who::Identifier(name) => Who::Identifier(name),
                    wire::actor::Who::OnCall(wire::OnCall {}) => Who::OnCall,
                },
                kind: known(actor.r#type).ok_or(malformed("actor.type"))?,
            },
            dedupe_key: response.dedupe_key,
            finished_at: finished_at.seconds,
        })
    }
}

/// The word behind a number; 0 is "not said" in every list of the contract.
fn known<T: TryFrom<i32>>(number: i32) -> Option<T> {
    if number == 0 {
        return None;
    }
    T::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use super::*;

    fn finding() -> Finding {
        Finding {
            action_type: wire::ActionType::Resolve,
            category: wire::Category::Incident,
            subcategory: Some("alert".to_owned()),
            template: "resolved".to_owned(),
            numbers: BTreeMap::from([("minutes".to_owned(), 7)]),
            words: BTreeMap::from([("severity".to_owned(), "critical".to_owned())]),
            hints: Hints {
                complexity: wire::Complexity::High,
                impact_radius: 3,
                artifacts_touched: 3,
                time_spent_seconds: None,
            },
            outcome: wire::OutcomeStatus::Success,
            evidence: b"{}".to_vec(),
            actor: Actor {
                who: Who::OnCall,
                kind: wire::ActorType::Human,
            },
            dedupe_key: b"k".to_vec(),
            finished_at: 1_771_666_200,
        }
    }

    #[test]
    fn a_verdict_survives_the_wire() {
        for verdict in [
            Verdict::Verified(Box::new(finding())),
            Verdict::rejected("no"),
            Verdict::Inconclusive("hm".to_owned()),
        ] {
            let sent = wire::VerifyResponse::from(verdict.clone());
            assert_eq!(Verdict::try_from(sent).unwrap(), verdict);
        }
    }

    #[test]
    fn a_verdict_that_leaves_something_out_is_named() {
        let mut sent = wire::VerifyResponse::from(finding());
        sent.category = 0;
        assert_eq!(Verdict::try_from(sent), Err(malformed("category")));
        let mut sent = wire::VerifyResponse::from(finding());
        sent.dedupe_key.clear();
        assert_eq!(Verdict::try_from(sent), Err(malformed("dedupe_key")));
        let silent = wire::VerifyResponse::default();
        assert_eq!(Verdict::try_from(silent), Err(malformed("verdict")));
    }
}
