//! `/workflows`: a file for each route, and what they share.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod draft;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod publish;
pub(crate) mod revisions;
pub(crate) mod stats;
pub(crate) mod switch;
pub(crate) mod update;
pub(crate) mod validate;
pub(crate) mod view;
