//! Benchmarks: what developers measure, beside the soak. What an operator measures, a whole system over HTTP, is
//! `gristmill bench`.
//!
//! - [`floor`]: the least that any such system must do, on the same PostgreSQL and RabbitMQ. Absolute figures say as much
//!   about the machine as about the software; the ratio of the two says something about the software.
//! - [`engine`]: graphs of pure nodes, without any of them.
//! - [`listing`]: what lists of executions read.
//! - [`stored`]: a whole system beside many executions that have ended.
//! - [`waiting`]: many executions that wait for the same moment.
//!
//! Each answers with a report that is printed as one line of JSON.

mod database;
pub mod engine;
mod error;
pub mod floor;
mod ground;
pub mod listing;
mod progress;
pub mod stored;
pub mod waiting;

pub use error::Error;
pub use progress::Lines;
