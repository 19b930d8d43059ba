//! Licences: what we may link, and the wall between the Apache-2.0 crates and the AGPL-3.0 ones.
//!
//! Anyone may write an agent, a plugin or a server with the Apache-2.0 crates; two libraries that
//! federation stands on are AGPL-3.0, so `federation` and what links it is AGPL-3.0 as well.

use crate::Finding;
use crate::graph::{Graph, Package};
use crate::spdx::satisfied;

const APACHE: &str = "Apache-2.0";
const AGPL: &str = "AGPL-3.0-only";

/// Our crates under AGPL-3.0; every other crate of ours is Apache-2.0.
const COPYLEFT_OURS: &[&str] = &[
    "farmops-federation",
    "farmops-federation-store",
    "farmops-ledger",
    "farmops-tracker",
    "farmops-village",
];

/// Foreign crates under AGPL-3.0, or the GPL-3.0 it may be joined with, that we take, in `federation` only.
const COPYLEFT_FOREIGN: &[&str] = &[
    "activitystreams-kinds",
    "activitypub_federation",
    "http-signature-normalization",
    "http-signature-normalization-reqwest",
];

const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Every breach of the licence rules.
#[must_use]
pub fn check(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in graph.packages.values() {
        if package.member {
            check_ours(graph, package, &mut findings);
        } else if !COPYLEFT_FOREIGN.contains(&package.name.as_str()) {
            let licence = package.licence.as_deref().unwrap_or("no licence");
            if !satisfied(licence, &|name| PERMISSIVE.contains(&name)) {
                findings.push(format!(
                    "{} {}: `{licence}` is not on the list",
                    package.name, package.version
                ));
            }
        }
    }
    findings
}

fn check_ours(graph: &Graph, package: &Package, findings: &mut Vec<Finding>) {
    let copyleft = COPYLEFT_OURS.contains(&package.name.as_str());
    let expected = if copyleft { AGPL } else { APACHE };
    if package.licence.as_deref() != Some(expected) {
        findings.push(format!(
            "{}: the licence is {:?}, it must be {expected}",
            package.name, package.licence
        ));
    }
    if copyleft {
        return;
    }
    for name in graph.reach(package).into_keys() {
        if COPYLEFT_OURS.contains(&name) || COPYLEFT_FOREIGN.contains(&name) {
            findings.push(format!(
                "{} is {APACHE} but links {name}, which is not",
                package.name
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::graph::sketch::graph;

    #[test]
    fn an_apache_crate_that_reaches_copyleft_is_found_however_far() {
        let graph = graph(&[
            ("farmops-agent", "Apache-2.0", &["middle"]),
            ("middle", "MIT", &["activitypub_federation"]),
            ("activitypub_federation", "AGPL-3.0", &[]),
        ]);
        assert_eq!(check(&graph).len(), 1);
    }

    #[test]
    fn a_wrong_licence_of_ours_and_an_unknown_one_of_theirs_are_found() {
        let graph = graph(&[
            ("farmops-tracker", "Apache-2.0", &[]),
            ("farmops-agent", "Apache-2.0", &[]),
            ("stranger", "SSPL-1.0", &[]),
        ]);
        assert_eq!(check(&graph).len(), 2);
    }
}
