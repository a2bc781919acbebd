//! Submitting: `/workflows/{id}/execute` and `…/executions:batch`.

pub(crate) mod batch;
mod body;
pub(crate) mod execute;
