//! The `farmops-plugin-git-pr-review` program.

use farmops_plugin_git_pr_review::PrReview;

fn main() -> anyhow::Result<()> {
    Ok(farmops_plugin::serve(PrReview::default())?)
}
