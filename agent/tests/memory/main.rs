//! Memory of the Kubernetes source: it does not grow with the number of objects. A process of its own, so that
//! nothing else is measured; the server that answers it is in there too.

#![allow(clippy::unwrap_used)]

#[path = "../kubernetes/script.rs"]
mod script;
#[allow(dead_code)]
#[path = "../cluster/source.rs"]
mod source;

use farmops_plugin::KubernetesResource;
use serde_json::json;

use crate::script::{Answer, Piece, Server, pod};
use crate::source::Source;

const OBJECTS: usize = 5000;

/// A line of `/proc/self/status`, in KiB.
fn memory(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

#[tokio::test]
async fn five_thousand_objects_need_little_more_than_none() {
    // Each watch but the last ends in the loss of its place, so that all is listed anew.
    let gone = json!({"kind": "Status", "code": 410});
    let bookmark = || Piece::Event("BOOKMARK", pod("b", "x", 7));
    let server = Server::start(Vec::new(), Vec::new()).await;
    let folder = tempfile::tempdir().unwrap();
    let pods = vec![KubernetesResource::new("pods", &["status.phase"])];
    let readers = [("test/reader", pods)];
    let source = Source::start(folder.path(), &server.kubeconfig(), &[], &readers).await;
    source.until_up().await;
    source.stop().await;
    let idle = memory("VmRSS");

    server.fill(OBJECTS);
    let folder = tempfile::tempdir().unwrap();
    server.then_watch(Answer::Stream(vec![
        bookmark(),
        Piece::Event("ERROR", gone),
    ]));
    forget_peak();
    let source = Source::start(folder.path(), &server.kubeconfig(), &[], &readers).await;
    let watched = |count: usize| {
        let server = &server;
        let source = &source;
        async move {
            let watches = || {
                let asked = server.asked();
                asked
                    .iter()
                    .filter(|(_, query)| query.contains("watch=1"))
                    .count()
            };
            source.until(|health| health.up && watches() >= count).await
        }
    };
    let health = watched(3).await;
    assert_eq!(health.watches[0].objects, i64::try_from(OBJECTS).unwrap());
    let (steady, peak) = (memory("VmRSS"), memory("VmHWM"));
    println!(
        "KiB: without objects {idle}, with {OBJECTS} {steady}, at the peak of two lists {peak}"
    );
    assert!(steady < idle + 24 * 1024, "{idle} KiB grew to {steady}");
    assert!(
        peak * 10 < steady * 13,
        "{steady} KiB, but {peak} while listing"
    );
    source.stop().await;
}
