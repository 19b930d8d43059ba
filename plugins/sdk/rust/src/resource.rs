//! Objects of Kubernetes that the agent watches for a plugin, and what it keeps of them.

use std::collections::BTreeSet;

/// Paths that one resource may declare.
pub const FIELDS_MAX: usize = 64;
/// Bytes of one path.
const FIELD_BYTES_MAX: usize = 200;
/// Longest time that new values may be asked to stay.
pub const SETTLE_SECONDS_MAX: u32 = 3600;

/// A kind of object and the fields of it that the agent keeps (PLUGIN-KUBE-001, PLUGIN-KUBE-002).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesResource {
    /// `deployments.apps`; in the core group the plural alone.
    pub resource: String,
    /// Paths such as `status.conditions[type=Available]` or `spec.containers[].image`.
    pub fields: Vec<String>,
    /// How long new values must stay before they count, in seconds.
    pub settle_seconds: u32,
    /// Whether the plugin can do without it.
    pub optional: bool,
}

/// A resource that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadResource {
    /// Not `plural.group`.
    #[error("a resource is written like deployments.apps, in the core group like pods")]
    Name,
    /// Secrets are never read.
    #[error("secrets are never read")]
    Secrets,
    /// No field, or more than [`FIELDS_MAX`], or one twice.
    #[error("1 to {FIELDS_MAX} different fields are declared")]
    Fields,
    /// A path that cannot be read.
    #[error("`{0}` is not a path like status.conditions[type=Available]")]
    Path(String),
    /// A wait that is too long.
    #[error("settle_seconds is at most {SETTLE_SECONDS_MAX}")]
    Settle,
}

impl KubernetesResource {
    /// Objects of `resource`, of which `fields` are kept, and whose changes count at once.
    pub fn new(resource: &str, fields: &[&str]) -> Self {
        Self {
            resource: resource.to_owned(),
            fields: fields.iter().map(|&field| field.to_owned()).collect(),
            settle_seconds: 0,
            optional: false,
        }
    }

    /// New values count once they have stayed this long.
    #[must_use]
    pub fn settle_seconds(mut self, seconds: u32) -> Self {
        self.settle_seconds = seconds;
        self
    }

    /// The plugin can do without it.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Holds the declaration against its rules.
    ///
    /// # Errors
    /// The first broken rule.
    pub fn check(&self) -> Result<(), BadResource> {
        let (plural, group) = self
            .resource
            .split_once('.')
            .map_or((self.resource.as_str(), None), |(p, g)| (p, Some(g)));
        let named = is_label(plural) && group.is_none_or(|group| group.split('.').all(is_label));
        if !named || self.resource.len() > 253 {
            return Err(BadResource::Name);
        }
        if plural == "secrets" && group.is_none() {
            return Err(BadResource::Secrets);
        }
        let different: BTreeSet<&String> = self.fields.iter().collect();
        if !(1..=FIELDS_MAX).contains(&self.fields.len()) || different.len() != self.fields.len() {
            return Err(BadResource::Fields);
        }
        if let Some(field) = self.fields.iter().find(|field| path(field).is_none()) {
            return Err(BadResource::Path(field.chars().take(80).collect()));
        }
        if self.settle_seconds > SETTLE_SECONDS_MAX {
            return Err(BadResource::Settle);
        }
        Ok(())
    }
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into the member of this name.
    Member(String),
    /// Into every member.
    EveryMember,
    /// Into every element of a list.
    EveryElement,
    /// Into the elements whose member `key` is the string `value`.
    Elements {
        /// The member.
        key: String,
        /// Its value.
        value: String,
    },
}

/// The steps of a path; `None` when it breaks the grammar.
pub fn path(text: &str) -> Option<Vec<Step>> {
    if text.len() > FIELD_BYTES_MAX {
        return None;
    }
    let mut steps = Vec::new();
    for part in text.split('.') {
        let (name, selector) = match part.split_once('[') {
            Some((name, rest)) => (name, Some(rest.strip_suffix(']')?)),
            None => (part, None),
        };
        steps.push(match name {
            "*" => Step::EveryMember,
            name if is_word(name) => Step::Member(name.to_owned()),
            _ => return None,
        });
        match selector.map(|selector| (selector, selector.split_once('='))) {
            None => {}
            Some(("", _)) => steps.push(Step::EveryElement),
            Some((_, Some((key, value)))) if is_word(key) && is_word(value) => {
                steps.push(Step::Elements {
                    key: key.to_owned(),
                    value: value.to_owned(),
                });
            }
            Some(_) => return None,
        }
    }
    Some(steps)
}

fn is_word(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !text.is_empty() && text.bytes().all(plain)
}

/// A label of a DNS name (RFC 1123).
fn is_label(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(plain)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(resource: &str, fields: &[&str]) -> Result<(), BadResource> {
        KubernetesResource::new(resource, fields).check()
    }

    #[test]
    fn resources_and_paths_of_real_use_are_fine() {
        for resource in ["pods", "deployments.apps", "certificates.cert-manager.io"] {
            let fields = [
                "spec.replicas",
                "status.conditions[type=Available]",
                "spec.template.spec.containers[].securityContext",
                "metadata.labels.*",
            ];
            assert_eq!(checked(resource, &fields), Ok(()), "{resource}");
        }
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        for name in ["", "Pods", "pods.", ".apps", "pods/status", "*", "*.*"] {
            assert_eq!(checked(name, &["spec"]), Err(BadResource::Name), "{name}");
        }
        assert_eq!(checked("secrets", &["type"]), Err(BadResource::Secrets));
        assert_eq!(checked("pods", &[]), Err(BadResource::Fields));
        assert_eq!(checked("pods", &["spec", "spec"]), Err(BadResource::Fields));
        for path in ["", "a..b", "a[", "a[b]", "a[=c]", "a[b=]", "a b", "a[b=c"] {
            let error = Err(BadResource::Path(path.to_owned()));
            assert_eq!(checked("pods", &[path]), error, "{path}");
        }
        let slow = KubernetesResource::new("pods", &["spec"]).settle_seconds(3601);
        assert_eq!(slow.check(), Err(BadResource::Settle));
    }

    #[test]
    fn a_path_becomes_steps() {
        let member = |name: &str| Step::Member(name.to_owned());
        let available = Step::Elements {
            key: "type".to_owned(),
            value: "Available".to_owned(),
        };
        assert_eq!(
            path("status.conditions[type=Available].status"),
            Some(vec![
                member("status"),
                member("conditions"),
                available,
                member("status")
            ])
        );
        assert_eq!(
            path("a[].*"),
            Some(vec![member("a"), Step::EveryElement, Step::EveryMember])
        );
    }
}
