//! `/templates`: a file for each route, and what they share.

pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod instantiate;
pub(crate) mod list;
pub(crate) mod view;
