//! Call: one call of the API, before it is made.

use std::time::Duration;

use reqwest::Method;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::error::Error;

/// A call: the typed methods of [`Client`](crate::Client) are made of these, and so is whatever has no method yet.
#[derive(Debug, Clone)]
pub struct Call {
    pub(crate) method: Method,
    /// Below `/api/v1/ai-hub`, not encoded.
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<Box<RawValue>>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) if_match: Option<String>,
    pub(crate) last_event_id: Option<String>,
    pub(crate) wait: Option<Duration>,
    pub(crate) repeatable: bool,
}

impl Call {
    /// A call of the path that these parts make, below `/api/v1/ai-hub`. The parts may hold any characters.
    pub fn new<'a>(method: Method, path: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            repeatable: method == Method::GET,
            method,
            path: path.into_iter().map(str::to_owned).collect(),
            query: Vec::new(),
            body: None,
            idempotency_key: None,
            if_match: None,
            last_event_id: None,
            wait: None,
        }
    }

    /// With a parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// With a body.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn body(mut self, body: &impl Serialize) -> Result<Self, Error> {
        self.body = Some(to_raw_value(body).map_err(Error::Body)?);
        Ok(self)
    }

    /// Under an idempotency key, which makes a repeat harmless.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self.repeatable = true;
        self
    }

    /// Only if it still has this tag: see [`Client::call_tagged`](crate::Client::call_tagged).
    #[must_use]
    pub fn if_match(mut self, tag: impl Into<String>) -> Self {
        self.if_match = Some(tag.into());
        self
    }

    /// A repeat does nothing that was not done.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// The answer may wait so long for the end of the execution: `Prefer: wait`.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }
}
