//! Client: how it fares with an endpoint that answers as told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a broken promise ends the test"
)]

mod follows;
mod repeats;
mod world;
