//! The layer: counts, refuses, and tells.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use axum::extract::{ConnectInfo, Request};
use axum::response::{IntoResponse as _, Response};
use futures::future::BoxFuture;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue};
use tower::{Layer, Service};

use super::policy::Decision;
use super::{RateKey, RateLimit, address};
use crate::problem::Problem;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// The number of that status of gRPC.
const RESOURCE_EXHAUSTED: &str = "8";
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// See [`RateLimit::layer`].
#[derive(Clone)]
pub struct RateLimitLayer(pub(super) RateLimit);

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimited<S>;

    fn layer(&self, inner: S) -> RateLimited<S> {
        RateLimited {
            inner,
            policy: self.0.policy.field(),
            limit: self.0.clone(),
        }
    }
}

/// A service behind a [`RateLimit`].
#[derive(Clone)]
pub struct RateLimited<S> {
    inner: S,
    limit: RateLimit,
    policy: HeaderValue,
}

impl RateLimit {
    /// Without a known peer, as in a test without a listener, everyone is the same client.
    fn judge(&self, request: &Request) -> Decision {
        if let Some(key) = request.extensions().get::<RateKey>() {
            return self.count(key);
        }
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let client = peer.map(|ConnectInfo(peer)| {
            address::network(self.addresses.of(peer.ip(), request.headers()))
        });
        self.count(&client)
    }
}

impl<S> Service<Request> for RateLimited<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let decision = self.limit.judge(&request);
        let policy = self.policy.clone();
        let answer = if let Some(seconds) = decision.retry_after {
            let name = self.limit.policy.name();
            metrics::counter!("farmops_requests_limited_total", "policy" => name).increment(1);
            Err(exceeded(name, seconds, is_grpc(&request)))
        } else {
            Ok(self.inner.call(request))
        };
        Box::pin(async move {
            let mut response = match answer {
                Ok(answer) => answer.await?,
                Err(refusal) => refusal,
            };
            let headers = response.headers_mut();
            headers.append(RATE_LIMIT_POLICY, policy);
            headers.append(RATE_LIMIT, decision.limit);
            Ok(response)
        })
    }
}

fn exceeded(policy: &str, seconds: u64, grpc: bool) -> Response {
    let reason = format!("too many requests; try again in {seconds} s");
    if !grpc {
        return Problem::too_many(seconds)
            .code("quota-exceeded")
            .detail(reason)
            .extension("violated-policies", [policy])
            .into_response();
    }
    // A client of gRPC would take a problem for a broken message.
    let fields = [
        (CONTENT_TYPE, HeaderValue::from_static("application/grpc")),
        (GRPC_STATUS, HeaderValue::from_static(RESOURCE_EXHAUSTED)),
        (RETRY_AFTER, seconds.into()),
    ];
    let mut response = fields.into_response();
    if let Ok(reason) = HeaderValue::from_maybe_shared(reason) {
        response.headers_mut().insert(GRPC_MESSAGE, reason);
    }
    response
}

fn is_grpc(request: &Request) -> bool {
    let media_type = request.headers().get(CONTENT_TYPE);
    media_type.is_some_and(|media_type| media_type.as_bytes().starts_with(b"application/grpc"))
}
