//! The table of contents.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use crate::error::Error;
use crate::layers::{catch_panic, limit_time, observe, show_rate};
use crate::routes::{executions, healthz, metrics, readyz, usage, workflows};
use crate::state::AppState;

/// Every route, and what surrounds all of them.
pub(crate) fn router(state: Arc<AppState>) -> Router {
    Router::new()
        .route("/api/v1/ai-hub/workflows", post(workflows::create))
        .route("/api/v1/ai-hub/workflows/{id}", get(workflows::get))
        .route("/api/v1/ai-hub/workflows/{id}/execute", post(workflows::execute))
        .route(
            "/api/v1/ai-hub/workflows/{id}/executions:batch",
            post(workflows::execute_batch).layer(DefaultBodyLimit::max(state.options.max_batch_bytes)),
        )
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
        .route("/api/v1/ai-hub/usage", get(usage))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(async || Error::UnknownRoute)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        // From the inside out: the last one sees every answer, whoever made it.
        .layer(DefaultBodyLimit::max(state.options.max_body_bytes))
        .layer(from_fn(show_rate))
        .layer(from_fn(catch_panic))
        .layer(from_fn_with_state(state.clone(), limit_time))
        .layer(from_fn(observe))
        .with_state(state)
}
