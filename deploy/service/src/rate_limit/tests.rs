//! Limits by the clock of the test, and addresses behind proxies.
#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::response::Response;
use axum::routing::get;
use governor::clock::FakeRelativeClock;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use tower::ServiceExt as _;

use super::{ClientAddresses, Policy, RateKey, RateLimit, address};

/// Three requests in thirty seconds: one comes back every ten.
fn policy() -> Policy {
    let number = |n| NonZeroU32::new(n).unwrap();
    Policy::new("visits", number(3), number(30))
}

struct Inn {
    clock: FakeRelativeClock,
    router: Router,
}

impl Inn {
    fn new() -> Self {
        let clock = FakeRelativeClock::default();
        let addresses = Arc::new(ClientAddresses::default());
        let limit = RateLimit::with_clock(policy(), addresses, clock.clone());
        let router = Router::new().route("/", get(async || "welcome"));
        Self {
            clock,
            router: router.layer(limit.layer()),
        }
    }

    async fn visit(&self, peer: &str, key: Option<&str>) -> Response {
        let mut request = Request::get("/").body(Body::empty()).unwrap();
        let peer = SocketAddr::new(peer.parse().unwrap(), 4321);
        request.extensions_mut().insert(ConnectInfo(peer));
        if let Some(key) = key {
            request.extensions_mut().insert(RateKey(key.to_owned()));
        }
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn left(&self, peer: &str) -> String {
        let answer = self.visit(peer, None).await;
        answer.headers()["ratelimit"].to_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn answers_count_down_and_the_one_too_many_is_a_problem() {
    let inn = Inn::new();
    assert_eq!(inn.left("192.0.2.1").await, r#""visits";r=2;t=10"#);
    assert_eq!(inn.left("192.0.2.1").await, r#""visits";r=1;t=20"#);
    assert_eq!(inn.left("192.0.2.1").await, r#""visits";r=0;t=10"#);
    inn.clock.advance(Duration::from_millis(2500));
    let answer = inn.visit("192.0.2.1", None).await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers()["retry-after"], "8");
    assert_eq!(answer.headers()["ratelimit"], r#""visits";r=0;t=8"#);
    assert_eq!(answer.headers()["ratelimit-policy"], r#""visits";q=3;w=30"#);
    let body = to_bytes(answer.into_body(), 4096).await.unwrap();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["code"], "quota-exceeded");
    assert_eq!(problem["violated-policies"][0], "visits");
    inn.clock.advance(Duration::from_secs(8));
    assert_eq!(inn.visit("192.0.2.1", None).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn each_client_has_its_own_quota() {
    let inn = Inn::new();
    for _ in 0..4 {
        inn.visit("192.0.2.1", None).await;
    }
    let refused = inn.visit("192.0.2.1", None).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    // A place is drawn from 65,536, so one other client may share it; five do not all.
    let others = ["192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8:0:1::1"];
    let mut served = 0;
    for other in others {
        served += u32::from(inn.visit(other, None).await.status() == StatusCode::OK);
    }
    let known = inn.visit("192.0.2.1", Some("token 7")).await;
    served += u32::from(known.status() == StatusCode::OK);
    assert!(served >= 4, "{served}");
}

#[tokio::test]
async fn two_layers_say_both() {
    let addresses = Arc::new(ClientAddresses::default());
    let number = |n| NonZeroU32::new(n).unwrap();
    let wide = RateLimit::new(
        Policy::new("wide", number(9), number(9)),
        Arc::clone(&addresses),
    );
    let narrow = RateLimit::new(policy(), addresses);
    let router = Router::new().route("/", get(async || "welcome"));
    let router = router.layer(narrow.layer()).layer(wide.layer());
    let request = Request::get("/").body(Body::empty()).unwrap();
    let answer = router.oneshot(request).await.unwrap();
    let said: Vec<_> = answer
        .headers()
        .get_all("ratelimit-policy")
        .iter()
        .collect();
    assert_eq!(said, [r#""visits";q=3;w=30"#, r#""wide";q=9;w=9"#]);
}

#[test]
fn an_ipv6_host_is_its_network() {
    let network = |text: &str| address::network(text.parse().unwrap()).to_string();
    assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    assert_eq!(network("192.0.2.1"), "192.0.2.1");
    assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
}

/// Each line: the peer, the fields, and who is believed to ask. `10.0.0.0/8` and `fd00::1` are trusted.
#[test]
fn only_trusted_proxies_are_believed() {
    let addresses = ClientAddresses::trusting(&["10.0.0.0/8", "fd00::1"]).unwrap();
    let told = |peer: &str, fields: &[(&'static str, &'static str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name = HeaderName::from_static(name);
            headers.append(name, HeaderValue::from_static(value));
        }
        let peer: IpAddr = peer.parse().unwrap();
        addresses.of(peer, &headers).to_string()
    };
    let list = "x-forwarded-for";
    for (peer, fields, client) in [
        ("203.0.113.9", &[(list, "192.0.2.1")][..], "203.0.113.9"),
        ("10.0.0.1", &[(list, "192.0.2.1")], "192.0.2.1"),
        ("::ffff:10.0.0.1", &[(list, "192.0.2.1")], "192.0.2.1"),
        // What the client wrote itself stands further left.
        (
            "10.0.0.1",
            &[(list, "6.6.6.6, 192.0.2.1, 10.0.0.2")],
            "192.0.2.1",
        ),
        (
            "10.0.0.1",
            &[(list, "6.6.6.6"), (list, "192.0.2.1")],
            "192.0.2.1",
        ),
        (
            "10.0.0.1",
            &[(list, "192.0.2.1, nonsense, 10.0.0.2")],
            "10.0.0.2",
        ),
        ("10.0.0.1", &[(list, "")], "10.0.0.1"),
        ("10.0.0.1", &[], "10.0.0.1"),
        (
            "10.0.0.1",
            &[("forwarded", "for=192.0.2.1;proto=https")],
            "192.0.2.1",
        ),
        (
            "10.0.0.1",
            &[("forwarded", "For=\"[2001:db8::7]:4711\"")],
            "2001:db8::7",
        ),
        (
            "fd00::1",
            &[("forwarded", "for=6.6.6.6, for=192.0.2.1:80")],
            "192.0.2.1",
        ),
        ("10.0.0.1", &[("forwarded", "for=unknown")], "10.0.0.1"),
        ("10.0.0.1", &[("forwarded", "for=_secret")], "10.0.0.1"),
        (
            "10.0.0.1",
            &[("forwarded", "for=1.1.1.1;for=192.0.2.1")],
            "10.0.0.1",
        ),
        // A proxy that writes one field passes the other on as the client made it.
        (
            "10.0.0.1",
            &[("forwarded", "for=6.6.6.6"), (list, "192.0.2.1")],
            "10.0.0.1",
        ),
        (
            "10.0.0.1",
            &[("forwarded", "for=192.0.2.1"), (list, "192.0.2.1")],
            "192.0.2.1",
        ),
    ] {
        assert_eq!(told(peer, fields), client, "{peer} {fields:?}");
    }
}

#[test]
fn the_setting_is_a_list_of_networks() {
    let read = serde_json::from_str::<ClientAddresses>;
    assert_eq!(
        read(r#"["10.0.0.0/8","::1"]"#).unwrap(),
        ClientAddresses::trusting(&["10.0.0.0/8", "::1"]).unwrap()
    );
    let error = read(r#"["10.0.0.0/33"]"#).unwrap_err().to_string();
    assert!(error.contains("10.0.0.0/33"), "{error}");
}
