//! What is wrong with a pod template: a pure function from the template to its flaws.

mod rule;

use std::collections::BTreeSet;

use serde_json::Value;

pub use self::rule::{Area, Rule, Severity};

/// One thing that is wrong, and with which container; `None` for the pod as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flaw {
    /// What is wrong.
    pub rule: Rule,
    /// The container's name.
    pub container: Option<String>,
}

/// How the pods of a template run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// For ever, as a Deployment's do; they need probes.
    Always,
    /// To an end, as a job's do.
    ToCompletion,
}

/// Capabilities that come close to being root on the node, or that let a container speak as another.
const DANGEROUS_CAPABILITIES: &[&str] = &[
    "ALL",
    "BPF",
    "DAC_READ_SEARCH",
    "NET_ADMIN",
    "NET_RAW",
    "PERFMON",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_MODULE",
    "SYS_PTRACE",
    "SYS_RAWIO",
];

/// Folders of the node that hold its own secrets, devices or settings.
const SENSITIVE_FOLDERS: &[&str] = &[
    "/boot",
    "/dev",
    "/etc",
    "/proc",
    "/root",
    "/run",
    "/sys",
    "/usr",
    "/var/lib/docker",
    "/var/lib/etcd",
    "/var/lib/kubelet",
    "/var/run",
];

/// Every flaw of a pod template, an object with a member `spec`. What is no template has none.
pub fn audit(template: &Value, runs: Runs) -> BTreeSet<Flaw> {
    let spec = &template["spec"];
    let mut flaws = BTreeSet::new();
    if spec.is_object() {
        let pod = pod_rules(spec).into_iter();
        flaws.extend(pod.map(|rule| Flaw {
            rule,
            container: None,
        }));
    }
    for (list, serves) in [("initContainers", false), ("containers", true)] {
        for container in elements(&spec[list]).filter(|container| container.is_object()) {
            let mut rules = security_rules(container, &spec["securityContext"]);
            if serves {
                rules.extend(resource_rules(&container["resources"]));
            }
            if serves && runs == Runs::Always {
                let probes = [
                    ("livenessProbe", Rule::LivenessProbe),
                    ("readinessProbe", Rule::ReadinessProbe),
                ];
                let missing = probes
                    .iter()
                    .filter(|(probe, _)| container[probe].is_null());
                rules.extend(missing.map(|(_, rule)| *rule));
            }
            let name = container["name"].as_str().unwrap_or_default();
            flaws.extend(rules.into_iter().map(|rule| Flaw {
                rule,
                container: Some(name.to_owned()),
            }));
        }
    }
    flaws
}

/// The names of all containers of a pod template.
pub(crate) fn containers(template: &Value) -> BTreeSet<&str> {
    ["initContainers", "containers"]
        .iter()
        .flat_map(|list| elements(&template["spec"][list]))
        .filter_map(|container| container["name"].as_str())
        .collect()
}

fn elements(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn is(value: &Value, wanted: bool) -> bool {
    value.as_bool() == Some(wanted)
}

fn pod_rules(spec: &Value) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (member, rule) in [
        ("hostNetwork", Rule::HostNetwork),
        ("hostPID", Rule::HostPid),
        ("hostIPC", Rule::HostIpc),
    ] {
        if is(&spec[member], true) {
            rules.push(rule);
        }
    }
    if !is(&spec["automountServiceAccountToken"], false) {
        rules.push(Rule::MountedToken);
    }
    let paths = elements(&spec["volumes"]).filter_map(|volume| {
        let host_path = volume.get("hostPath").filter(|path| path.is_object())?;
        Some(host_path["path"].as_str().unwrap_or_default())
    });
    rules.extend(paths.map(|path| {
        if is_sensitive(path) {
            Rule::SensitiveHostPath
        } else {
            Rule::HostPath
        }
    }));
    rules
}

fn is_sensitive(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    let within = |folder: &&str| {
        let rest = path.strip_prefix(*folder);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let socket = std::path::Path::new(path).extension();
    path.is_empty()
        || SENSITIVE_FOLDERS.iter().any(within)
        || socket.is_some_and(|extension| extension == "sock")
}

fn security_rules(container: &Value, pod: &Value) -> Vec<Rule> {
    let own = &container["securityContext"];
    // What a container does not say, the pod says for it.
    let said = |member: &str| {
        Some(&own[member])
            .filter(|v| !v.is_null())
            .unwrap_or(&pod[member])
    };
    let mut rules = Vec::new();
    let mut demand = |kept: bool, rule: Rule| {
        if !kept {
            rules.push(rule);
        }
    };
    let privileged = is(&own["privileged"], true);
    demand(!privileged, Rule::Privileged);
    demand(
        is(&own["allowPrivilegeEscalation"], false),
        Rule::PrivilegeEscalation,
    );
    demand(
        is(&own["readOnlyRootFilesystem"], true),
        Rule::WritableRootFilesystem,
    );
    let user = said("runAsUser").as_i64();
    if user == Some(0) {
        demand(false, Rule::RunsAsRoot);
    } else {
        let non_root = is(said("runAsNonRoot"), true) || user.is_some();
        demand(non_root, Rule::MayRunAsRoot);
    }
    let seccomp = said("seccompProfile")["type"].as_str();
    demand(seccomp != Some("Unconfined"), Rule::Unconfined);
    let names = |list: &str| -> BTreeSet<String> {
        let names = elements(&own["capabilities"][list]).filter_map(Value::as_str);
        let upper = names.map(str::to_ascii_uppercase);
        upper
            .map(|name| name.strip_prefix("CAP_").unwrap_or(&name).to_owned())
            .collect()
    };
    let added = names("add");
    let dangerous = |name: &String| DANGEROUS_CAPABILITIES.contains(&name.as_str());
    if added.iter().any(dangerous) {
        demand(false, Rule::DangerousCapability);
    }
    let harmless = |name: &String| dangerous(name) || name == "NET_BIND_SERVICE";
    demand(added.iter().all(harmless), Rule::AddedCapability);
    demand(names("drop").contains("ALL"), Rule::KeptCapabilities);
    let host_port = |port: &Value| port["hostPort"].as_i64().is_some_and(|port| port != 0);
    demand(
        !elements(&container["ports"]).any(host_port),
        Rule::HostPort,
    );
    if let Some(image) = container["image"].as_str() {
        demand(is_pinned(image), Rule::FloatingTag);
    }
    rules
}

/// Whether an image's name says which one it is: by digest, or by a tag that is not `latest`.
fn is_pinned(image: &str) -> bool {
    let (name, digest) = image
        .split_once('@')
        .map_or((image, None), |(n, d)| (n, Some(d)));
    let last = name.rsplit('/').next().unwrap_or_default();
    let tag = last.split_once(':').map(|(_, tag)| tag);
    digest.is_some() || tag.is_some_and(|tag| !tag.is_empty() && tag != "latest")
}

/// A limit without a request is a request too: the API server fills it in.
fn resource_rules(resources: &Value) -> Vec<Rule> {
    let asked = |kind: &str, what: &str| !resources[kind][what].is_null();
    let cases = [
        (
            asked("requests", "cpu") || asked("limits", "cpu"),
            Rule::CpuRequest,
        ),
        (
            asked("requests", "memory") || asked("limits", "memory"),
            Rule::MemoryRequest,
        ),
        (asked("limits", "cpu"), Rule::CpuLimit),
        (asked("limits", "memory"), Rule::MemoryLimit),
    ];
    let missing = cases.iter().filter(|(kept, _)| !kept);
    missing.map(|(_, rule)| *rule).collect()
}
