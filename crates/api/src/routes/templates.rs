//! `/api/v1/ai-hub/templates`

mod delete;
mod get;
mod instantiate;
mod list;
pub(crate) mod view;

use utoipa::OpenApi;

pub(crate) use delete::delete;
pub(crate) use get::get;
pub(crate) use instantiate::instantiate;
pub(crate) use list::list;

/// These routes in the document.
#[derive(OpenApi)]
#[openapi(paths(list::list, get::get, delete::delete, instantiate::instantiate))]
pub(crate) struct Described;
