//! End to end: real processes, real servers, and what may happen to them. Case numbers are those of the failure
//! catalogue; after each case the same invariants are checked, see `System::check`.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod crashes;
mod draining;
mod endpoint;
mod operations;
mod postgres_outages;
mod publishing;
mod rabbitmq_outages;
mod running;
mod submitting;
mod working;
