//! `/api/v1/ai-hub/workflows`

mod create;
mod execute;
mod execute_batch;
mod get;
mod input;
mod request_hash;
mod submission;
mod submit_checked;
mod view;

pub(crate) use create::create;
pub(crate) use execute::execute;
pub(crate) use execute_batch::execute_batch;
pub(crate) use get::get;
