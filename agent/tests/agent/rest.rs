//! A tracker behind something that does not let gRPC through, or not for long.

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use farmops_protocol::enrolment::{AgentStatus, EnrolmentAnswer};
use farmops_protocol::wire::tracker::v1::tracker_server::TrackerServer;
use http::StatusCode;
use tokio::net::TcpListener;
use tonic::service::Routes;

use crate::tracker::Chains;
use crate::world::{SECRET, World, deliver, review, until};

async fn enrol(
    State(chains): State<Chains>,
    body: Bytes,
) -> Result<Json<EnrolmentAnswer>, StatusCode> {
    chains.enrol(&body).map(Json).ok_or(StatusCode::CONFLICT)
}

async fn rotate(
    State(chains): State<Chains>,
    body: Bytes,
) -> Result<Json<EnrolmentAnswer>, StatusCode> {
    let rotated = chains.rotate(&body).map(Json);
    rotated.map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)
}

async fn ask(
    State(chains): State<Chains>,
    body: Bytes,
) -> Result<(StatusCode, Json<EnrolmentAnswer>), StatusCode> {
    let answer = chains.ask(&body).ok_or(StatusCode::UNPROCESSABLE_ENTITY)?;
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

async fn submit(State(chains): State<Chains>, body: Bytes) -> StatusCode {
    match chains.submit(&body).1 {
        Ok(_) => StatusCode::CREATED,
        Err(_) => StatusCode::CONFLICT,
    }
}

/// The twin of the gRPC service.
fn twin(chains: &Chains) -> Router {
    Router::new()
        .route("/api/v1/agents/enroll", post(enrol))
        .route("/api/v1/agents/{id}/rotate", post(rotate))
        .route("/api/v1/agents/{id}/chain-reset", post(ask))
        .route("/api/v1/proofs", post(submit))
        .with_state(chains.clone())
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

#[tokio::test]
async fn a_stream_that_breaks_falls_over_to_rest() {
    let chains = Chains::new(AgentStatus::Active);
    let grpc = Routes::new(TrackerServer::new(chains.clone())).into_axum_router();
    let address = serve(twin(&chains).merge(grpc)).await;
    let world = World::new(address);
    let agent = world.start().await;
    deliver(agent.webhooks, "d1", review(1), SECRET)
        .await
        .unwrap();
    chains.wait_for(1).await;
    until(agent.api, "/api/v1/status", |s| {
        s["outbox"]["waiting"] == 0 && s["tracker"]["transport"] == "grpc"
    })
    .await;
    chains.ledger.lock().unwrap().no_streams = true;
    deliver(agent.webhooks, "d2", review(2), SECRET)
        .await
        .unwrap();
    chains.wait_for(2).await;
    let status = until(agent.api, "/api/v1/status", |s| s["outbox"]["waiting"] == 0).await;
    assert_eq!(status["tracker"]["transport"], "rest");
}

#[tokio::test]
async fn a_key_is_rotated_by_rest_too() {
    let chains = Chains::new(AgentStatus::Active);
    let address = serve(twin(&chains)).await;
    let world = World::new(address);
    let agent = world.start().await;
    deliver(agent.webhooks, "d1", review(1), SECRET)
        .await
        .unwrap();
    chains.wait_for(1).await;
    let (rotated, said) = world.keys(&["rotate", "--wait", "30"]).await;
    assert!(rotated, "{said}");
    deliver(agent.webhooks, "d2", review(2), SECRET)
        .await
        .unwrap();
    chains.wait_for(2).await;
    assert_eq!(chains.ledger.lock().unwrap().rotations, 1);
}

#[tokio::test]
async fn proofs_go_by_rest_where_grpc_does_not_get_through() {
    let chains = Chains::new(AgentStatus::Active);
    let address = serve(twin(&chains)).await;
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
