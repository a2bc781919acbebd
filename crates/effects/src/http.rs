//! Outgoing HTTP, guarded: one shared client with limits on time and size, that never reaches a private address unless
//! configuration allows it. Every kind that talks HTTP uses this client.

mod address;
mod allow;
mod call_error;
mod client;
mod options;
mod redirect;
mod resolver;
mod response;
mod retry_after;
mod tls;

pub(crate) use call_error::CallError;
pub(crate) use client::HttpClient;
pub use options::HttpOptions;
