//! What becomes of the chart in a cluster.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
    thread,
};

use farmops_testbed::{Cluster, Program, shared};
use serde_json::{Value, json};

use super::{READING, chart, rendered, sets, values};

const WRITING: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// A kind that Prometheus' operator brings; this much of it is enough to take one.
const SERVICE_MONITOR: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: servicemonitors.monitoring.coreos.com }
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: { kind: ServiceMonitor, listKind: ServiceMonitorList, plural: servicemonitors, singular: servicemonitor }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
";

/// A namespace that takes only pods of the strictest kind.
fn strict(cluster: &Cluster, name: &str) {
    cluster
        .apply(&format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels:\n    \
             pod-security.kubernetes.io/enforce: restricted\n    \
             pod-security.kubernetes.io/warn: restricted\n"
        ))
        .unwrap();
}

fn kubectl(cluster: &Cluster, line: &str) -> String {
    cluster.kubectl(line.split_whitespace()).unwrap()
}

fn helm(cluster: &Cluster, line: &str, set: &str, more: &[&str]) -> String {
    let (chart, values) = (chart(), values(set));
    let mut words: Vec<&str> = line.split_whitespace().collect();
    words.extend([
        chart.to_str().unwrap(),
        "--values",
        values.to_str().unwrap(),
    ]);
    words.extend(more);
    cluster.helm(words).unwrap()
}

/// Has the API server look at manifests with everything but storage; answers what it said.
fn dry_run(cluster: &Cluster, yaml: &str) -> Output {
    let mut command = cluster.command(Program::Kubectl).unwrap();
    command.args([
        "apply",
        "--dry-run=server",
        "--validate=strict",
        "--filename=-",
    ]);
    fed(&mut command, yaml)
}

/// Runs a command with `text` on its standard input.
fn fed(command: &mut Command, text: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(text.as_bytes()).unwrap();
    drop(pipe);
    child.wait_with_output().unwrap()
}

#[test]
fn the_api_server_takes_every_set_without_a_warning() {
    let cluster = shared().unwrap();
    strict(cluster, super::NAMESPACE);
    for namespace in ["shop", "billing"] {
        kubectl(cluster, &format!("create namespace {namespace}"));
    }
    cluster.apply(SERVICE_MONITOR).unwrap();
    kubectl(
        cluster,
        "wait crd/servicemonitors.monitoring.coreos.com --for=condition=Established --timeout=60s",
    );
    for set in sets() {
        let output = dry_run(cluster, &rendered(&set, &[]).unwrap());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{set}: {said}");
    }
    // That it would have been seen.
    let lax = rendered("least", &[])
        .unwrap()
        .replace("runAsNonRoot: true", "runAsNonRoot: false");
    let said = dry_run(cluster, &lax).stderr;
    assert!(String::from_utf8_lossy(&said).contains("would violate PodSecurity"));
}

#[test]
fn a_release_comes_changes_and_goes_without_a_trace() {
    let cluster = shared().unwrap();
    strict(cluster, "life");
    helm(cluster, "install fleeting --namespace life", "least", &[]);
    let pods = |more: &str| {
        let line = format!("get pods --namespace life --output json {more}");
        let list: Value = serde_json::from_str(&kubectl(cluster, &line)).unwrap();
        list["items"].as_array().unwrap().clone()
    };
    let made = |generation: u32| {
        let line =
            "wait deployment/fleeting-farmops-agent --namespace life --timeout=60s --for=jsonpath=";
        kubectl(
            cluster,
            &format!("{line}{{.status.observedGeneration}}={generation}"),
        );
        kubectl(cluster, &format!("{line}{{.status.replicas}}=1"));
        kubectl(cluster, &format!("{line}{{.status.updatedReplicas}}=1"));
    };
    made(1);
    let first = pods("");
    assert_eq!(first.len(), 1);
    assert_eq!(first[0]["status"]["phase"], "Pending");

    helm(
        cluster,
        "upgrade fleeting --namespace life",
        "least",
        &["--set=farmer.name=bob"],
    );
    made(2);
    let second = pods("");
    assert_eq!(second.len(), 1);
    let (before, after) = (&first[0]["metadata"], &second[0]["metadata"]);
    assert_ne!(
        before["uid"], after["uid"],
        "new configuration needs a new pod"
    );
    assert!(
        cluster
            .helm("get notes fleeting --namespace life".split(' '))
            .unwrap()
            .contains("for bob")
    );

    tested(cluster);

    cluster
        .helm("uninstall fleeting --namespace life".split(' '))
        .unwrap();
    let mine = "--selector app.kubernetes.io/instance=fleeting --namespace life";
    kubectl(
        cluster,
        &format!("wait pods,persistentvolumeclaims {mine} --for=delete --timeout=60s"),
    );
    for kinds in [
        "deployments,replicasets,pods,services,configmaps,secrets,serviceaccounts,persistentvolumeclaims",
        "roles,rolebindings,clusterroles,clusterrolebindings,networkpolicies,leases",
    ] {
        let left = kubectl(cluster, &format!("get {kinds} {mine} --output name"));
        assert_eq!(left, "");
    }
    let left = kubectl(
        cluster,
        "get secrets,configmaps --namespace life --output name",
    );
    // Which Kubernetes puts into every namespace.
    assert_eq!(left.trim(), "configmap/kube-root-ca.crt", "Helm's own");
}

/// `helm test`: nothing runs the pod here, so this says how it ended.
fn tested(cluster: &Cluster) {
    thread::scope(|scope| {
        let test =
            scope.spawn(|| cluster.helm("test fleeting --namespace life --timeout 60s".split(' ')));
        let pod = "pod/fleeting-farmops-agent-test --namespace life";
        kubectl(cluster, &format!("wait {pod} --for=create --timeout=60s"));
        let ended = r#"{"status":{"phase":"Succeeded"}}"#;
        kubectl(
            cluster,
            &format!("patch {pod} --subresource=status --patch={ended}"),
        );
        let said = test.join().unwrap().unwrap();
        assert!(said.contains("Succeeded"), "{said}");
    });
}

/// What the notes say may be read.
fn told(notes: &str) -> Vec<&str> {
    notes
        .lines()
        .filter_map(|line| line.strip_prefix("  - "))
        .collect()
}

struct Account<'a> {
    cluster: &'a Cluster,
    name: &'a str,
}

impl Account<'_> {
    /// Whether it may do this with `plural.group`; no namespace means all of them.
    fn may(&self, verb: &str, resource: &str, namespace: &str) -> bool {
        self.may_one(verb, resource, "", namespace)
    }

    /// Asks as `kubectl auth can-i --as` does, which however knows only resources that are served now.
    fn may_one(&self, verb: &str, resource: &str, name: &str, namespace: &str) -> bool {
        let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
        let (plural, subresource) = plural.split_once('/').unwrap_or((plural, ""));
        let (home, _) = self.name.split_once(':').unwrap();
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": format!("system:serviceaccount:{}", self.name),
                "groups": [
                    "system:serviceaccounts",
                    format!("system:serviceaccounts:{home}"),
                    "system:authenticated",
                ],
                "resourceAttributes": {
                    "verb": verb, "group": group, "resource": plural,
                    "subresource": subresource, "name": name, "namespace": namespace,
                },
            },
        });
        let mut command = self.cluster.command(Program::Kubectl).unwrap();
        command.args([
            "create",
            "--filename=-",
            "--output=jsonpath={.status.allowed}",
        ]);
        let output = fed(&mut command, &review.to_string());
        match String::from_utf8_lossy(&output.stdout).as_ref() {
            "true" => true,
            "false" => false,
            other => panic!("{verb} {resource}: {other}"),
        }
    }
}

#[test]
fn the_api_server_grants_what_the_notes_say_in_the_whole_cluster() {
    let cluster = shared().unwrap();
    strict(cluster, "whole");
    helm(cluster, "install one --namespace whole", "least", &[]);
    let notes = cluster
        .helm("get notes one --namespace whole".split(' '))
        .unwrap();
    assert!(notes.contains("in the whole cluster"), "{notes}");
    let told = told(&notes);
    assert!(told.contains(&"pods") && told.contains(&"deployments.apps"));
    let name = "whole:one-farmops-agent";
    let account = Account { cluster, name };
    for resource in &told {
        for verb in READING {
            assert!(account.may(verb, resource, ""), "{verb} {resource}");
        }
    }
    for verb in WRITING {
        assert!(!account.may(verb, "pods", "whole"), "{verb}");
    }
    for resource in ["secrets", "nodes", "configmaps", "pods/log"] {
        for verb in READING {
            assert!(!account.may(verb, resource, "whole"), "{verb} {resource}");
        }
    }
    for resource in [
        "pods/exec",
        "pods/portforward",
        "serviceaccounts/token",
        "leases.coordination.k8s.io",
    ] {
        assert!(!account.may("create", resource, "whole"), "{resource}");
    }
    assert!(!account.may("*", "*", ""));
}

#[test]
fn the_api_server_grants_what_the_notes_say_in_some_namespaces() {
    let cluster = shared().unwrap();
    for namespace in ["narrow", "here", "there"] {
        strict(cluster, namespace);
    }
    let only = "--set=kubernetes.namespaces={here}";
    helm(
        cluster,
        "install one --namespace narrow",
        "namespaced",
        &[only],
    );
    let notes = cluster
        .helm("get notes one --namespace narrow".split(' '))
        .unwrap();
    assert!(notes.contains("in here only"), "{notes}");
    let account = Account {
        cluster,
        name: "narrow:watcher",
    };
    let told = told(&notes);
    assert_eq!(told.len(), 5);
    for resource in told {
        assert!(account.may("list", resource, "here"), "{resource}");
        assert!(!account.may("list", resource, "there"), "{resource}");
        assert!(!account.may("list", resource, ""), "{resource}");
    }
    assert!(!account.may("get", "secrets", "here"));
}

#[test]
fn a_standby_may_write_its_lease_and_no_other() {
    let cluster = shared().unwrap();
    strict(cluster, "pair");
    helm(cluster, "install one --namespace pair", "standby", &[]);
    let notes = cluster
        .helm("get notes one --namespace pair".split(' '))
        .unwrap();
    assert!(
        notes.contains("it may write the lease one-farmops-agent in pair"),
        "{notes}"
    );
    kubectl(
        cluster,
        "wait deployment/one-farmops-agent --namespace pair --for=jsonpath={.status.replicas}=2 --timeout=60s",
    );
    let account = Account {
        cluster,
        name: "pair:one-farmops-agent",
    };
    let lease = "leases.coordination.k8s.io";
    assert!(account.may("create", lease, "pair"));
    for verb in ["patch", "delete", "list", "watch"] {
        assert!(
            !account.may_one(verb, lease, "one-farmops-agent", "pair"),
            "{verb}"
        );
    }
    for verb in ["get", "update"] {
        let may = |name, namespace| account.may_one(verb, lease, name, namespace);
        assert!(may("one-farmops-agent", "pair"), "{verb}");
        assert!(!may("other", "pair"), "{verb}");
        assert!(!may("one-farmops-agent", "default"), "{verb}");
    }
}
