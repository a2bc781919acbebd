//! One file per route, `<resource>/<verb>.rs`.

pub(crate) mod executions;
mod fields;
pub(crate) mod probes;
pub(crate) mod workflows;
