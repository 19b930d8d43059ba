//! A cluster comes up, works as Kubernetes does, survives what its test does to it, and leaves nothing behind.
#![allow(clippy::unwrap_used)]

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use farmops_testbed::{Cluster, Error, shared};

/// Set for the process that is to be killed.
const VICTIM: &str = "FARMOPS_TESTBED_VICTIM";

fn said(error: Error) -> String {
    match error {
        Error::Failed { said, .. } => said,
        other => panic!("{other}"),
    }
}

fn listens(url: &str) -> bool {
    TcpStream::connect(url.trim_start_matches("https://")).is_ok()
}

/// Whether a process has the folder on its command line.
fn is_used(folder: &Path) -> bool {
    let folder = folder.to_str().unwrap();
    let lines = fs::read_dir("/proc").unwrap().flatten();
    lines
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .any(|line| String::from_utf8_lossy(&line).contains(folder))
}

#[test]
fn a_service_account_may_do_what_its_roles_say() {
    let cluster = shared().unwrap();
    cluster.kubectl(["create", "namespace", "roles"]).unwrap();
    cluster
        .kubectl(["create", "serviceaccount", "reader", "-n", "roles"])
        .unwrap();
    let reader = cluster.kubeconfig_of("roles", "reader").unwrap();
    let flag = format!("--kubeconfig={}", reader.display());
    let list = |namespace| cluster.kubectl(["get", "pods", &flag, "-n", namespace]);

    let refused = said(list("roles").unwrap_err());
    assert!(
        refused.contains("\"system:serviceaccount:roles:reader\" cannot list"),
        "{refused}"
    );
    cluster
        .kubectl("create role reads -n roles --verb=get,list --resource=pods".split(' '))
        .unwrap();
    let binding = "create rolebinding reads -n roles --role=reads --serviceaccount=roles:reader";
    cluster.kubectl(binding.split(' ')).unwrap();
    list("roles").unwrap();
    assert!(said(list("default").unwrap_err()).contains("Forbidden"));
}

#[test]
fn a_strict_namespace_refuses_a_lax_pod() {
    let cluster = shared().unwrap();
    let label = "pod-security.kubernetes.io/enforce: restricted";
    cluster
        .apply(&format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: strict\n  labels: {{ {label} }}\n"
        ))
        .unwrap();
    let pod = |namespace: &str, security: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: one, namespace: {namespace} }}\n\
             spec: {{ containers: [{{ name: one, image: one, securityContext: {security} }}] }}\n"
        )
    };
    let lax = "{ privileged: true }";
    let strict = "{ runAsNonRoot: true, allowPrivilegeEscalation: false, \
                  capabilities: { drop: [ALL] }, seccompProfile: { type: RuntimeDefault } }";
    let refused = said(cluster.apply(&pod("strict", lax)).unwrap_err());
    assert!(refused.contains("violates PodSecurity"), "{refused}");
    cluster.apply(&pod("strict", strict)).unwrap();
    cluster.apply(&pod("default", lax)).unwrap();
}

#[test]
fn a_deployment_gets_its_pods_and_a_test_writes_their_status() {
    let cluster = shared().unwrap();
    cluster.kubectl(["create", "namespace", "pods"]).unwrap();
    let kubectl = |line: &str| {
        let words = line.split(' ').chain(["--namespace=pods"]);
        cluster.kubectl(words).unwrap()
    };
    kubectl("create deployment web --image=web --replicas=2");
    kubectl("wait deployment/web --for=jsonpath={.status.replicas}=2 --timeout=60s");
    let names = kubectl("get pods --output=name");
    assert_eq!(names.lines().count(), 2);
    for pod in names.lines() {
        let ready =
            r#"{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}"#;
        kubectl(&format!("patch {pod} --subresource=status --patch={ready}"));
    }
    kubectl("wait deployment/web --for=condition=Available --timeout=60s");
}

#[test]
fn the_data_survive_a_restart_of_the_api_server_and_a_dropped_cluster_is_gone() {
    // A flag of the test's own stays, too: this deprecated version is not served unless asked for.
    let version = "networking.k8s.io/v1beta1";
    let mut cluster = Cluster::start_with(&[&format!("--runtime-config={version}=true")]).unwrap();
    let (url, home) = (cluster.url(), cluster.folder().to_owned());
    let served = |cluster: &Cluster| cluster.kubectl(["api-versions"]).unwrap().contains(version);
    assert!(served(&cluster));
    assert!(!served(shared().unwrap()));
    let read = "get configmap kept --output=jsonpath={.data.is}";
    cluster
        .kubectl("create configmap kept --from-literal=is=here".split(' '))
        .unwrap();
    let account = cluster.kubeconfig_of("default", "default").unwrap();

    cluster.stop_api().unwrap();
    assert!(!listens(&url));
    cluster.kubectl(read.split(' ')).unwrap_err();

    cluster.start_api().unwrap();
    assert_eq!(cluster.url(), url);
    assert_eq!(cluster.kubectl(read.split(' ')).unwrap(), "here");
    assert!(served(&cluster));
    let whoami = format!("auth whoami --kubeconfig={}", account.display());
    cluster.kubectl(whoami.split(' ')).unwrap();

    assert!(is_used(&home));
    drop(cluster);
    assert!(!listens(&url) && !is_used(&home) && !home.exists());
}

#[test]
fn an_api_server_that_cannot_start_says_why() {
    let error = Cluster::start_with(&["--no-such-flag"]).unwrap_err();
    assert!(
        matches!(&error, Error::NotUp { server: "kube-apiserver", said } if said.contains("--no-such-flag")),
        "{error}"
    );
}

#[test]
fn a_cluster_does_not_outlive_a_killed_process() {
    if env::var_os(VICTIM).is_some() {
        let cluster = Cluster::start().unwrap();
        println!("victim {} {}", cluster.url(), cluster.folder().display());
        std::thread::park();
    }
    let mut victim = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_cluster_does_not_outlive_a_killed_process"])
        .arg("--nocapture")
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (url, home): (String, PathBuf) = BufReader::new(victim.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find_map(|line| {
            let mut words = line.split_once("victim ")?.1.split(' ');
            Some((words.next()?.to_owned(), words.next()?.into()))
        })
        .unwrap();
    assert!(listens(&url) && is_used(&home));
    victim.kill().unwrap();
    victim.wait().unwrap();
    // Its servers are nobody's children any more: all one can do is to look.
    while listens(&url) || is_used(&home) || home.exists() {
        std::thread::yield_now();
    }
}
