//! `GET /executions/{id}/journal`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gristmill_core::ExecutionId;
use gristmill_core::access::Permission;
use gristmill_store::{Store, Tenant};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

use super::entries::read_entries;
use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::{Id, Page};
use crate::http::openapi::schema;
use crate::state::AppState;

/// A page ends behind the entry that makes it larger than this, in bytes.
const LARGE: usize = 4 * 1024 * 1024;

/// How many are read at a time, since not all that are asked for may fit on the page.
const STRETCH: i32 = 50;

/// A page of a journal.
#[derive(Serialize, ToSchema)]
#[schema(as = JournalPage)]
struct Body {
    #[schema(value_type = Vec<schema::JournalEntry>)]
    entries: Vec<Box<RawValue>>,
    /// What to ask for as `after` next; null when this page reaches the journal's present end.
    next: Option<i32>,
}

/// One page of everything that happened inside an execution. It ends early where entries are large: behind 4 MiB.
#[utoipa::path(
    get,
    path = "/executions/{id}/journal",
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
    let (entries, last) = read_page(store, &tenant, &id, &page).await?;
    let next = last.filter(|seq| seq + 1 < found.journal_len);
    json(StatusCode::OK, &Body { entries, next })
}

/// The entries as they are shown, and the number of the last one.
async fn read_page(
    store: &Store,
    tenant: &Tenant,
    id: &ExecutionId,
    page: &Page,
) -> Result<(Vec<Box<RawValue>>, Option<i32>), Error> {
    let (mut entries, mut last) = (Vec::new(), None);
    let mut bytes = 0;
    let mut first = page.first();
    let end = first.saturating_add(page.limit());
    while first < end {
        let stretch = STRETCH.min(end - first);
        let found = read_entries(store, tenant, id, first, stretch).await?;
        if found.is_empty() {
            break;
        }
        for numbered in found {
            let shown = to_raw_value(&numbered).map_err(Error::internal)?;
            bytes += shown.get().len();
            entries.push(shown);
            last = Some(numbered.seq);
            if bytes > LARGE {
                return Ok((entries, last));
            }
        }
        first += stretch;
    }
    Ok((entries, last))
}
