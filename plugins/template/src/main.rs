//! The plugin as a process of its own.

use {{crate_name}}::TaskDone;

fn main() -> anyhow::Result<()> {
    Ok(farmops_plugin::serve(TaskDone::default())?)
}
