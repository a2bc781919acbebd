//! Testkit: what the tests of every crate share. A dev-dependency only: it fails by panicking.

#![allow(
    clippy::expect_used,
    reason = "a test whose surroundings are broken has to end"
)]

mod broker;
mod database;
mod endpoint;
mod proxy;

pub use broker::TestBroker;
pub use database::TestDatabase;
pub use endpoint::{Gate, RecordedCall, RecordingEndpoint, Reply};
pub use proxy::{Direction, Proxy, Trap};
