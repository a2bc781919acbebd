//! Submitting: `/workflows/{id}/execute` and `…/executions:batch`.

pub(crate) mod batch;
pub(crate) mod body;
pub(crate) mod execute;
