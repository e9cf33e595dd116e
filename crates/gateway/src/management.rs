//! The management listener: metrics, health and keys, never reachable through the edge.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use backends::{Backends, Tasks};
use base::{Error, Result};
use http::{StatusCode, header};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::json;

/// Bounds in seconds that fit both a cached read and an hour's scan.
const DURATIONS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0];

/// Starts collecting metrics; once per process.
///
/// # Errors
/// `Internal` when a collector is installed already.
pub fn install_recorder(tasks: &Tasks) -> Result<PrometheusHandle> {
    let failed = |cause: metrics_exporter_prometheus::BuildError| Error::internal("metrics cannot be collected").because(cause);
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), DURATIONS)
        .map_err(failed)?
        .install_recorder()
        .map_err(failed)?;
    let (upkeep, stop) = (handle.clone(), tasks.stop());
    tasks.spawn("metrics.upkeep", async move {
        // Without it, histograms keep every sample until somebody scrapes.
        let mut tick = tokio::time::interval(Duration::from_secs(5));
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => upkeep.run_upkeep(),
            }
        }
    });
    Ok(handle)
}

/// `/metrics`, `/health`, `/health/live`, `/health/ready`, and `internal` (the key set) below them.
pub fn management(backends: &Backends, metrics: PrometheusHandle, internal: Router) -> Router {
    Router::new()
        .route("/metrics", get(async move || ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render())))
        .route("/health/live", get(async || axum::Json(json!({ "status": "ok" }))))
        .route("/health", get(ready))
        .route("/health/ready", get(ready))
        .with_state(backends.clone())
        .merge(internal)
}

/// 200 when everything answers, 503 naming what does not; a process that is stopping is not ready.
async fn ready(State(backends): State<Backends>) -> Response {
    let dependencies = backends.health().await;
    let stopping = backends.tasks.stop().is_cancelled();
    let ok = !stopping && dependencies.iter().all(|dependency| dependency.ok || !dependency.required);
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if stopping {
        "stopping"
    } else if ok {
        "ok"
    } else {
        "degraded"
    };
    (status, axum::Json(json!({ "status": word, "dependencies": dependencies }))).into_response()
}
