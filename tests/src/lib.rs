//! Gristmill as it is deployed: `gristmill api` and `gristmill worker` as processes of their own, on PostgreSQL and
//! RabbitMQ, with a database and a broker prefix for each test. This is the harness; the tests are in `tests/e2e/`, and the
//! developers' benchmarks in [`bench`].
//!
//! It fails by panicking. Every process's output is kept under `target/e2e/<test>/`, and its end is printed when the
//! test fails.

#![allow(
    clippy::expect_used,
    reason = "a test whose surroundings are broken has to end"
)]

mod api;
mod audit;
pub mod bench;
mod binary;
mod client;
mod clock;
mod database;
mod figures;
mod invariants;
mod load;
mod process;
mod queues;
mod services;
mod settings;
mod soak;
mod system;
mod wait;
mod workflows;

pub use api::Api;
pub use binary::gristmill;
pub use client::{Answer, Client, Submit};
pub use clock::SkewedClock;
pub use database::{Chunk, Database, Row};
pub use figures::{Figures, figures};
pub use invariants::{Accepted, Calls, Evidence, History, Invariant, Sample, Violation};
pub use load::Load;
pub use process::{Process, Signal};
pub use queues::Queues;
pub use services::{PostgreSql, RabbitMqServer};
pub use settings::SHORT_LEASE;
pub use soak::{SoakOptions, Summary, fresh_seed, soak};
pub use system::System;
pub use wait::{PATIENCE, eventually};
pub use workflows::{chain, changed};
