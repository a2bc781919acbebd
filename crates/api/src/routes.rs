//! Routes: a file for each, `<resource>/<verb>.rs`.

pub(crate) mod audit;
pub(crate) mod executions;
mod fields;
pub(crate) mod keys;
pub(crate) mod probes;
pub(crate) mod submit;
pub(crate) mod templates;
mod unknown_keys;
pub(crate) mod usage;
mod wait;
pub(crate) mod workflows;
