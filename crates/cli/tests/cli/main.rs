//! Command line: the compiled binary, run as people run it.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has to end"
)]

mod admin;
mod bench;
mod config;
mod dev;
mod execution;
mod gristmill;
mod help;
mod run;
mod unreachable;
mod workflow;
