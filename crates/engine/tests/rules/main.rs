//! Rules: those of `docs/engine-semantics.md`, each by its number, on the whole engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "every line of this crate is test code, also what stands outside of `#[test]` functions"
)]

mod children;
mod crash;
mod definition;
mod failing;
mod graph;
mod input;
mod items;
mod kept;
mod limits;
mod page;
mod repeating;
mod running;
mod scope;
mod state;
mod stopping;
mod support;
mod usage;
mod waiting;
