//! `GET /api/v1/ai-hub/executions/{id}/journal`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gristmill_core::ExecutionId;
use gristmill_core::access::Permission;
use serde::Serialize;

use super::entries::{Numbered, read_entries};
use crate::answer::json;
use crate::error::Error;
use crate::extract::{Id, Page};
use crate::principal::Principal;
use crate::state::AppState;

#[derive(Serialize)]
struct Body {
    entries: Vec<Numbered>,
    /// What to ask for as `after` next; null when this page reaches the journal's present end.
    next: Option<i32>,
}

/// One page of everything that happened inside an execution.
pub(crate) async fn journal(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<ExecutionId>,
    page: Page,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsView)?;
    let (store, tenant) = (&state.services.store, principal.tenant());
    let found = store
        .execution(&tenant, &id)
        .await?
        .ok_or(Error::NotFound("execution"))?;
    let entries = read_entries(store, &tenant, &id, page.first(), page.limit()).await?;
    let next = entries
        .last()
        .map(|last| last.seq)
        .filter(|seq| seq + 1 < found.journal_len);
    json(StatusCode::OK, &Body { entries, next })
}
