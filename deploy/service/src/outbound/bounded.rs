//! One exchange under a deadline and a body cap.

use std::error::Error as StdError;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use url::Url;

use super::OutboundError;
use super::resolver::AddressRefused;

/// How long an exchange may take in total and how much of the answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// From the look-up of the name to the last byte of the body.
    pub deadline: Duration,
    /// Longest accepted body in bytes.
    pub body_bytes_max: usize,
}

impl Default for Bounds {
    /// Ten seconds and one mebibyte.
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            body_bytes_max: 1024 * 1024,
        }
    }
}

/// A complete answer.
#[derive(Clone, Debug)]
pub struct BoundedResponse {
    /// Any status, redirects and errors included.
    pub status: StatusCode,
    /// The header fields as received.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// The URL that answered: always the one that was asked.
    pub url: Url,
}

pub(super) async fn exchange(
    client: &reqwest::Client,
    request: reqwest::Request,
    bounds: Bounds,
) -> Result<BoundedResponse, OutboundError> {
    tokio::time::timeout(bounds.deadline, async {
        let mut response = client.execute(request).await.map_err(classify)?;
        let status = response.status();
        let headers = response.headers().clone();
        let url = response.url().clone();
        let body = read(&mut response, bounds.body_bytes_max).await?;
        Ok(BoundedResponse {
            status,
            headers,
            body,
            url,
        })
    })
    .await
    .unwrap_or(Err(OutboundError::Deadline(bounds.deadline)))
}

async fn read(response: &mut reqwest::Response, limit: usize) -> Result<Bytes, OutboundError> {
    let limit_u64 = u64::try_from(limit).unwrap_or(u64::MAX);
    if response.content_length().is_some_and(|n| n > limit_u64) {
        return Err(OutboundError::TooLong { limit });
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(classify)? {
        if chunk.len() > limit - body.len() {
            return Err(OutboundError::TooLong { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Finds our own refusal inside the client's error, so that callers can tell it from a fault of
/// the network.
fn classify(error: reqwest::Error) -> OutboundError {
    if error.is_builder() {
        return OutboundError::Request(error);
    }
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(source) = cause {
        if let Some(refused) = source.downcast_ref::<AddressRefused>() {
            return OutboundError::Refused {
                target: refused.name.clone(),
                reason: refused.to_string(),
            };
        }
        cause = source.source();
    }
    OutboundError::Transport(error)
}
