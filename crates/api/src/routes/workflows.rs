//! `/api/v1/ai-hub/workflows`

mod create;
mod execute;
mod get;
mod input;
mod request_hash;
mod submission;
mod view;

use utoipa::OpenApi;

pub(crate) use create::create;
pub(crate) use execute::execute;
pub(crate) use get::get;

/// These routes in the document.
#[derive(OpenApi)]
#[openapi(paths(create::create, get::get, execute::execute))]
pub(crate) struct Described;
