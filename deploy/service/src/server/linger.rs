//! Reading on when the answer came before the end of the body.
//!
//! A connection that is closed over bytes nobody has read is reset, and a client that was still writing
//! may lose the answer with it (RFC 9112, section 9.6): it would see a broken pipe instead of what is
//! wrong with its request.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::EXPECT;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::sync::oneshot;

/// Bytes that are read for nothing before the answer is sent all the same.
const BYTES_MAX: usize = 1024 * 1024;
/// How long they may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Holds an answer back until the rest of the body has come, within bounds.
pub(super) async fn linger(request: Request, next: Next) -> Response {
    // Who expects to be told to go on has sent nothing yet.
    if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
        return next.run(request).await;
    }
    let (give_back, mut given_back) = oneshot::channel();
    let request = request.map(|body| {
        Body::new(Lent {
            body,
            give_back: Some(give_back),
        })
    });
    let response = next.run(request).await;
    if let Ok(rest) = given_back.try_recv() {
        discard(rest).await;
    }
    response
}

async fn discard(mut rest: Body) {
    let mut left = BYTES_MAX;
    let reading = async {
        while let Some(Ok(frame)) = rest.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    // Whoever is too slow gets the answer as it is.
    let _ = tokio::time::timeout(PATIENCE, reading).await;
}

/// A body that comes back when whoever got it has done with it before its end.
struct Lent {
    body: Body,
    give_back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(give_back) = self.give_back.take()
            && !self.body.is_end_stream()
        {
            // Nobody waits any more: then it is dropped.
            let _ = give_back.send(std::mem::take(&mut self.body));
        }
    }
}
