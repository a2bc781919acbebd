//! Parts: what several verbs' transactions have in common.

pub(crate) mod chunk;
pub(crate) mod family;
pub(crate) mod finish;
pub(crate) mod leave;
pub(crate) mod members;
pub(crate) mod tags;
pub(crate) mod usage;
pub(crate) mod values;
