//! A tracker behind something that does not let gRPC through.

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use farmops_protocol::enrolment::{AgentStatus, EnrolmentAnswer};
use http::StatusCode;
use tokio::net::TcpListener;

use crate::tracker::Chains;
use crate::world::{SECRET, World, deliver, review, until};

async fn enrol(State(chains): State<Chains>, body: Bytes) -> Json<EnrolmentAnswer> {
    Json(chains.enrol(&body))
}

async fn submit(State(chains): State<Chains>, body: Bytes) -> StatusCode {
    match chains.submit(&body).1 {
        Ok(_) => StatusCode::CREATED,
        Err(_) => StatusCode::CONFLICT,
    }
}

#[tokio::test]
async fn proofs_go_by_rest_where_grpc_does_not_get_through() {
    let chains = Chains::new(AgentStatus::Active);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/api/v1/agents/enroll", post(enrol))
        .route("/api/v1/proofs", post(submit))
        .with_state(chains.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let world = World::new(address);
    let agent = world.start().await;
    for number in 0..5 {
        let delivery = format!("d{number}");
        deliver(agent.webhooks, &delivery, review(number), SECRET)
            .await
            .unwrap();
    }
    chains.wait_for(5).await;
    let status = until(agent.api, "/api/v1/status", |s| s["outbox"]["waiting"] == 0).await;
    assert_eq!(status["tracker"]["transport"], "rest");
}
