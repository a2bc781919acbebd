//! `GET /metrics`

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::state::AppState;

/// Everything that this process counts, as Prometheus reads it.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "getMetrics",
    responses((
        status = 200, description = "In the text format 0.0.4.", body = String,
        content_type = "text/plain; version=0.0.4; charset=utf-8"
    ))
)]
pub(crate) async fn metrics(State(state): State<Arc<AppState>>) -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        state.services.metrics.render(),
    )
}
