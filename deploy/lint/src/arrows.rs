//! Which of our crates may import which. The arrows are the architecture; this is their only copy in code.

use crate::Finding;
use crate::graph::{Graph, Kind};

const TRACKER: &[&str] = &[
    "farmops-farm",
    "farmops-federation",
    "farmops-federation-store",
    "farmops-ledger",
    "farmops-postgres",
    "farmops-protocol",
    "farmops-service",
];

const VILLAGE: &[&str] = &[
    "farmops-farm",
    "farmops-federation",
    "farmops-federation-store",
    "farmops-postgres",
    "farmops-protocol",
    "farmops-service",
];

/// Crate → the crates of ours it may import, in its tests too.
pub const ARROWS: &[(&str, &[&str])] = &[
    ("farmops-protocol", &[]),
    ("farmops-plugin", &[]),
    ("farmops-service", &[]),
    ("farmops-lint", &[]),
    ("farmops-postgres", &[]),
    ("farmops-testbed", &[]),
    ("farmops-farm", &["farmops-protocol"]),
    ("farmops-ledger", &["farmops-farm", "farmops-protocol"]),
    ("farmops-federation", &["farmops-protocol"]),
    (
        "farmops-federation-store",
        &["farmops-federation", "farmops-postgres", "farmops-protocol"],
    ),
    ("farmops-component", &["farmops-plugin"]),
    ("farmops-hostile", &["farmops-plugin"]),
    (
        "farmops-agent-compiler",
        &["farmops-component", "farmops-plugin"],
    ),
    (
        "farmops-agent",
        &[
            "farmops-component",
            "farmops-plugin",
            "farmops-protocol",
            "farmops-service",
            "farmops-testbed",
        ],
    ),
    ("farmops-tracker", TRACKER),
    ("farmops-village", VILLAGE),
    ("farmops-conformance", &["farmops-protocol"]),
    ("farmops-demo", &["farmops-protocol", "farmops-service"]),
];

/// Crates that only tests may import.
const TESTS_ONLY: &[&str] = &["farmops-postgres", "farmops-testbed"];

/// A first-party plugin: every crate in a folder of `plugins` except the SDK.
const PLUGIN: &[&str] = &["farmops-plugin"];

/// Every import that the table does not allow, and every crate the table does not know.
#[must_use]
pub fn check(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in graph.members() {
        let allowed = ARROWS
            .iter()
            .find(|(name, _)| *name == package.name)
            .map(|(_, allowed)| *allowed)
            .or_else(|| is_plugin(&package.folder).then_some(PLUGIN));
        let Some(allowed) = allowed else {
            findings.push(format!(
                "{}: not in the table of crates (deploy/lint/src/arrows.rs)",
                package.name
            ));
            continue;
        };
        for (dependency, kind) in graph.direct(package) {
            let name = dependency.name.as_str();
            let wrong_kind = TESTS_ONLY.contains(&name) && kind != Kind::Dev;
            if dependency.member && (wrong_kind || !allowed.contains(&name)) {
                findings.push(format!(
                    "{} may not import {} ({kind:?})",
                    package.name, dependency.name
                ));
            }
        }
    }
    findings
}

fn is_plugin(folder: &std::path::Path) -> bool {
    folder
        .parent()
        .is_some_and(|parent| parent.ends_with("plugins"))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::graph::sketch::graph;

    #[test]
    fn a_village_that_imports_the_tracker_is_found() {
        let graph = graph(&[
            (
                "farmops-village",
                "AGPL-3.0-only",
                &["farmops-tracker", "farmops-farm"],
            ),
            ("farmops-tracker", "AGPL-3.0-only", &[]),
            ("farmops-farm", "Apache-2.0", &[]),
        ]);
        assert_eq!(
            check(&graph),
            ["farmops-village may not import farmops-tracker (Normal)"]
        );
    }

    #[test]
    fn a_crate_outside_the_table_is_found() {
        let graph = graph(&[("farmops-stray", "Apache-2.0", &[])]);
        assert_eq!(check(&graph).len(), 1);
    }
}
