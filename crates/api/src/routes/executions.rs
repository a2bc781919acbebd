//! `/api/v1/ai-hub/executions`

mod entries;
mod get;
mod journal;
pub(crate) mod view;

pub(crate) use get::get;
pub(crate) use journal::journal;
