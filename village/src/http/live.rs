//! `GET /live`: server-sent events that say "something on the boards changed".
//!
//! An event carries nothing but that. A page asks again for what it shows, and so can never be
//! sent a farm that was blocked or taken back meanwhile.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use farmops_service::problem::Problem;
use futures::{Stream, stream};
use tokio::sync::broadcast::error::RecvError;

use crate::village::Village;

/// How often a silent stream shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// A stream ends after so many events; the browser opens the next one by itself.
const EVENTS_MAX: u32 = 1_000;

pub(crate) async fn listen(
    State(village): State<Village>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let (place, news) = village.listen().ok_or_else(|| Problem::unavailable(30))?;
    let stop = village.stopping().clone();
    let events = stream::unfold(
        (place, news, stop, 0_u32),
        async |(place, mut news, stop, sent)| {
            if sent >= EVENTS_MAX {
                return None;
            }
            let heard = tokio::select! {
                () = stop.cancelled() => return None,
                heard = news.recv() => heard,
            };
            match heard {
                // Having missed some is as good a reason to look as one.
                Ok(()) | Err(RecvError::Lagged(_)) => {
                    let event = Event::default().event("board").data("changed");
                    Some((Ok(event), (place, news, stop, sent + 1)))
                }
                Err(RecvError::Closed) => None,
            }
        },
    );
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}
