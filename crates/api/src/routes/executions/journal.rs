//! `GET /api/v1/ai-hub/executions/{id}/journal`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gristmill_core::ExecutionId;
use gristmill_core::access::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::entries::{Numbered, read_entries};
use crate::answer::json;
use crate::error::Error;
use crate::extract::{Id, Page};
use crate::openapi::schema;
use crate::principal::Principal;
use crate::state::AppState;

/// A page of a journal.
#[derive(Serialize, ToSchema)]
#[schema(as = JournalPage)]
struct Body {
    #[schema(value_type = Vec<schema::JournalEntry>)]
    entries: Vec<Numbered>,
    /// What to ask for as `after` next; null when this page reaches the journal's present end.
    next: Option<i32>,
}

/// One page of everything that happened inside an execution.
#[utoipa::path(
    get,
    path = "/api/v1/ai-hub/executions/{id}/journal",
    operation_id = "getJournal",
    params(
        ("id" = schema::ExecutionId, Path, description = "The execution's id."),
        Page,
    ),
    responses((status = 200, description = "A page, oldest first.", body = Body))
)]
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
