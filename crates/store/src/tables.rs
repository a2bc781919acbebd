//! Tables: plain reads and writes, in a file for each table, with one portable body for both databases.

pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod cursor;
pub(crate) mod executions;
pub(crate) mod members;
pub(crate) mod organizations;
pub(crate) mod stats;
pub(crate) mod templates;
pub(crate) mod usage;
pub(crate) mod users;
pub(crate) mod workflows;
