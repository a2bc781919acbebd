//! What toggle, pause, resume and delete have in common.

use gristmill_core::WorkflowId;
use gristmill_store::{Changed, Switch, Workflow};

use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::http::extract::IfMatch;
use crate::state::AppState;

/// Switches a workflow, if it is what `If-Match` says, and answers with it as it is then.
///
/// # Errors
/// 404, 412, or the database's failure.
pub(super) async fn switch(
    state: &AppState,
    principal: &Principal,
    id: &WorkflowId,
    if_match: &IfMatch,
    switch: Switch,
) -> Result<Workflow, Error> {
    let (store, tenant) = (&state.services.store, principal.tenant());
    // Without a condition there is nothing to look at first.
    let edition = if if_match.is_given() {
        let found = store.workflow(&tenant, id).await?;
        let workflow = found.ok_or(Error::NotFound("workflow"))?;
        if !if_match.accepts(workflow.edition) {
            return Err(Error::Stale);
        }
        Some(workflow.edition)
    } else {
        None
    };
    match store
        .switch_workflow(&tenant, &principal.actor(), id, edition, switch)
        .await
        .map_err(Error::from_write)?
    {
        Changed::Yes(workflow) => Ok(*workflow),
        Changed::Stale => Err(Error::Stale),
        Changed::Unknown => Err(Error::NotFound("workflow")),
    }
}
