//! The worker: takes jobs off the queue, claims their executions, runs them and writes down how they ended. From the
//! claim on, the lease in the database guards an execution, not the broker.

mod child;
mod clock;
mod execute;
mod holder;
mod input;
mod intake;
mod lease;
mod options;
mod worker;
mod writes;

pub use options::WorkerOptions;
pub use worker::{Dependencies, Error, Worker};
