//! `farmops-agent plugins`: what runs, what each plugin can read and why, and whether a manifest works.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Subcommand;
use farmops_service::outbound::{Bounds, Outbound, OutboundError, Reach};
use serde_json::{Value, json};

use crate::USER_AGENT;
use crate::config::AgentConfig;
use crate::plugins::explain::{Surroundings, explain};
use crate::plugins::inspect::{Inspected, inspect};
use crate::plugins::manifest::{KnownSources, PluginSource};
use crate::plugins::replay::{ReplayError, replay};
use crate::plugins::{RuntimeError, list_refused};
use crate::sources::kubernetes::access::Clusters;

/// What can be asked about plugins.
#[derive(Debug, Clone, Subcommand)]
pub enum PluginsCommand {
    /// Lists the plugins of the agent at work, and how they are doing.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows what each plugin of the manifest declares, is granted and gets to see, and what is missing.
    Explain {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Starts each plugin of the manifest once and holds it against the manifest; fails if one does not pass.
    Check {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Prints the plugins of the manifest with what they can read, in YAML.
    Catalogue {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Judges a recorded observation again and fails unless verdict and fuel are the recorded ones. A
    /// recording without an outcome gets it. Needs no configuration.
    Replay {
        /// A JSON file with `granted`, `settings`, `observation`, and `outcome`.
        recording: PathBuf,
        /// The component.
        #[arg(long)]
        component: PathBuf,
    },
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum PluginsError {
    /// The manifest.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// No agent at work.
    #[error("no agent answers at http://{address}: {source}")]
    NoAgent {
        /// Where it should.
        address: std::net::SocketAddr,
        /// What happened.
        source: OutboundError,
    },
    /// The agent answers with something else.
    #[error("what answers at http://{0} is no farmops-agent")]
    NotAnAgent(std::net::SocketAddr),
    /// The recording.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// Plugins that did not pass.
    #[error("{0}")]
    Refused(String),
}

/// What a command prints.
#[derive(Debug)]
pub struct Said {
    /// The text.
    pub text: String,
    /// Whether all is well; otherwise the program ends with status 1.
    pub passed: bool,
}

impl Said {
    fn well(text: String) -> Self {
        Self { text, passed: true }
    }
}

/// Carries out a command.
///
/// # Errors
/// A [`PluginsError`] that names plugin, key and fix.
pub async fn run(config: &AgentConfig, command: &PluginsCommand) -> Result<Said, PluginsError> {
    match *command {
        PluginsCommand::List { json } => list(config, json).await.map(Said::well),
        PluginsCommand::Explain { json } => explain_all(config, json).await.map(Said::well),
        PluginsCommand::Check { json } => Ok(check(&inspected(config).await?, json)),
        PluginsCommand::Catalogue { json } => {
            catalogue(&inspected(config).await?, json).map(Said::well)
        }
        PluginsCommand::Replay {
            ref recording,
            ref component,
        } => Ok(Said::well(replay(recording, component)?)),
    }
}

fn sources(config: &AgentConfig) -> KnownSources {
    config.sources.known()
}

async fn inspected(config: &AgentConfig) -> Result<Vec<Inspected>, PluginsError> {
    Ok(inspect(&config.plugins, &sources(config), &config.sandbox).await?)
}

async fn explain_all(config: &AgentConfig, as_json: bool) -> Result<String, PluginsError> {
    let (inspected, sources) = (inspected(config).await?, sources(config));
    let (clusters, faults) = Clusters::connect(&config.sources.kubernetes).await;
    for fault in faults {
        tracing::warn!(
            fault,
            "a cluster cannot be asked what the agent may read there"
        );
    }
    let surroundings = Surroundings {
        sources: &sources,
        on_call: config.farmer.on_call,
        reviewer: Some(&clusters),
    };
    let mut explained = Vec::new();
    for plugin in &inspected {
        let description = plugin.outcome.as_ref().map_err(String::as_str);
        explained.push(explain(&plugin.spec, &surroundings, description).await);
    }
    if as_json {
        return Ok(pretty(&json!({ "plugins": explained })));
    }
    let texts: Vec<String> = explained.iter().map(ToString::to_string).collect();
    Ok(texts.join("\n").trim_end().to_owned())
}

async fn list(config: &AgentConfig, as_json: bool) -> Result<String, PluginsError> {
    let address = config.listen;
    let not_an_agent = || PluginsError::NotAnAgent(address);
    let asked = async {
        let client = Outbound::new(Reach::Operator, USER_AGENT)?;
        let url = format!("http://{address}/api/v1/plugins");
        let Ok(url) = url.parse() else {
            return Ok(None);
        };
        client.get(url, Bounds::default()).await.map(Some)
    };
    let answer = asked
        .await
        .map_err(|source| PluginsError::NoAgent { address, source })?;
    let answer = answer.ok_or_else(not_an_agent)?;
    let view: Value = serde_json::from_slice(&answer.body).map_err(|_| not_an_agent())?;
    if as_json {
        return Ok(pretty(&view));
    }
    let plugins = view["plugins"].as_array().ok_or_else(not_an_agent)?;
    let lines = plugins.iter().map(|plugin| {
        let text = |key: &str| plugin[key].as_str().unwrap_or("-").to_owned();
        let (id, version) = (text("id"), text("version"));
        let (state, source) = (text("state"), text("source"));
        let reason = plugin["reason"]
            .as_str()
            .map(|reason| format!(": {reason}"));
        let back = plugin["rolled_back"]["reason"].as_str();
        let back = back.map(|reason| format!(" (went back to this version: {reason})"));
        format!(
            "{id:<36} {version:<10} {source:<10} {state}{}{}",
            reason.unwrap_or_default(),
            back.unwrap_or_default()
        )
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

fn check(inspected: &[Inspected], as_json: bool) -> Said {
    let passed = inspected.iter().all(|plugin| plugin.outcome.is_ok());
    let text = if as_json {
        let plugins = inspected.iter().map(|plugin| {
            let version = plugin.outcome.as_ref().ok().map(|d| &d.version);
            let fault = plugin.outcome.as_ref().err();
            json!({ "id": plugin.spec.id, "version": version, "fault": fault })
        });
        pretty(&json!({ "plugins": plugins.collect::<Vec<_>>() }))
    } else {
        let lines = inspected.iter().map(|plugin| match &plugin.outcome {
            Ok(description) => format!("{} {} passes", plugin.spec.id, description.version),
            Err(reason) => list_refused(&plugin.spec.id, reason),
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    Said { text, passed }
}

fn catalogue(inspected: &[Inspected], as_json: bool) -> Result<String, PluginsError> {
    let mut entries = Vec::new();
    for plugin in inspected {
        let description = plugin
            .outcome
            .as_ref()
            .map_err(|reason| PluginsError::Refused(list_refused(&plugin.spec.id, reason)))?;
        let mut resources: Vec<&str> = description
            .resources()
            .map(|r| r.resource.as_str())
            .collect();
        resources.sort_unstable();
        let types = description
            .sources
            .iter()
            .filter(|s| s.resources.is_empty());
        let types: Vec<&str> = types.map(|s| s.source_type.as_str()).collect();
        let code = match &plugin.spec.source {
            PluginSource::Component { file, .. } | PluginSource::Binary { file, .. } => file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            PluginSource::Oci { reference, .. } => reference.clone(),
        };
        entries.push((plugin, code, &description.version, resources, types));
    }
    entries.sort_by_key(|(plugin, ..)| &plugin.spec.id);
    if as_json {
        let plugins = entries
            .iter()
            .map(|(plugin, code, version, resources, types)| {
                json!({
                    "id": plugin.spec.id, plugin.spec.source.kind(): code, "version": version,
                    "resources": resources, "sources": types,
                })
            });
        return Ok(pretty(&json!({ "plugins": plugins.collect::<Vec<_>>() })));
    }
    let mut yaml = "# @generated by `farmops-agent plugins catalogue`: the plugins in the image, and what each of them can read.\nplugins:".to_owned();
    for (plugin, code, version, resources, types) in entries {
        let (id, kind) = (&plugin.spec.id, plugin.spec.source.kind());
        // Writing to a string cannot fail.
        let _ = write!(
            yaml,
            "\n  - id: {id}\n    {kind}: {code}\n    version: {version}"
        );
        if resources.is_empty() {
            yaml.push_str("\n    resources: []");
        } else {
            yaml.push_str("\n    resources:");
        }
        for resource in resources {
            let _ = write!(yaml, "\n      - {resource}");
        }
        let _ = write!(yaml, "\n    sources: [{}]", types.join(", "));
    }
    Ok(yaml)
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}
