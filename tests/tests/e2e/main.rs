//! End to end: real processes, real servers, and what may happen to them. Case numbers are those of the failure
//! catalogue; after each case the same invariants are checked, see `System::check`.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod benchmarks;
mod boundaries;
mod cancelling;
mod clients;
mod clocks;
mod crashes;
mod draining;
mod endpoint;
mod locks;
mod messages;
mod network;
mod nodes;
mod operations;
mod postgres_outages;
mod publishing;
mod queues;
mod rabbitmq_outages;
mod relays;
mod resources;
mod restarting;
mod running;
mod soaking;
mod starting;
mod submitting;
mod waiting;
mod working;
