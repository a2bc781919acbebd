//! Submitting: the routes that run a workflow.

pub(crate) mod batch;
mod body;
mod checked;
pub(crate) mod execute;
mod request_hash;
