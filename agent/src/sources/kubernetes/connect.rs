//! The way to an API server: the pod's own account, or a kubeconfig.

use std::time::Duration;

use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::KubernetesConfig;
use super::api::ApiServer;

/// Longest time to make a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// A configuration that leads to no API server.
#[derive(Debug, thiserror::Error)]
#[error("`{key}`: {reason}")]
pub struct ConnectError {
    /// The key in `agent.yaml`.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Makes the client; no question is asked yet.
pub async fn connect(config: &KubernetesConfig) -> Result<ApiServer, ConnectError> {
    let key = format!("sources.kubernetes.{}", config.name);
    let mut way = way(config).await.map_err(|fault| fault.at(&key))?;
    way.connect_timeout = Some(CONNECT);
    // The watch itself is silent for long, and waits between tries are the machine's.
    way.read_timeout = None;
    way.default_retry = false;
    let client = kube::Client::try_from(way).map_err(|error| ConnectError {
        reason: chain(&error),
        key,
    })?;
    Ok(ApiServer::new(client))
}

/// What is wrong, and with which member of the section.
struct Fault {
    member: Option<&'static str>,
    reason: String,
}

impl Fault {
    fn at(self, key: &str) -> ConnectError {
        let key = match self.member {
            Some(member) => format!("{key}.{member}"),
            None => key.to_owned(),
        };
        let reason = self.reason;
        ConnectError { key, reason }
    }
}

async fn way(config: &KubernetesConfig) -> Result<Config, Fault> {
    let options = KubeConfigOptions {
        context: config.context.clone(),
        ..KubeConfigOptions::default()
    };
    let fault = |error: &KubeconfigError| {
        let about_context = matches!(error, KubeconfigError::LoadContext(_));
        let member = match (about_context, &config.context, &config.kubeconfig) {
            (true, Some(_), _) => Some("context"),
            (_, _, Some(_)) => Some("kubeconfig"),
            _ => None,
        };
        let reason = chain(error);
        Fault { member, reason }
    };
    if let Some(file) = &config.kubeconfig {
        let read = Kubeconfig::read_from(file).map_err(|error| fault(&error))?;
        let way = Config::from_custom_kubeconfig(read, &options).await;
        return way.map_err(|error| fault(&error));
    }
    if config.context.is_none()
        && let Ok(way) = Config::incluster()
    {
        return Ok(way);
    }
    let way = Config::from_kubeconfig(&options).await;
    way.map_err(|error| match fault(&error) {
        Fault {
            member: None,
            reason,
        } => Fault {
            member: None,
            reason: format!(
                "not in a cluster, and no usable kubeconfig at $KUBECONFIG or ~/.kube/config: {reason}"
            ),
        },
        other => other,
    })
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        // kube's messages repeat their cause.
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
