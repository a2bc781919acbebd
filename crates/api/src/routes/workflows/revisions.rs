//! `GET /workflows/{id}/revisions`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use gristmill_core::WorkflowId;
use gristmill_core::access::Permission;
use gristmill_store::{Revision, Store, Tenant};
use serde::Serialize;
use utoipa::ToSchema;

use super::view::Definition;
use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::{Id, Params};
use crate::http::openapi::{query, schema};
use crate::state::AppState;

/// How many a page holds unless asked otherwise, and at most: each has its whole definition.
const LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;

/// A page ends behind the revision that makes it larger than this, in bytes.
const LARGE: usize = 4 * 1024 * 1024;

/// How many are read at a time, since not all that are asked for may fit on the page.
const STRETCH: i64 = 10;

/// A page of revisions.
#[derive(Serialize, ToSchema)]
#[schema(as = RevisionPage)]
struct Body<'a> {
    revisions: Vec<View<'a>>,
    /// What to ask for as `before` next; null when this page reaches the first revision.
    #[schema(required)]
    next: Option<i32>,
}

/// What the definition was.
#[derive(Serialize, ToSchema)]
#[schema(as = Revision)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    revision: i32,
    #[serde(flatten)]
    definition: Definition<'a>,
    created_at: DateTime<Utc>,
}

/// One page of everything that a workflow's definition has been, newest first. It ends early where definitions are large:
/// behind 4 MiB.
#[utoipa::path(
    get,
    path = "/workflows/{id}/revisions",
    operation_id = "listRevisions",
    params(
        ("id" = schema::WorkflowId, Path, description = "The workflow's id."),
        query::Revisions,
    ),
    responses(
        (status = 200, description = "A page.", body = Body<'static>),
    )
)]
pub(crate) async fn revisions(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<WorkflowId>,
    mut params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsView)?;
    let before = params.number("before", 1..=i64::from(i32::MAX));
    let limit = params.number("limit", 1..=MAX_LIMIT).unwrap_or(LIMIT);
    params.finish()?;
    let before = before.map_or(i32::MAX, |before| i32::try_from(before).unwrap_or(i32::MAX));
    let (store, tenant) = (&state.services.store, principal.tenant());
    let found = read_page(store, &tenant, &id, before, limit).await?;
    let next = found
        .last()
        .map(|last| last.revision)
        .filter(|revision| *revision > 1);
    let revisions: Result<Vec<_>, _> = found.iter().map(view).collect();
    json(
        StatusCode::OK,
        &Body {
            revisions: revisions?,
            next,
        },
    )
}

async fn read_page(
    store: &Store,
    tenant: &Tenant,
    id: &WorkflowId,
    before: i32,
    limit: i64,
) -> Result<Vec<Revision>, Error> {
    let mut page: Vec<Revision> = Vec::new();
    let (mut bytes, mut left) = (0, limit);
    while left > 0 {
        let wanted = left.min(STRETCH);
        let before = page.last().map_or(before, |last| last.revision);
        let found = store.revisions(tenant, id, before, wanted).await?;
        let found = found.ok_or(Error::NotFound("workflow"))?;
        left = if found.is_empty() { 0 } else { left - wanted };
        for revision in found {
            bytes += revision.definition.len();
            page.push(revision);
            if bytes > LARGE {
                return Ok(page);
            }
        }
    }
    Ok(page)
}

fn view(revision: &Revision) -> Result<View<'_>, Error> {
    Ok(View {
        revision: revision.revision,
        definition: Definition::read(&revision.definition)?,
        created_at: revision.created_at,
    })
}
