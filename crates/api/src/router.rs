//! The table of contents.

mod routes;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};

use crate::http::error::Error;
use crate::http::layers::{catch_panic, limit_time, observe, show_rate};
use crate::routes::{audit, executions, keys, probes, submit, templates, usage, workflows};
use crate::state::AppState;
use routes::Routes;

pub use routes::Route;

/// Every route but the [`batches`].
fn all() -> Routes {
    Routes::default()
        .get_with_parameters("/api/v1/ai-hub/workflows", workflows::list)
        .post("/api/v1/ai-hub/workflows", workflows::create)
        .get_with_parameters("/api/v1/ai-hub/workflows/stats", workflows::stats)
        .post("/api/v1/ai-hub/workflows/validate", workflows::validate)
        .get("/api/v1/ai-hub/workflows/{id}", workflows::get)
        .patch("/api/v1/ai-hub/workflows/{id}", workflows::update)
        .delete("/api/v1/ai-hub/workflows/{id}", workflows::delete)
        .post("/api/v1/ai-hub/workflows/{id}/toggle", workflows::toggle)
        .post("/api/v1/ai-hub/workflows/{id}/pause", workflows::pause)
        .post("/api/v1/ai-hub/workflows/{id}/resume", workflows::resume)
        .get_with_parameters("/api/v1/ai-hub/workflows/{id}/revisions", workflows::revisions)
        .post("/api/v1/ai-hub/workflows/{id}/publish", workflows::publish)
        .post("/api/v1/ai-hub/workflows/{id}/execute", submit::execute)
        .get_with_parameters("/api/v1/ai-hub/templates", templates::list)
        .get("/api/v1/ai-hub/templates/{id}", templates::get)
        .delete("/api/v1/ai-hub/templates/{id}", templates::delete)
        .post(
            "/api/v1/ai-hub/templates/{id}/instantiate",
            templates::instantiate,
        )
        .get_with_parameters("/api/v1/ai-hub/executions", executions::list)
        .post("/api/v1/ai-hub/executions:cancel", executions::cancel_many)
        .post("/api/v1/ai-hub/executions:retry", executions::retry_many)
        .get("/api/v1/ai-hub/executions/{id}", executions::get)
        .delete("/api/v1/ai-hub/executions/{id}", executions::delete)
        .post("/api/v1/ai-hub/executions/{id}/cancel", executions::cancel)
        .post("/api/v1/ai-hub/executions/{id}/retry", executions::retry)
        .post("/api/v1/ai-hub/executions/{id}/replay", executions::replay)
        .post(
            "/api/v1/ai-hub/executions/{id}/signals/{name}",
            executions::signal,
        )
        .get_with_parameters("/api/v1/ai-hub/executions/{id}/journal", executions::journal)
        .get("/api/v1/ai-hub/executions/{id}/events", executions::events)
        .get_with_parameters("/api/v1/ai-hub/keys", keys::list)
        .post("/api/v1/ai-hub/keys", keys::create)
        .delete("/api/v1/ai-hub/keys/{id}", keys::revoke)
        .get_with_parameters("/api/v1/ai-hub/audit", audit::list)
        .get("/api/v1/ai-hub/usage", usage::get)
        // Whoever watches may add what it likes.
        .get_with_parameters("/healthz", probes::healthz)
        .get_with_parameters("/readyz", probes::readyz)
        .get_with_parameters("/metrics", probes::metrics)
        .get_with_parameters("/openapi.json", probes::openapi)
        .get_with_parameters("/docs", probes::docs)
}

/// The routes whose bodies have a limit of their own.
fn batches() -> Routes {
    Routes::default().post(
        "/api/v1/ai-hub/workflows/{id}/executions:batch",
        submit::execute_batch,
    )
}

/// Every route's method and path: for tests that have to know all of them.
pub fn routes() -> Vec<Route> {
    [all().list, batches().list].concat()
}

/// What all routes but the probes begin with.
pub(crate) const BASE: &str = "/api/v1/ai-hub";

/// Every route, and what surrounds all of them.
pub(crate) fn router(state: Arc<AppState>) -> Router {
    all()
        .router
        // The inner of two limits holds.
        .merge(
            batches()
                .router
                .layer(DefaultBodyLimit::max(state.options.max_batch_bytes)),
        )
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
