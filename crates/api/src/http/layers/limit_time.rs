//! The time limit: no request may hold its connection for ever, not by a body that trickles in, not by a database that
//! hangs.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::error::Error;
use crate::http::extract::Prefer;
use crate::state::AppState;

/// Answers 503 when the request takes longer than it may, the wait that it asked for included.
pub(crate) async fn limit_time(State(state): State<Arc<AppState>>, request: Request, next: Next) -> Response {
    let wait = Prefer::of(request.headers())
        .wait_at_most(state.options.max_wait)
        .unwrap_or_default();
    let limit = state.options.request_timeout + wait;
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Error::TimedOut { limit }.into_response(),
    }
}
