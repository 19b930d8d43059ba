//! The `farmops-plugin-k8s-pod-health` program.

use farmops_plugin_k8s_pod_health::PodHealth;

fn main() -> anyhow::Result<()> {
    Ok(farmops_plugin::serve(PodHealth::default())?)
}
