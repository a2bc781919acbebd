//! Kinds: how they fare with real HTTP endpoints.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests fail by panicking")]

mod addresses;
mod configuration;
mod documented;
mod examples;
mod integration;
mod redirects;
mod support;
