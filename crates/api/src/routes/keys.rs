//! `/keys`: a file for each route, and what they share.

pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod revoke;
mod submission;
mod view;
