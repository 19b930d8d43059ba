//! The `farmops-plugin-k8s-resource-audit` program.

use farmops_plugin_k8s_resource_audit::ResourceAudit;

fn main() -> anyhow::Result<()> {
    Ok(farmops_plugin::serve(ResourceAudit::default())?)
}
