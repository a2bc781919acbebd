//! HTTP, whatever the route: requests read, answers and problems written, connections served, the document.

pub(crate) mod answer;
pub(crate) mod batch_room;
pub(crate) mod cursor;
pub(crate) mod error;
pub(crate) mod extract;
pub(crate) mod layers;
pub(crate) mod openapi;
pub(crate) mod problem;
pub(crate) mod serve;

/// What the paths of all routes but the probes begin with.
pub const BASE: &str = "/api/v1/ai-hub";
