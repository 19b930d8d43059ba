//! A candidate over a server that answers late, and what a leader takes to its work.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex, mpsc};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use k8s_openapi::api::coordination::v1::Lease as LeaseObject;
use serde_json::json;

use super::election::Timing;
use super::*;

/// The lease, and how long the whole machine stands still at the next write.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<(Option<LeaseObject>, Duration)>>);

async fn read(State(script): State<Script>) -> Response {
    let lease = script.0.lock().unwrap().0.clone();
    if let Some(lease) = lease {
        return Json(lease).into_response();
    }
    let status = json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404});
    (http::StatusCode::NOT_FOUND, Json(status)).into_response()
}

async fn write(State(script): State<Script>, Json(mut lease): Json<LeaseObject>) -> Response {
    let mut script = script.0.lock().unwrap();
    let before = script.0.as_ref().map(|lease| &lease.metadata);
    let version = before.and_then(|before| before.resource_version.clone());
    if lease.metadata.resource_version != version {
        return http::StatusCode::CONFLICT.into_response();
    }
    let version: u64 = version.map_or(0, |version| version.parse().unwrap());
    lease.metadata.resource_version = Some((version + 1).to_string());
    lease.metadata.uid = Some("uid".to_owned());
    script.0 = Some(lease.clone());
    std::thread::sleep(std::mem::take(&mut script.1));
    Json(lease).into_response()
}

/// A candidate before a server that follows `script`, in the same thread.
async fn candidate(script: &Script, name: &str) -> Standby {
    farmops_service::tls::init();
    let leases = "/apis/coordination.k8s.io/v1/namespaces/n/leases";
    let router = axum::Router::new()
        .route(leases, axum::routing::post(write))
        .route(&format!("{leases}/l"), get(read).put(write))
        .with_state(script.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut way = kube::Config::new(url.parse().unwrap());
    way.default_retry = false;
    let client = kube::Client::try_from(way).unwrap();
    let timing = Timing {
        lease: Duration::from_millis(600),
        renew: Duration::from_millis(400),
        retry: Duration::from_millis(50),
    };
    Standby {
        server: LeaseServer::new(client, "n", "l", name.to_owned()),
        election: Election::new(name.to_owned(), timing),
        begin: Instant::now(),
        view: watch::Sender::default(),
    }
}

#[test]
fn a_candidate_whose_claim_is_answered_when_it_has_run_out_stands_again() {
    let (tell, told) = mpsc::channel();
    // In a thread of its own: one that spins for ever would hold up the test as well.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let script = Script::default();
            script.0.lock().unwrap().1 = Duration::from_millis(500);
            let standby = candidate(&script, "first").await;
            let leadership = standby.lead(CancellationToken::new()).await.unwrap();
            let mandate = leadership.mandate();
            tell.send((mandate.holds(), mandate.succession)).unwrap();
            leadership.mandate.tenure.close();
        });
    });
    let (holds, succession) = told.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(holds);
    let before = succession.before.unwrap();
    assert_eq!((before.holder.as_str(), before.number), ("first", 0));
    assert_eq!(succession.now.number, 1);
    assert_ne!(succession.now.holder, "first");
}

#[tokio::test]
async fn a_replica_knows_whose_term_its_own_follows() {
    let script = Script::default();
    let stop = CancellationToken::new();
    let mut last: Option<Term> = None;
    // One that gave it up, one that did not, and another one in between.
    for (name, led_before, unbroken, gives_up) in [
        ("a1", true, true, true),
        ("a2", true, true, false),
        ("b1", false, false, true),
        ("a3", true, false, true),
    ] {
        let standby = candidate(&script, name).await;
        let leads = tokio::time::timeout(Duration::from_secs(20), standby.lead(stop.clone()));
        let leadership = leads.await.unwrap().unwrap();
        let succession = leadership.mandate().succession;
        let own = last.as_ref().filter(|_| led_before);
        assert_eq!(
            succession.is_unbroken(own),
            unbroken,
            "{name}: {succession:?}"
        );
        if led_before {
            last = Some(succession.now);
        }
        if gives_up {
            leadership.end().await;
        } else {
            leadership.mandate.tenure.close();
            leadership.task.abort();
            let _ = leadership.task.await;
        }
    }
}

#[test]
fn what_is_not_known_of_a_term_counts_as_somebody_elses() {
    let term = |lease: &str, number, holder: &str| Term {
        lease: lease.to_owned(),
        number,
        holder: holder.to_owned(),
    };
    let last = term("uid", 4, "a");
    for (before, unbroken) in [
        (Some(term("uid", 4, "a")), true),
        (Some(term("uid", 4, "")), true),
        (Some(term("uid", 4, "b")), false),
        (Some(term("uid", 5, "a")), false),
        (Some(term("anew", 4, "a")), false),
        (None, false),
    ] {
        let now = term("uid", 9, "a");
        let succession = Succession { before, now };
        let told = succession.is_unbroken(Some(&last));
        assert_eq!(told, unbroken, "{succession:?}");
        // One that has never led, where somebody has.
        let first = succession.is_unbroken(None);
        assert_eq!(first, succession.before.is_none(), "{succession:?}");
    }
}

#[test]
fn a_mandate_holds_until_its_tenure_is_over() {
    let begin = Instant::now().checked_sub(Duration::from_secs(10)).unwrap();
    let holds_until = |seconds| {
        let tenure = Tenure::new(begin, Duration::ZERO);
        tenure.extend(Duration::from_secs(seconds));
        let term = Term {
            lease: String::new(),
            number: 0,
            holder: String::new(),
        };
        let succession = Succession {
            before: None,
            now: term,
        };
        Mandate { succession, tenure }
    };
    assert!(!holds_until(9).holds());
    assert!(holds_until(60).holds());
    assert!(!holds_until(9).tenure.is_over(GRACE));
    assert!(holds_until(6).tenure.is_over(GRACE));
}
