//! `/api/v1/ai-hub/executions`

mod cancel;
mod delete;
mod entries;
mod get;
mod journal;
mod replay;
mod retry;
mod signal;
pub(crate) mod view;

use utoipa::OpenApi;

pub(crate) use cancel::cancel;
pub(crate) use delete::delete;
pub(crate) use get::get;
pub(crate) use journal::journal;
pub(crate) use replay::replay;
pub(crate) use retry::retry;
pub(crate) use signal::signal;

/// These routes in the document.
#[derive(OpenApi)]
#[openapi(paths(
    get::get,
    delete::delete,
    cancel::cancel,
    retry::retry,
    replay::replay,
    signal::signal,
    journal::journal,
))]
pub(crate) struct Described;
