//! Which library may be used where, and which may not be there at all.

use crate::Finding;
use crate::graph::Graph;
use crate::source::SourceFile;

/// Library → the crates of ours that may name it in their manifest.
const CONFINED: &[(&str, &[&str])] = &[
    ("activitypub_federation", &["farmops-federation"]),
    ("http-signature-normalization", &["farmops-federation"]),
    ("automerge", &["farmops-farm", "farmops-federation"]),
    ("kube", &["farmops-agent"]),
    ("k8s-openapi", &["farmops-agent"]),
    ("wasmtime", &["farmops-component"]),
    // The conformance suite forges signatures of its own to probe a server.
    ("rsa", &["farmops-conformance", "farmops-federation"]),
    (
        "sqlx",
        &[
            "farmops-agent",
            "farmops-federation-store",
            "farmops-tracker",
            "farmops-village",
        ],
    ),
];

/// Libraries that may be nowhere in the graph: one TLS provider, and it is ring.
const BANNED: &[&str] = &[
    "aws-lc-rs",
    "aws-lc-sys",
    "native-tls",
    "openssl",
    "openssl-sys",
];

/// Libraries of which two versions would mean two incompatible sets of types or two TLS stacks.
const ONCE: &[&str] = &[
    "axum", "http", "hyper", "prost", "reqwest", "ring", "rustls", "sqlx", "tokio", "tonic",
];

/// The one file that may allow itself an unsafe call: it loads native code out of the agent's own cache.
const UNSAFE: &str = "agent/wasm/src/native.rs";

/// Breaches that the graph shows.
#[must_use]
pub fn check_graph(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in graph.members() {
        for (dependency, kind) in graph.direct(package) {
            let confined = CONFINED.iter().find(|(name, _)| *name == dependency.name);
            if let Some((_, allowed)) = confined
                && !allowed.contains(&package.name.as_str())
            {
                findings.push(format!(
                    "{} may not use {} ({kind:?})",
                    package.name, dependency.name
                ));
            }
        }
    }
    let versions = graph.versions();
    for banned in BANNED {
        if versions.contains_key(banned) {
            findings.push(format!("{banned} is in the graph"));
        }
    }
    for once in ONCE {
        if let Some(found) = versions.get(once)
            && found.len() > 1
        {
            findings.push(format!("{once} is in the graph as {found:?}"));
        }
    }
    findings
}

/// Breaches that the sources show.
#[must_use]
pub fn check_sources(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let path = file.path.as_str();
        if file.uses("sqlx") && !is_store(path) {
            findings.push(format!(
                "{path}: SQL belongs in a folder or module named `store`"
            ));
        }
        let unsafe_allowed = file.code.matches("(unsafe_code)").count();
        if unsafe_allowed > usize::from(path == UNSAFE) {
            findings.push(format!("{path}: unsafe code is allowed once, in {UNSAFE}"));
        }
        if file.uses("kube") && !is_cluster(path) {
            findings.push(format!(
                "{path}: clusters are spoken to in the agent's source `kubernetes` and its `standby` only"
            ));
        }
        let product = file.product();
        // `reqwest_middleware` wraps a client that exists already.
        let product = product.replace("reqwest_middleware::ClientBuilder", "");
        let builds_client = ["ClientBuilder", "Client::new()", "Client::builder()"]
            .iter()
            .any(|token| product.contains(token));
        let is_outbound = path.starts_with("deploy/service/src/outbound");
        if builds_client && !is_outbound && !file.is_test() && !is_probe(path) {
            findings.push(format!(
                "{path}: HTTP clients are built in deploy/service's `outbound` only"
            ));
        }
        if is_pure(path) {
            for token in IMPURE.iter().filter(|token| product.contains(*token)) {
                findings.push(format!(
                    "{path}: `{token}` in a crate that does no IO and takes its clock and randomness as arguments"
                ));
            }
        }
    }
    findings
}

const IMPURE: &[&str] = &[
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "rand::rng(",
    "std::fs",
    "std::net",
    "std::env::var",
    "tokio::",
];

fn is_pure(path: &str) -> bool {
    path.starts_with("protocol-spec/src/") || path.starts_with("tracker/farm/src/")
}

fn is_store(path: &str) -> bool {
    path.split('/').any(|part| {
        let stem = part.strip_suffix(".rs").unwrap_or(part);
        stem == "store" || stem.starts_with("store_")
    })
}

fn is_cluster(path: &str) -> bool {
    ["agent/src/sources/kubernetes", "agent/src/standby"]
        .iter()
        .any(|place| path.starts_with(place))
}

/// The conformance suite is a stranger to the servers it probes and brings its own client.
fn is_probe(path: &str) -> bool {
    path.starts_with("conformance/")
}

#[cfg(test)]
mod tests {
    use super::{check_graph, check_sources};
    use crate::graph::sketch::graph;
    use crate::source::SourceFile;

    #[test]
    fn a_confined_library_elsewhere_and_a_second_tls_stack_are_found() {
        let graph = graph(&[
            ("farmops-farm", "Apache-2.0", &["sqlx"]),
            ("sqlx", "MIT", &["aws-lc-rs"]),
            ("aws-lc-rs", "ISC", &[]),
        ]);
        assert_eq!(
            check_graph(&graph),
            [
                "farmops-farm may not use sqlx (Normal)",
                "aws-lc-rs is in the graph"
            ]
        );
    }

    #[test]
    fn sql_outside_a_store_is_found_and_inside_is_not() {
        let sql = "//! x\nuse sqlx::Row;\n";
        let files = [
            SourceFile::new("tracker/src/http/proofs.rs", sql),
            SourceFile::new("tracker/src/store/proofs.rs", sql),
            SourceFile::new("agent/src/store.rs", sql),
            SourceFile::new("agent/src/uplink.rs", "//! x\n// sqlx is elsewhere\n"),
        ];
        let findings = check_sources(&files);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].starts_with("tracker/src/http/proofs.rs"));
    }

    #[test]
    fn a_cluster_spoken_to_elsewhere_is_found() {
        let source = "//! x\nuse kube::Client;\n";
        let files = [
            SourceFile::new("agent/src/uplink.rs", source),
            SourceFile::new("agent/src/sources/kubernetes/api.rs", source),
            SourceFile::new("agent/src/standby.rs", source),
        ];
        assert_eq!(check_sources(&files).len(), 1);
    }

    #[test]
    fn a_second_place_that_builds_clients_is_found() {
        let source = "//! x\nfn f() { reqwest::Client::builder(); }\n";
        let files = [
            SourceFile::new("agent/src/uplink.rs", source),
            SourceFile::new("deploy/service/src/outbound.rs", source),
            SourceFile::new("agent/tests/uplink.rs", source),
        ];
        assert_eq!(check_sources(&files).len(), 1);
    }

    #[test]
    fn unsafe_code_elsewhere_or_twice_is_found() {
        let once = "//! x\n#[allow(unsafe_code)]\nfn f() {}\n";
        let files = [
            SourceFile::new("agent/wasm/src/native.rs", once),
            SourceFile::new("agent/wasm/src/cache.rs", once),
        ];
        assert_eq!(check_sources(&files).len(), 1);
        let twice = SourceFile::new("agent/wasm/src/native.rs", &once.repeat(2));
        assert_eq!(check_sources(&[twice]).len(), 1);
    }

    #[test]
    fn a_clock_read_in_a_pure_crate_is_found() {
        let source = "//! x\nfn f() { std::time::SystemTime::now(); }\n";
        let files = [
            SourceFile::new("protocol-spec/src/chain.rs", source),
            SourceFile::new("agent/src/chain.rs", source),
        ];
        assert_eq!(check_sources(&files).len(), 1);
    }
}
