//! Executions: what their owners see of them. What moves them is the protocol.

mod get;
mod journal;
mod list;
mod row;
mod statement;

pub use get::{Child, Execution};
pub use list::{ExecutionFilter, ExecutionPage, ExecutionSummary};
