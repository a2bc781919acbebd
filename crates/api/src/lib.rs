//! The HTTP edge: it authenticates, checks, and hands on. What a request may do is in `docs/architecture.md` §8; every
//! route is a file under `routes/`, and every answer that is not a success comes from `problem.rs`.

mod api;
mod auth;
mod http;
mod inputs;
mod router;
mod routes;
mod state;

pub use api::Api;
pub use auth::key::ApiKey;
pub use auth::tokens::{KeySource, TokenKeys, TokenOptions, Tokens, TokensError};
pub use router::{Route, openapi, routes};
pub use state::{Options, Services};
