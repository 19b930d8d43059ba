//! One delivery: signed, sent, and its answer read.

use std::time::Duration;

use farmops_protocol::time::Timestamp;
use http::{HeaderMap, StatusCode, header};

use crate::{
    delivery::lane::{GIVE_UP_S, Signal},
    federation::{Federation, FederationError},
    signature::sign,
    store::{Delivery, DeliveryOutcome},
};

const DEADLINE: Duration = Duration::from_secs(15);
/// Refusals of one activity by its receiver before it is given up; the pauses add up to a day.
const REFUSALS_MAX: u32 = 7;

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// What it says about the row.
    pub(super) outcome: DeliveryOutcome,
    /// What it says about the host.
    pub(super) signal: Signal,
    /// Whether the inbox is gone for good.
    pub(super) gone: bool,
}

/// Sends `delivery` once.
pub(super) async fn attempt(federation: &Federation, delivery: &Delivery) -> Attempt {
    let dead = |reason: String| Attempt {
        outcome: DeliveryOutcome::Dead(reason),
        signal: Signal::Reached,
        gone: false,
    };
    // A URL that the gate refuses today cannot have come through it: settings changed.
    if let Err(error) = federation.fetcher().gate().check(&delivery.inbox) {
        return dead(error.to_string());
    }
    let headers = match signed(federation, delivery).await {
        Ok(headers) => headers,
        Err(error) if error.is_transient() => {
            return out_of_reach(federation.now(), error.to_string());
        }
        Err(error) => return dead(error.to_string()),
    };
    let request = federation
        .inner
        .client
        .post(delivery.inbox.clone())
        .headers(headers)
        .body(delivery.body.clone())
        .timeout(DEADLINE);
    match request.send().await {
        Ok(response) => judge(
            response.status(),
            response.headers(),
            delivery,
            federation.now(),
        ),
        Err(error) => out_of_reach(federation.now(), error.without_url().to_string()),
    }
}

async fn signed(
    federation: &Federation,
    delivery: &Delivery,
) -> Result<HeaderMap, FederationError> {
    let name = federation
        .local_name(&delivery.actor)
        .ok_or_else(|| FederationError::NoSuchActor(delivery.actor.to_string()))?;
    let keys = federation.keys(name).await?;
    let key_id = Federation::key_id(&delivery.actor);
    let body = Some(delivery.body.as_bytes());
    // 1.5 ms of RSA: short enough for this task.
    sign::sign(
        "post",
        &delivery.inbox,
        body,
        &key_id,
        &keys,
        federation.now(),
    )
    .map_err(FederationError::Sign)
}

fn out_of_reach(now: Timestamp, reason: String) -> Attempt {
    Attempt {
        outcome: DeliveryOutcome::Retry {
            at: now,
            refused: false,
            reason,
        },
        signal: Signal::Failed,
        gone: false,
    }
}

/// Reads an answer. Only 2xx is success; a redirect is not followed, for it would carry the
/// signed body to where it was not signed for.
fn judge(status: StatusCode, headers: &HeaderMap, delivery: &Delivery, now: Timestamp) -> Attempt {
    let attempt = |outcome, signal| Attempt {
        outcome,
        signal,
        gone: false,
    };
    let reason = format!("status {status}");
    if status.is_success() {
        return attempt(DeliveryOutcome::Delivered, Signal::Reached);
    }
    if status == StatusCode::GONE {
        let outcome = DeliveryOutcome::Dead(reason);
        return Attempt {
            outcome,
            signal: Signal::Reached,
            gone: true,
        };
    }
    let again = DeliveryOutcome::Retry {
        at: now,
        refused: false,
        reason: reason.clone(),
    };
    let asked = retry_after_s(headers, now);
    match (status, asked) {
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(retry_after_s)) => {
            attempt(again, Signal::Asked { retry_after_s })
        }
        (StatusCode::TOO_MANY_REQUESTS, None) => {
            attempt(again, Signal::Asked { retry_after_s: 60 })
        }
        (StatusCode::REQUEST_TIMEOUT, _) => attempt(again, Signal::Failed),
        (status, _) if status.is_server_error() => attempt(again, Signal::Failed),
        _ => attempt(refused(delivery, reason, now), Signal::Reached),
    }
}

/// The host is well but does not want this: try this row a few times, do not slow the others.
fn refused(delivery: &Delivery, reason: String, now: Timestamp) -> DeliveryOutcome {
    let old = now.seconds_since(delivery.appended_at) >= GIVE_UP_S;
    if old || delivery.refusals + 1 >= REFUSALS_MAX {
        return DeliveryOutcome::Dead(reason);
    }
    let pause = 60_i64 << (2 * delivery.refusals);
    DeliveryOutcome::Retry {
        at: now.saturating_add(pause),
        refused: true,
        reason,
    }
}

/// Retry-After, in seconds or as a date.
fn retry_after_s(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    text.parse().ok().or_else(|| {
        let date = jiff::fmt::rfc2822::DateTimeParser::new()
            .parse_timestamp(text)
            .ok()?;
        Some(date.as_second() - now.second())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::HeaderValue;
    use url::Url;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn judged(status: u16, retry_after: Option<&str>, refusals: u32) -> Attempt {
        let url = Url::parse("https://a.example/x").unwrap();
        let delivery = Delivery {
            position: 1,
            actor: url.clone(),
            activity: url.clone(),
            object: url.clone(),
            inbox: url,
            body: String::new(),
            appended_at: at(0),
            refusals,
        };
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_str(value).unwrap());
        }
        judge(
            StatusCode::from_u16(status).unwrap(),
            &headers,
            &delivery,
            at(0),
        )
    }

    /// A 4xx was once counted as delivered (mastodon#37235).
    #[test]
    fn only_2xx_is_success() {
        for status in 100..600 {
            let delivered = judged(status, None, 0).outcome == DeliveryOutcome::Delivered;
            assert_eq!(delivered, (200..300).contains(&status), "{status}");
        }
    }

    #[test]
    fn answers_say_something_about_row_and_host() {
        assert!(judged(410, None, 0).gone);
        for (status, retry_after, want) in [
            (500, None, Signal::Failed),
            (503, None, Signal::Failed),
            (408, None, Signal::Failed),
            (503, Some("120"), Signal::Asked { retry_after_s: 120 }),
            (429, Some("7"), Signal::Asked { retry_after_s: 7 }),
            (429, None, Signal::Asked { retry_after_s: 60 }),
            (
                429,
                Some("Tue, 14 Nov 2023 22:14:20 GMT"),
                Signal::Asked { retry_after_s: 60 },
            ),
            (404, Some("120"), Signal::Reached),
            (401, None, Signal::Reached),
            (302, None, Signal::Reached),
        ] {
            assert_eq!(judged(status, retry_after, 0).signal, want, "{status}");
        }
    }

    #[test]
    fn a_refused_activity_is_given_up() {
        let due = |refusals| match judged(400, None, refusals).outcome {
            DeliveryOutcome::Retry {
                at: due,
                refused: true,
                ..
            } => Some(due.seconds_since(at(0))),
            DeliveryOutcome::Dead(_) => None,
            other => panic!("{other:?}"),
        };
        let pauses: Vec<_> = (0..7).map(due).collect();
        assert_eq!(
            pauses,
            [
                Some(60),
                Some(240),
                Some(960),
                Some(3840),
                Some(15360),
                Some(61440),
                None
            ]
        );
    }
}
