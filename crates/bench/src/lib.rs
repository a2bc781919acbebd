//! Benchmarks that anyone can run: `gristmill bench` and its subcommands.
//!
//! - [`system`]: a whole system over HTTP, as a producer meets it.
//! - [`floor`]: the least that any such system must do, on the same PostgreSQL and RabbitMQ. Absolute figures say as much
//!   about the machine as about the software; the ratio of the two says something about the software.
//! - [`engine`]: graphs of pure nodes, without any of them.
//! - [`listing`]: what lists of executions read.
//! - [`stored`]: a whole system beside many executions that have ended.
//! - [`waiting`]: many executions that wait for the same moment.
//!
//! Each answers with a report that is printed as one line of JSON. Progress goes through [`Show`].

mod database;
pub mod engine;
mod error;
pub mod floor;
mod http;
mod latency;
pub mod listing;
mod machine;
mod meter;
mod process;
mod round;
mod show;
mod spawn;
pub mod stored;
pub mod system;
pub mod waiting;
mod workflow;

pub use error::Error;
pub use http::{Connection, Target};
pub use latency::Latency;
pub use machine::{Machine, VERSION};
pub use meter::{ByProcess, Meter};
pub use process::Growth;
pub use round::round;
pub use show::Show;
pub use spawn::{Site, SpawnOptions};
