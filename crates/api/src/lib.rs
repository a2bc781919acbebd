//! The HTTP edge: it authenticates, checks, and hands on. What a request may do is in `docs/architecture.md` §8; every
//! route is a file under `routes/`, and every answer that is not a success comes from `problem.rs`.

mod answer;
mod api;
mod error;
mod extract;
mod key;
mod layers;
mod openapi;
mod principal;
mod problem;
mod rates;
mod router;
mod routes;
mod serve;
mod state;
mod tokens;
mod wait;

pub use api::Api;
pub use key::ApiKey;
pub use openapi::openapi;
pub use router::{Route, routes};
pub use state::{Options, Services};
pub use tokens::{KeySource, TokenKeys, TokenOptions, Tokens, TokensError};
