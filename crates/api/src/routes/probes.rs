//! Probes: what is asked without a key: signs of life, figures, and what there is to ask.

pub(crate) mod docs;
pub(crate) mod healthz;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod readyz;
