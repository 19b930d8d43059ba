//! Prometheus metrics on a listener of their own, so that a public port never serves them.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::server::{self, Limits};

/// How often the recorder folds away old samples.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Bucket bounds in seconds for every histogram whose name ends in `_seconds`.
const SECONDS_BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Why metrics are not available.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The recorder could not be installed.
    #[error("the metrics recorder could not be installed: {0}")]
    Recorder(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address} for metrics")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Installs the process-wide recorder. Later calls change nothing.
///
/// Programs call it before the first `metrics::counter!`; what was counted earlier is lost.
pub fn install() -> Result<(), MetricsError> {
    handle().map(|_| ())
}

fn handle() -> Result<PrometheusHandle, MetricsError> {
    static HANDLE: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let suffix = metrics_exporter_prometheus::Matcher::Suffix("_seconds".to_owned());
            PrometheusBuilder::new()
                .set_buckets_for_metric(suffix, SECONDS_BUCKETS)
                .and_then(PrometheusBuilder::install_recorder)
                .map_err(|error| error.to_string())
        })
        .clone()
        .map_err(MetricsError::Recorder)
}

/// Serves `/metrics` on `address` until the token is cancelled. Gives the bound address.
pub async fn listen(
    address: SocketAddr,
    cancel: CancellationToken,
) -> Result<SocketAddr, MetricsError> {
    let handle = handle()?;
    let failed = |source| MetricsError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    tokio::spawn(upkeep(handle.clone(), cancel.clone()));
    let router = server::harden(exposition(handle), &Limits::default());
    tokio::spawn(async move { server::serve(listener, router, Limits::default(), cancel).await });
    Ok(bound)
}

fn exposition(handle: PrometheusHandle) -> Router {
    let render = async move || {
        let media_type = "text/plain; version=0.0.4; charset=utf-8";
        ([(CONTENT_TYPE, media_type)], handle.render())
    };
    Router::new().route("/metrics", get(render))
}

async fn upkeep(handle: PrometheusHandle, cancel: CancellationToken) {
    let mut tick = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = tick.tick() => handle.run_upkeep(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::outbound::{Bounds, Outbound, Reach};

    #[tokio::test]
    async fn counts_appear_on_the_separate_listener() {
        install().unwrap();
        let cancel = CancellationToken::new();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let bound = listen(any, cancel.clone()).await.unwrap();
        ::metrics::counter!("farmops_test_total").increment(3);
        ::metrics::histogram!("farmops_test_seconds").record(0.02);
        let client = Outbound::new(Reach::Operator, "farmops-test/1").unwrap();
        let url = format!("http://{bound}/metrics").parse().unwrap();
        let answer = client.get(url, Bounds::default()).await.unwrap();
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(text.contains("farmops_test_total 3"), "{text}");
        assert!(
            text.contains("farmops_test_seconds_bucket{le=\"0.025\"} 1"),
            "{text}"
        );
        cancel.cancel();
    }
}
