//! `/audit`: a file for each route, and what they share.

pub(crate) mod list;
