//! One file per route, `<resource>/<verb>.rs`.

pub(crate) mod audit;
pub(crate) mod executions;
mod fields;
mod healthz;
pub(crate) mod keys;
mod metrics;
mod readyz;
pub(crate) mod templates;
mod usage;
pub(crate) mod workflows;

pub(crate) use healthz::healthz;
pub(crate) use metrics::metrics;
pub(crate) use readyz::readyz;
pub(crate) use usage::usage;
