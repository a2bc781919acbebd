//! Metrics: the Prometheus recorder that every crate's metrics end in, and how a worker shows it: the API has its own
//! route.

mod families;

use gristmill_core::boxed;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Error;

/// Bounds of the buckets for times, in seconds: from a statement to a long model call.
const SECONDS: [f64; 12] = [
    0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0,
];

/// Bounds of the buckets for how many members a group has.
const MEMBERS: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1_000.0];

/// How often the recorder tidies up: histograms otherwise keep every sample until somebody reads them.
const UPKEEP: Duration = Duration::from_secs(5);

/// Records the process's metrics from now on; the handle renders them. Call it once, in the runtime.
///
/// # Errors
/// When the process has a recorder already.
pub fn install() -> Result<PrometheusHandle, Error> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), &MEMBERS))
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(Error::Recorder)?;
    families::describe();
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(UPKEEP);
        loop {
            tick.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

/// Serves `GET /metrics` and `GET /healthz` until `shutdown`, for a process without the API.
#[boxed]
pub async fn serve(listener: TcpListener, recorder: PrometheusHandle, shutdown: CancellationToken) {
    let router = Router::new()
        .route("/metrics", get(async move || recorder.render()))
        .route("/healthz", get(async || "ok\n"));
    let server = axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned());
    if let Err(error) = server.await {
        // The worker goes on: its executions matter more than being watched.
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "metrics are no longer served"
        );
    }
}
