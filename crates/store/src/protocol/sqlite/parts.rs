//! Parts: what several verbs' transactions have in common.

pub(crate) mod after_end;
pub(crate) mod chunk;
pub(crate) mod each;
pub(crate) mod finish;
pub(crate) mod leave;
pub(crate) mod tags;
pub(crate) mod usage;
pub(crate) mod values;
