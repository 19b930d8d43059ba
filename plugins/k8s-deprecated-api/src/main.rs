//! The `farmops-plugin-k8s-deprecated-api` program.

use farmops_plugin_k8s_deprecated_api::DeprecatedApi;

fn main() -> anyhow::Result<()> {
    Ok(farmops_plugin::serve(DeprecatedApi::default())?)
}
