//! What is asked without a key: signs of life, figures, and what there is to ask.

mod docs;
mod healthz;
mod metrics;
mod openapi;
mod readyz;

use utoipa::OpenApi;

pub(crate) use docs::docs;
pub(crate) use healthz::healthz;
pub(crate) use metrics::metrics;
pub(crate) use openapi::openapi;
pub(crate) use readyz::readyz;

/// These routes in the document.
#[derive(OpenApi)]
#[openapi(paths(
    healthz::healthz,
    readyz::readyz,
    metrics::metrics,
    openapi::openapi,
    docs::docs
))]
pub(crate) struct Described;
