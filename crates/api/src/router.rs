//! The table of contents.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use crate::error::Error;
use crate::layers::{catch_panic, limit_time, observe};
use crate::routes::{executions, probes, workflows};
use crate::state::AppState;

/// What all routes but the probes begin with.
pub(crate) const BASE: &str = "/api/v1/ai-hub";

/// Every route, and what surrounds all of them.
pub(crate) fn router(state: Arc<AppState>) -> Router {
    Router::new()
        .route("/api/v1/ai-hub/workflows", post(workflows::create))
        .route("/api/v1/ai-hub/workflows/{id}", get(workflows::get))
        .route("/api/v1/ai-hub/workflows/{id}/execute", post(workflows::execute))
        .route(
            "/api/v1/ai-hub/executions/{id}",
            get(executions::get).delete(executions::delete),
        )
        .route("/api/v1/ai-hub/executions/{id}/cancel", post(executions::cancel))
        .route("/api/v1/ai-hub/executions/{id}/retry", post(executions::retry))
        .route("/api/v1/ai-hub/executions/{id}/replay", post(executions::replay))
        .route(
            "/api/v1/ai-hub/executions/{id}/signals/{name}",
            post(executions::signal),
        )
        .route("/api/v1/ai-hub/executions/{id}/journal", get(executions::journal))
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz))
        .route("/metrics", get(probes::metrics))
        .route("/openapi.json", get(probes::openapi))
        .route("/docs", get(probes::docs))
        .fallback(async || Error::UnknownRoute)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        // From the inside out: the last one sees every answer, whoever made it.
        .layer(DefaultBodyLimit::max(state.options.max_body_bytes))
        .layer(from_fn(catch_panic))
        .layer(from_fn_with_state(state.clone(), limit_time))
        .layer(from_fn(observe))
        .with_state(state)
}
