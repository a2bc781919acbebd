//! `PATCH /workflows/{id}`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use gristmill_core::WorkflowId;
use gristmill_core::access::Permission;
use gristmill_dispatch::ROUNDS;
use gristmill_store::WorkflowChanged;

use super::draft::{Draft, document_of};
use super::view::{Body, shown};
use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::http::extract::{Document, Id, IfMatch};
use crate::http::openapi::schema;
use crate::state::AppState;

/// Changes what the body names; null is what a new workflow has without that key. The workflow as a whole is checked like a
/// new one, and a definition that is another one by then becomes a new revision. Switching it on or off asks for the same
/// permission as `…/toggle`.
#[utoipa::path(
    patch,
    path = "/workflows/{id}",
    operation_id = "updateWorkflow",
    params(
        ("id" = schema::WorkflowId, Path, description = "The workflow's id."),
        IfMatch,
    ),
    request_body = schema::WorkflowDraft,
    responses(
        (
            status = 200, description = "As it is now.", body = Body<'static>,
            headers(("etag" = String, description = "Its edition, for `If-Match`."))
        ),
    )
)]
pub(crate) async fn update(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<WorkflowId>,
    if_match: IfMatch,
    patch: Document,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsEdit)?;
    let (store, tenant) = (&state.services.store, principal.tenant());
    for _ in 0..ROUNDS {
        let found = store.workflow(&tenant, &id).await?;
        let workflow = found.ok_or(Error::NotFound("workflow"))?;
        if !if_match.accepts(workflow.edition) {
            return Err(Error::Stale);
        }
        let stored = document_of(&workflow)?;
        let whole = stored.clone().overlaid(&patch);
        let (registry, lanes) = (&state.services.registry, &state.options.lanes);
        let draft = Draft::read(&whole, Some(&stored), registry, lanes).map_err(Error::Invalid)?;
        // Whoever may edit has no second way to the switch.
        if draft.is_active != workflow.is_active {
            principal.require(Permission::WorkflowsDelete)?;
        }
        // A template that was taken back since is no reason to refuse another change.
        if draft.template_id != workflow.template_id {
            draft.check_template(&state, &tenant).await?;
        }
        let change = draft.into_change();
        match store
            .change_workflow(&tenant, &principal.actor(), &id, workflow.edition, change)
            .await
            .map_err(Error::from_write)?
        {
            WorkflowChanged::Yes(workflow) => return shown(&workflow),
            WorkflowChanged::Stale if if_match.is_given() => return Err(Error::Stale),
            WorkflowChanged::Stale => {}
            WorkflowChanged::Unknown => return Err(Error::NotFound("workflow")),
        }
    }
    Err(Error::Overtaken)
}
