//! The `farmops-plugin-prometheus-alert-resolve` program.

use farmops_plugin_prometheus_alert_resolve::AlertResolve;

fn main() -> anyhow::Result<()> {
    Ok(farmops_plugin::serve(AlertResolve::default())?)
}
