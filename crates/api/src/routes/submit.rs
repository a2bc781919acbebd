//! Submitting: `/workflows/{id}/execute` and `…/executions:batch`.

pub(crate) mod batch;
mod batch_items;
pub(crate) mod body;
pub(crate) mod execute;
