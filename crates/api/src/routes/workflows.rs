//! `/api/v1/ai-hub/workflows`

mod create;
mod delete;
mod get;
mod list;
mod pause;
mod publish;
mod resume;
mod revisions;
mod stats;
pub(crate) mod submission;
mod switch;
mod toggle;
mod update;
mod validate;
pub(crate) mod view;

use utoipa::OpenApi;

pub(crate) use create::create;
pub(crate) use delete::delete;
pub(crate) use get::get;
pub(crate) use list::list;
pub(crate) use pause::pause;
pub(crate) use publish::publish;
pub(crate) use resume::resume;
pub(crate) use revisions::revisions;
pub(crate) use stats::stats;
pub(crate) use toggle::toggle;
pub(crate) use update::update;
pub(crate) use validate::validate;

pub(crate) use super::submit::batch::execute_batch;
pub(crate) use super::submit::execute::execute;

/// These routes in the document.
#[derive(OpenApi)]
#[openapi(paths(
    list::list,
    create::create,
    stats::stats,
    validate::validate,
    get::get,
    update::update,
    delete::delete,
    toggle::toggle,
    pause::pause,
    resume::resume,
    revisions::revisions,
    publish::publish,
    super::submit::execute::execute,
    super::submit::batch::execute_batch,
))]
pub(crate) struct Described;
