//! Properties: random workflows, run by the engine with random timing and by a slow sequential reference, and taken up
//! again from every prefix of their journals.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "every line of this crate is test code, also what stands outside of `#[test]` functions"
)]

mod engine;
mod properties;
mod recipe;
mod reference;
