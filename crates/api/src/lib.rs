//! The HTTP edge: it authenticates, checks, and hands on. What it lets through, and how much, is among
//! the invariants of `docs/architecture.md`. Every route is a file under `routes/`, on whose handler its method and path
//! stand; every answer that is not a success comes from `http/problem.rs`.

mod api;
mod auth;
mod http;
mod router;
mod routes;
mod state;

pub use api::Api;
pub use auth::key::ApiKey;
pub use auth::tokens::{KeySource, TokenKeys, TokenOptions, Tokens, TokensError};
pub use http::BASE;
pub use router::{Route, openapi, routes};
pub use state::{Options, Services};
