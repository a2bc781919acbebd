//! Submitting: the routes that run a workflow.

pub(crate) mod batch;
mod body;
pub(crate) mod execute;
