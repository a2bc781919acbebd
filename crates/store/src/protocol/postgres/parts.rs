//! Parts: what several verbs' statements have in common.

pub(crate) mod chunk;
pub(crate) mod finish;
pub(crate) mod jobs;
pub(crate) mod leave;
pub(crate) mod tags;
pub(crate) mod usage;
