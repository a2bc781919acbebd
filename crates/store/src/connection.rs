//! Connections: pools of the two databases, and how work runs on them.

pub(crate) mod cached;
pub(crate) mod erased;
pub(crate) mod migrate;
pub(crate) mod parse;
pub(crate) mod pool;
pub(crate) mod postgres;
pub(crate) mod roles;
pub(crate) mod scope;
pub(crate) mod sql_types;
pub(crate) mod sqlite;
pub(crate) mod task;
