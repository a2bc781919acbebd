//! `/api/v1/ai-hub/executions`

mod bulk;
mod cancel;
mod cursor;
mod delete;
mod entries;
mod events;
mod filter;
mod get;
mod journal;
mod list;
mod replay;
mod retry;
mod signal;
mod summary;
pub(crate) mod view;

use utoipa::OpenApi;

pub(crate) use bulk::{cancel_many, retry_many};
pub(crate) use cancel::cancel;
pub(crate) use delete::delete;
pub(crate) use events::events;
pub(crate) use get::get;
pub(crate) use journal::journal;
pub(crate) use list::list;
pub(crate) use replay::replay;
pub(crate) use retry::retry;
pub(crate) use signal::signal;

/// These routes in the document.
#[derive(OpenApi)]
#[openapi(paths(
    list::list,
    bulk::cancel_many,
    bulk::retry_many,
    get::get,
    delete::delete,
    cancel::cancel,
    retry::retry,
    replay::replay,
    signal::signal,
    journal::journal,
    events::events,
))]
pub(crate) struct Described;
