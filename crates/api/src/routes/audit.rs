//! `/api/v1/ai-hub/audit`

mod list;
mod place;

use utoipa::OpenApi;

pub(crate) use list::list;

/// This route in the document.
#[derive(OpenApi)]
#[openapi(paths(list::list))]
pub(crate) struct Described;
