//! Submitting: `/api/v1/ai-hub/workflows/{id}/execute` and `…/executions:batch`

mod batch;
mod batch_items;
pub(crate) mod body;
mod execute;

use utoipa::OpenApi;

pub(crate) use batch::execute_batch;
pub(crate) use execute::execute;

/// These routes in the document.
#[derive(OpenApi)]
#[openapi(paths(execute::execute, batch::execute_batch))]
pub(crate) struct Described;
