//! `/keys`: a file for each route, and what they share.

mod body;
pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod revoke;
mod view;
