//! What is told of real objects.

use std::sync::{Arc, Mutex};

use farmops_agent::sources::SourceHealth;
use farmops_agent::sources::kubernetes::board::WatchState;
use farmops_plugin::KubernetesResource;
use farmops_testbed::{Cluster, shared};
use serde_json::{Value, json};

use crate::source::{Source, beside};

const PLUGIN: &str = "test/reader";

fn pod(namespace: &str, name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{secret-word: xyzzy}}}}\n\
         spec: {{nodeName: nowhere, containers: [{{name: web, image: example/web}}]}}\n"
    )
}

pub(crate) async fn kubectl(arguments: &[&str]) -> String {
    let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
    beside(move || shared().unwrap().kubectl(&arguments).unwrap()).await
}

pub(crate) async fn apply(document: String) {
    beside(move || shared().unwrap().apply(&document).unwrap()).await;
}

async fn say_ready(namespace: &str, name: &str, status: &str) {
    let patch = json!({"status": {"conditions": [
        {"type": "Ready", "status": status}, {"type": "Other", "status": status},
    ]}});
    kubectl(&[
        "patch",
        "pod",
        name,
        "-n",
        namespace,
        "--subresource=status",
        "--type=merge",
        "-p",
        &patch.to_string(),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_that_changes_and_stays_is_told_with_nothing_but_the_declared_fields() {
    let folder = tempfile::tempdir().unwrap();
    kubectl(&["create", "namespace", "told"]).await;
    apply(pod("told", "web-0")).await;
    say_ready("told", "web-0", "False").await;
    let kubeconfig = shared().unwrap().kubeconfig();
    let fields = [
        "status.conditions[type=Ready].status",
        "spec.containers[].image",
    ];
    let pods = KubernetesResource::new("pods", &fields).settle_seconds(2);
    let source = Source::start(
        folder.path(),
        &kubeconfig,
        &["told"],
        &[(PLUGIN, vec![pods])],
    )
    .await;
    let health = source.until_up().await;
    assert_eq!(health.watches[0].objects, 1);
    say_ready("told", "web-0", "True").await;
    let told = source.next(PLUGIN).await;
    let fields = |status: &str| {
        json!({
            "spec": {"containers": [{"image": "example/web"}]},
            "status": {"conditions": [{"status": status, "type": "Ready"}]},
        })
    };
    assert_eq!(told["before"]["fields"], fields("False"));
    assert_eq!(told["after"]["fields"], fields("True"));
    assert_eq!(told["name"], "web-0");
    assert_eq!(told["apiVersion"], "v1");
    assert_eq!(told["resource"], "pods");
    let members: Vec<&String> = told.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "resource",
            "apiVersion",
            "namespace",
            "name",
            "uid",
            "created",
            "before",
            "after"
        ]
    );
    assert!(!told.to_string().contains("xyzzy"));
    source.stop().await;
}

/// What is told of each object is a chain from its first value to its last, and nothing twice.
fn assert_chains(told: &[Value], names: &[String], first: &str, last: &str) {
    for name in names {
        let mut at = first.to_owned();
        let mut reached: Option<u64> = None;
        for one in told.iter().filter(|one| one["name"] == json!(name)) {
            let step = |of: &str| {
                let labels = &one[of]["fields"]["metadata"]["labels"];
                labels["step"].as_str().unwrap().to_owned()
            };
            assert_eq!(step("before"), at, "{name}");
            at = step("after");
            let number = at.parse().unwrap();
            assert!(
                reached.is_none_or(|reached| reached < number),
                "{name} goes back to {at}"
            );
            reached = Some(number);
        }
        assert_eq!(at, last, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_of_the_server_and_of_the_agent_under_change_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = beside(|| Arc::new(Mutex::new(Cluster::start().unwrap()))).await;
    let kubeconfig = cluster.lock().unwrap().kubeconfig();
    let names: Vec<String> = (0..60).map(|number| format!("pod-{number}")).collect();
    let step = {
        let names = names.clone();
        let cluster = Arc::clone(&cluster);
        move |step: u32| {
            let pods: Vec<String> = names
                .iter()
                .map(|name| {
                    let labels = format!("labels: {{step: \"{step}\"}}");
                    format!(
                        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: default, {labels}}}\n\
                         spec: {{nodeName: nowhere, containers: [{{name: web, image: example/web}}]}}\n"
                    )
                })
                .collect();
            let cluster = Arc::clone(&cluster);
            beside(move || cluster.lock().unwrap().apply(&pods.concat()).unwrap())
        }
    };
    step(0).await;
    let pods = KubernetesResource::new("pods", &["metadata.labels.step"]);
    let readers = [(PLUGIN, vec![pods])];
    let mut told = Vec::new();
    let mut source = Source::start(folder.path(), &kubeconfig, &[], &readers).await;
    source.until_up().await;
    for number in 1..=6 {
        let change = tokio::spawn(step(number));
        match number % 3 {
            0 => {
                // Ended wherever it is.
                told.extend(source.take(PLUGIN).await);
                source.stop().await;
                source = Source::start(folder.path(), &kubeconfig, &[], &readers).await;
                change.await.unwrap();
            }
            1 => {
                change.await.unwrap();
                let cluster = Arc::clone(&cluster);
                beside(move || {
                    let mut cluster = cluster.lock().unwrap();
                    cluster.stop_api().unwrap();
                    cluster.start_api().unwrap();
                })
                .await;
            }
            _ => {
                change.await.unwrap();
            }
        }
    }
    // Some of the last step may have been told before the last restart.
    let is_last = |one: &Value| one["after"]["fields"]["metadata"]["labels"]["step"] == json!("6");
    let mut lasts = names.clone();
    let strike = |lasts: &mut Vec<String>, one: &Value| {
        if is_last(one) {
            lasts.retain(|name| one["name"] != json!(name));
        }
    };
    for one in &told {
        strike(&mut lasts, one);
    }
    while !lasts.is_empty() {
        let one = source.next(PLUGIN).await;
        strike(&mut lasts, &one);
        told.push(one);
    }
    source.until_up().await;
    assert_eq!(source.take(PLUGIN).await, Vec::<Value>::new());
    assert_chains(&told, &names, "0", "6");
    source.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_missing_degrades_that_resource_alone_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    kubectl(&["create", "namespace", "rights"]).await;
    kubectl(&["create", "serviceaccount", "agent", "-n", "rights"]).await;
    let grant = |resource: &'static str| async move {
        let name = resource.replace('.', "-");
        let role = format!("--resource={resource}");
        kubectl(&[
            "create",
            "role",
            &name,
            "-n",
            "rights",
            "--verb=list,watch",
            &role,
        ])
        .await;
        let role = format!("--role={name}");
        let account = "--serviceaccount=rights:agent";
        kubectl(&[
            "create",
            "rolebinding",
            &name,
            "-n",
            "rights",
            &role,
            account,
        ])
        .await;
    };
    grant("pods").await;
    let kubeconfig = beside(|| shared().unwrap().kubeconfig_of("rights", "agent").unwrap()).await;
    let resources = vec![
        KubernetesResource::new("pods", &["status"]),
        KubernetesResource::new("deployments.apps", &["spec.replicas"]),
        KubernetesResource::new("certificates.cert-manager.io", &["spec"]).optional(),
    ];
    let readers = [(PLUGIN, resources)];
    let source = Source::start(folder.path(), &kubeconfig, &["rights"], &readers).await;
    let state = |health: &SourceHealth, resource: &str| {
        let mut watches = health.watches.iter();
        watches
            .find(|watch| watch.resource == resource)
            .map(|watch| watch.state)
    };
    let health = source
        .until(|health| {
            state(health, "pods") == Some(WatchState::Watching)
                && state(health, "deployments.apps") == Some(WatchState::Denied)
                && state(health, "certificates.cert-manager.io") == Some(WatchState::Absent)
        })
        .await;
    assert_eq!(
        health.reason.unwrap(),
        "deployments.apps in rights may not be listed (for test/reader)"
    );
    grant("deployments.apps").await;
    source.until_up().await;
    source.stop().await;
}
