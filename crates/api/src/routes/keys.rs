//! `/api/v1/ai-hub/keys`

mod create;
mod list;
mod revoke;
mod submission;
mod view;

use utoipa::OpenApi;

pub(crate) use create::create;
pub(crate) use list::list;
pub(crate) use revoke::revoke;

/// These routes in the document.
#[derive(OpenApi)]
#[openapi(paths(list::list, create::create, revoke::revoke))]
pub(crate) struct Described;
