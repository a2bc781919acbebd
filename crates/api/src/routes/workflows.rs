//! `/api/v1/ai-hub/workflows`

mod create;
mod execute;
mod get;
mod input;
mod request_hash;
mod submission;
mod view;

pub(crate) use create::create;
pub(crate) use execute::execute;
pub(crate) use get::get;
