//! `/executions`: a file for each route, and what they share.

pub(crate) mod bulk;
pub(crate) mod cancel;
pub(crate) mod delete;
pub(crate) mod details;
mod entries;
pub(crate) mod events;
mod filter;
pub(crate) mod get;
pub(crate) mod journal;
pub(crate) mod list;
pub(crate) mod replay;
pub(crate) mod retry;
pub(crate) mod signal;
mod summary;
pub(crate) mod view;
