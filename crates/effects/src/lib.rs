//! Effects: the node kinds that talk to the outside, `integration` (HTTP).
//!
//! A kind is one file here and one line in [`kinds`].

mod error;
mod http;
mod integration;

use std::sync::Arc;

use gristmill_engine::Kind;

pub use error::Error;
pub use http::HttpOptions;

/// What the kinds may do, by what they talk to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Outgoing HTTP.
    pub http: HttpOptions,
}

/// The kinds of this crate: the one list. They share one HTTP client.
///
/// # Errors
/// When `options.http` holds a host that cannot be read, or TLS cannot be set up.
pub fn kinds(options: Options) -> Result<Vec<Box<dyn Kind>>, Error> {
    let client = Arc::new(http::HttpClient::new(options.http)?);
    Ok(vec![Box::new(integration::Integration::new(client))])
}
