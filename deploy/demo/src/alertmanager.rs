//! Debian's Alertmanager with a configuration that tells Alice's agent of every alert at once.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use url::Url;

use crate::process::Line;
use crate::web::Web;

const PROGRAM: &str = "prometheus-alertmanager";

/// Writes the configuration into `folder` and answers how to start it.
///
/// # Errors
/// When the configuration cannot be written.
pub fn line(folder: &Path, address: &Url, receiver: &Url, token: &str) -> Result<Line> {
    let config = folder.join("alertmanager.yml");
    std::fs::write(&config, configuration(receiver, token))
        .with_context(|| config.display().to_string())?;
    let listen = format!(
        "{}:{}",
        address.host_str().unwrap_or("127.0.0.1"),
        address.port().unwrap_or(9093)
    );
    Ok(Line::new("alertmanager", program())
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address={listen}"))
        // One instance alone: no gossip port.
        .arg("--cluster.listen-address=")
        .arg("--log.level=warn"))
}

/// How many webhooks were taken by their receiver so far.
///
/// # Errors
/// When Alertmanager does not answer.
pub async fn webhooks_taken(web: &Web, address: &Url) -> Result<u64> {
    let metrics = web.page(&address.join("metrics")?).await?;
    let count = |name: &str| {
        let series = format!("alertmanager_{name}{{integration=\"webhook\"}} ");
        let value = metrics.lines().find_map(|line| line.strip_prefix(&series));
        value.and_then(|value| value.parse().ok()).unwrap_or(0_u64)
    };
    let failed = count("notification_requests_failed_total");
    Ok(count("notification_requests_total").saturating_sub(failed))
}

/// Debian's name for it, or upstream's, wherever `PATH` has it.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    [PROGRAM, "alertmanager"]
        .into_iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|candidate| candidate.exists())
        .unwrap_or_else(|| Path::new("/usr/bin").join(PROGRAM))
}

fn configuration(receiver: &Url, token: &str) -> String {
    format!(
        "# Written by farmops-demo: one receiver, told within a second.
route:
  receiver: farm
  group_by: [alertname, instance]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 4h
receivers:
  - name: farm
    webhook_configs:
      - url: {receiver}
        send_resolved: true
        http_config:
          authorization:
            credentials: {token}
"
    )
}
