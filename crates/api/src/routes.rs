//! One file per route, `<resource>/<verb>.rs`.

pub(crate) mod executions;
mod fields;
mod healthz;
mod metrics;
mod readyz;
mod usage;
pub(crate) mod workflows;

pub(crate) use healthz::healthz;
pub(crate) use metrics::metrics;
pub(crate) use readyz::readyz;
pub(crate) use usage::usage;
