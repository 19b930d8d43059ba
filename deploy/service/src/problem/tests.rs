//! Error documents as a client sees them.
#![allow(clippy::unwrap_used)]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::{get, post};
use http::{Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{
    Bounded, Path, Problem, Query, StrictJson, catch_panics, method_not_allowed_fallback,
    normalise, not_found_fallback,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    lines: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    amount: u32,
}

#[derive(Deserialize)]
struct Page {
    limit: u32,
}

fn app() -> Router {
    let router = Router::new()
        .route(
            "/orders",
            post(async |StrictJson(order): StrictJson<Order, 64>| {
                let sum: u32 = order.lines.iter().map(|line| line.amount).sum();
                sum.to_string()
            }),
        )
        .route("/raw", post(async |Bounded(raw): Bounded<8>| raw))
        .route(
            "/page",
            get(async |Query(page): Query<Page>| page.limit.to_string()),
        )
        .route(
            "/fields/{field}/rows/{row}",
            get(async |Path((field, row)): Path<(String, u8)>| format!("{field} {row}")),
        )
        .route(
            "/rows/{row}",
            get(async |Path(row): Path<u8>| row.to_string()),
        )
        .route(
            "/plain-page",
            get(
                async |axum::extract::Query(page): axum::extract::Query<Page>| {
                    page.limit.to_string()
                },
            ),
        )
        .route(
            "/panic",
            get(async || -> String { panic!("the barn burns") }),
        )
        .route(
            "/plain",
            get(async || (StatusCode::INTERNAL_SERVER_ERROR, "password=hunter2")),
        )
        .route("/busy", get(async || Problem::unavailable(7)))
        .route("/secret", get(async || Problem::unauthorized()))
        .route(
            "/broken",
            get(async || Problem::internal(&std::io::Error::other("disk on fire"))),
        )
        .fallback(not_found_fallback)
        .method_not_allowed_fallback(method_not_allowed_fallback);
    normalise(catch_panics(router))
}

async fn ask(request: Request<Body>) -> Response<Body> {
    app().oneshot(request).await.unwrap()
}

fn order(body: impl Into<Body>) -> Request<Body> {
    Request::post("/orders")
        .header("content-type", "application/json; charset=utf-8")
        .body(body.into())
        .unwrap()
}

fn path(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

/// Checks status and media type and gives the document.
async fn document(response: Response<Body>, status: StatusCode) -> Value {
    assert_eq!(response.status(), status);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let bytes = to_bytes(response.into_body(), 4096).await.unwrap();
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(document["status"], status.as_u16());
    document
}

#[tokio::test]
async fn a_good_order_passes() {
    let response = ask(order(r#"{"lines":[{"amount":3},{"amount":4}]}"#)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(&to_bytes(response.into_body(), 16).await.unwrap()[..], b"7");
}

#[tokio::test]
async fn a_bad_value_names_its_path() {
    let response = ask(order(r#"{"lines":[{"amount":3},{"amount":"x"}]}"#)).await;
    let document = document(response, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(document["field"], "lines[1].amount");
    assert_eq!(document["type"], "urn:farmops:problem:unprocessable");
}

#[tokio::test]
async fn malformed_json_and_trailing_bytes_are_bad_requests() {
    for body in ["{", r#"{"lines":[]} {}"#, ""] {
        document(ask(order(body)).await, StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn a_list_of_its_values_is_no_object() {
    let response = ask(order(r#"[[{"amount":3}]]"#)).await;
    let document = document(response, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(document["detail"], "expected an object");
}

#[tokio::test]
async fn an_unknown_member_is_refused() {
    let document = document(
        ask(order(r#"{"lines":[],"x":1}"#)).await,
        StatusCode::UNPROCESSABLE_ENTITY,
    )
    .await;
    assert!(document["detail"].as_str().unwrap().contains("`x`"));
}

#[tokio::test]
async fn a_long_body_is_refused_announced_or_not() {
    let announced = order(" ".repeat(65));
    assert_eq!(
        document(ask(announced).await, StatusCode::PAYLOAD_TOO_LARGE).await["limit"],
        64
    );
    let chunks = futures::stream::repeat_with(|| Ok::<_, std::io::Error>("        "));
    let endless = order(Body::from_stream(chunks));
    document(ask(endless).await, StatusCode::PAYLOAD_TOO_LARGE).await;
}

#[tokio::test]
async fn the_raw_body_is_taken_up_to_its_cap() {
    let raw = |body: &'static str| Request::post("/raw").body(Body::from(body)).unwrap();
    assert_eq!(ask(raw("12345678")).await.status(), StatusCode::OK);
    document(ask(raw("123456789")).await, StatusCode::PAYLOAD_TOO_LARGE).await;
}

#[tokio::test]
async fn another_media_type_is_refused() {
    let request = Request::post("/orders").body(Body::from("{}")).unwrap();
    document(ask(request).await, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
}

#[tokio::test]
async fn answers_that_axum_makes_itself_are_problems_too() {
    let missing = document(ask(path("/nowhere")).await, StatusCode::NOT_FOUND).await;
    assert_eq!(missing["code"], "not-found");
    let wrong_method = ask(path("/orders")).await;
    assert_eq!(wrong_method.headers()["allow"], "POST");
    document(wrong_method, StatusCode::METHOD_NOT_ALLOWED).await;
    let query = document(
        ask(path("/plain-page?limit=x")).await,
        StatusCode::BAD_REQUEST,
    )
    .await;
    assert!(query["detail"].as_str().unwrap().contains("limit"));
}

#[tokio::test]
async fn nothing_from_inside_leaks() {
    for inside in ["/panic", "/broken", "/plain"] {
        let document = document(ask(path(inside)).await, StatusCode::INTERNAL_SERVER_ERROR).await;
        assert_eq!(document.get("detail"), None);
        assert_eq!(document["code"], "internal");
    }
}

#[tokio::test]
async fn headers_that_belong_to_the_status_are_set() {
    assert_eq!(ask(path("/busy")).await.headers()["retry-after"], "7");
    assert_eq!(
        ask(path("/secret")).await.headers()["www-authenticate"],
        "Bearer"
    );
}

#[test]
fn the_document_has_the_standard_members_and_extensions() {
    let problem = Problem::conflict("the chain has another head")
        .code("chain-fork")
        .field("previous")
        .extension("head", json!({"length": 3}))
        .extension("status", 200);
    assert_eq!(
        serde_json::to_value(problem).unwrap(),
        json!({
            "type": "urn:farmops:problem:chain-fork",
            "title": "Conflict",
            "status": 409,
            "code": "chain-fork",
            "detail": "the chain has another head",
            "field": "previous",
            "head": {"length": 3},
        })
    );
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    for (target, field, reason) in [
        ("/page?limit=x", "limit", "expected a whole number"),
        ("/page?limit=", "limit", "expected a whole number"),
        (
            "/page?limit=5000000000",
            "limit",
            "expected a smaller number",
        ),
        ("/page", "limit", "missing field `limit`"),
        ("/page?limit=1&limit=2", "limit", "duplicate field `limit`"),
        ("/rows/300", "row", "expected a whole number up to 255"),
        ("/rows/%ff", "row", "not UTF-8"),
        (
            "/fields/north/rows/x",
            "row",
            "expected a whole number up to 255",
        ),
    ] {
        let document = document(ask(path(target)).await, StatusCode::BAD_REQUEST).await;
        assert_eq!(document["field"], field, "{target}: {document}");
        assert_eq!(document["detail"], reason, "{target}");
    }
    for target in ["/page?limit=7", "/rows/7", "/fields/north/rows/7"] {
        assert_eq!(ask(path(target)).await.status(), StatusCode::OK, "{target}");
    }
}

#[tokio::test]
async fn a_layer_around_can_say_a_problem_in_other_words() {
    let answer = ask(path("/page?limit=x")).await;
    let problem = answer.extensions().get::<Problem>().unwrap();
    assert_eq!(problem.explanation(), Some("expected a whole number"));
    assert_eq!(problem.place(), Some("limit"));
    let missing = ask(path("/nowhere")).await;
    assert!(missing.extensions().get::<Problem>().is_some());
}

#[tokio::test]
async fn every_refused_body_names_a_field() {
    for (body, field) in [
        ("{", "$"),
        (r#"{"lines":[]} {}"#, "$"),
        ("[]", "$"),
        ("{}", "lines"),
        (r#"{"lines":[{}]}"#, "lines[0].amount"),
        (r#"{"lines":[],"x":1}"#, "x"),
        (r#"{"lines":[{"amount":1,"x":1}]}"#, "lines[0].x"),
        (r#"{"lines":[],"lines":[]}"#, "lines"),
    ] {
        let answer = ask(order(body)).await;
        let status = answer.status();
        let document = document(answer, status).await;
        assert_eq!(document["field"], field, "{body}: {document}");
    }
}
