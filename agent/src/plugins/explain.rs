//! What a plugin can read, and why: what it declares, cut down to what it is granted, cut down to what
//! the agent itself may read (PLUGIN-CAP-001).

use std::fmt;

use async_trait::async_trait;
use farmops_plugin::Description;
use serde::Serialize;

use super::manifest::{Grant, KnownSources, PluginSpec};

/// Whether the agent itself may list and watch a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rbac {
    /// The API server says so.
    Allowed,
    /// It says no, for at least one of the namespaces.
    Denied,
    /// Nobody could be asked.
    NotAsked,
}

/// Asks an API server what the agent may read there (`SelfSubjectAccessReview`).
#[async_trait]
pub trait AccessReview: Send + Sync {
    /// Whether the agent may list and watch `resource` (`plural.group`) of the cluster behind `source`, in
    /// each of `namespaces`, or in all that the source watches if there are none.
    async fn may_watch(&self, source: &str, resource: &str, namespaces: &[String]) -> Rbac;
}

/// One thing to read: a resource of Kubernetes, or a source of another type as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a column of its own for whoever reads it"
)]
pub struct Reading {
    /// The operator's name for the source; none where nothing is granted.
    pub source: Option<String>,
    /// Its type.
    #[serde(rename = "type")]
    pub source_type: String,
    /// The resource, with sources of type kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// In which namespaces; empty is all that the source watches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Whether the plugin asks for it.
    pub declared: bool,
    /// Whether the plugin can do without it.
    pub optional: bool,
    /// Whether the manifest grants it.
    pub granted: bool,
    /// Whether the agent itself may read it; only with sources of type kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rbac: Option<Rbac>,
    /// Whether the plugin gets to see it.
    pub effective: bool,
}

/// What one plugin can read, and what is in its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Its id.
    pub id: String,
    /// Its version; none if it does not run.
    pub version: Option<String>,
    /// Where its code comes from.
    pub source: &'static str,
    /// SHA-256 of its code.
    pub digest: String,
    /// Everything that it asks for or is granted.
    pub reads: Vec<Reading>,
    /// What is missing, or useless, in words.
    pub missing: Vec<String>,
}

/// What a plugin would work in.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The sources of the agent.
    pub sources: &'a KnownSources,
    /// Whether work that names nobody is the farmer's.
    pub on_call: bool,
    /// Who can be asked what the agent may read.
    pub reviewer: Option<&'a dyn AccessReview>,
}

/// Explains one plugin; `description` is what it says of itself, or why it does not run.
pub async fn explain(
    spec: &PluginSpec,
    surroundings: &Surroundings<'_>,
    description: Result<&Description, &str>,
) -> Explanation {
    let sources = surroundings.sources;
    let mut reads = description.map_or_else(|_| Vec::new(), |d| readings(spec, sources, d));
    for reading in &mut reads {
        let (Some(source), Some(resource)) = (&reading.source, &reading.resource) else {
            continue;
        };
        let rbac = match surroundings.reviewer {
            Some(reviewer) => {
                reviewer
                    .may_watch(source, resource, &reading.namespaces)
                    .await
            }
            None => Rbac::NotAsked,
        };
        reading.rbac = Some(rbac);
        reading.effective &= rbac != Rbac::Denied;
    }
    let mut missing: Vec<String> = reads.iter().filter_map(Reading::missing).collect();
    let reads_a_cluster = |reading: &Reading| reading.effective && reading.resource.is_some();
    if !surroundings.on_call && reads.iter().any(reads_a_cluster) {
        missing.push(
            "`farmer.on_call` is false: what a cluster tells names nobody, so none of it counts as the farmer's"
                .to_owned(),
        );
    }
    if let Err(reason) = description {
        missing.push(format!("it does not run: {reason}"));
    }
    Explanation {
        id: spec.id.clone(),
        version: description.ok().map(|d| d.version.clone()),
        source: spec.source.kind(),
        digest: spec.source.digest().to_string(),
        reads,
        missing,
    }
}

fn readings(spec: &PluginSpec, sources: &KnownSources, description: &Description) -> Vec<Reading> {
    let mut readings = Vec::new();
    for required in &description.sources {
        let source_type = required.source_type.as_str();
        let is_granted = |grant: &&Grant| {
            let granted = sources.get(&grant.source);
            granted.is_some_and(|granted| granted.source_type.as_str() == source_type)
        };
        let grants: Vec<&Grant> = spec.grants.iter().filter(is_granted).collect();
        let reading = |grant: Option<&Grant>, resource: Option<&str>, optional: bool| {
            let granted = grant.is_some_and(|grant| {
                resource.is_none_or(|resource| grant.resources.iter().any(|r| r == resource))
            });
            Reading {
                source: grant.map(|grant| grant.source.clone()),
                source_type: source_type.to_owned(),
                resource: resource.map(str::to_owned),
                namespaces: grant
                    .map(|grant| grant.namespaces.clone())
                    .unwrap_or_default(),
                declared: true,
                optional,
                granted,
                rbac: None,
                effective: granted,
            }
        };
        // Where nothing is granted, there is one line that says so.
        let grants = if grants.is_empty() {
            vec![None]
        } else {
            grants.into_iter().map(Some).collect()
        };
        for grant in grants {
            if required.resources.is_empty() {
                // One of the declared types is enough.
                readings.push(reading(grant, None, true));
            }
            for declared in &required.resources {
                let resource = declared.resource.as_str();
                readings.push(reading(grant, Some(resource), declared.optional));
            }
            let granted = grant
                .map(|grant| grant.resources.as_slice())
                .unwrap_or_default();
            for resource in granted {
                if required.resources.iter().all(|r| r.resource != *resource) {
                    readings.push(Reading {
                        declared: false,
                        effective: false,
                        ..reading(grant, Some(resource), true)
                    });
                }
            }
        }
    }
    readings
}

impl Reading {
    /// What is in the way, and what helps.
    fn missing(&self) -> Option<String> {
        let what = self.resource.as_ref().unwrap_or(&self.source_type);
        if !self.declared {
            return Some(format!(
                "`grants`: it does not ask for {what}: the grant has no effect, remove it"
            ));
        }
        if !self.granted {
            let verb = if self.optional { "can read" } else { "reads" };
            let help = match &self.source {
                Some(source) => format!("add it to `resources` of the grant of `{source}`"),
                None => format!("grant it a source of type {}", self.source_type),
            };
            return Some(format!(
                "`grants`: it {verb} {what}, which is not granted: {help}"
            ));
        }
        (self.rbac == Some(Rbac::Denied)).then(|| {
            let place = if self.namespaces.is_empty() {
                "what the source watches".to_owned()
            } else {
                format!("namespace {}", self.namespaces.join(", "))
            };
            format!(
                "the agent may not list and watch {what} in {place}: extend its role in the cluster"
            )
        })
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version.as_deref().unwrap_or("(does not run)");
        writeln!(f, "{} {version}, {} {}", self.id, self.source, self.digest)?;
        let yes = |yes: bool| if yes { "yes" } else { "no" };
        if !self.reads.is_empty() {
            writeln!(f, "  {:<44} declared granted rbac       effective", "reads")?;
        }
        for reading in &self.reads {
            let source = reading.source.as_deref().unwrap_or("-");
            let what = reading.resource.as_ref().unwrap_or(&reading.source_type);
            let rbac = match reading.rbac {
                None => "-",
                Some(Rbac::Allowed) => "allowed",
                Some(Rbac::Denied) => "denied",
                Some(Rbac::NotAsked) => "not asked",
            };
            writeln!(
                f,
                "  {:<44} {:<8} {:<7} {rbac:<10} {}",
                format!("{source}: {what}"),
                yes(reading.declared),
                yes(reading.granted),
                yes(reading.effective)
            )?;
        }
        for missing in &self.missing {
            writeln!(f, "  ! {missing}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
