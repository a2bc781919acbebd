use std::error::Error as StdError;
use std::time::Duration;

use gristmill_core::journal::NodeError;
use gristmill_engine::{FailureClass, NodeFailure};
use url::Url;

use crate::http::resolver::NoPublicAddress;

/// Why a call gave no response that a workflow can use.
///
/// Messages name the host at most. Userinfo, path and query of a URL may have been rendered from secrets, so they never
/// reach one; for the same reason errors of `reqwest`, which print their URL, are reduced to their innermost cause.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The URL is none, or not http or https.
    #[error("{what} is not a URL that can be called: {why}")]
    InvalidUrl { what: &'static str, why: String },
    /// What was rendered is no valid request.
    #[error("{0}")]
    InvalidRequest(String),
    /// The host's address is not public, and no setting allows it.
    #[error(
        "`{host}` is not on the public internet; the operator can allow it with http.allow_hosts, or all such addresses \
         with http.allow_private_addresses"
    )]
    AddressRefused { host: String },
    /// No connection, or it broke.
    #[error("cannot talk to `{host}`: {cause}")]
    Network { host: String, cause: String },
    /// More redirects than a call follows.
    #[error("more than {limit} redirects")]
    TooManyRedirects { limit: usize },
    /// The request's body is larger than configured.
    #[error("the request body has {size} bytes; the limit is {limit}")]
    RequestTooLarge { size: usize, limit: usize },
    /// The response's body is larger than configured.
    #[error("the response body has more than {limit} bytes")]
    ResponseTooLarge { limit: usize },
    /// The answer's status is none that the node expects.
    #[error("`{host}` answered {status}")]
    Status {
        host: String,
        status: u16,
        body: String,
        retry_after: Option<Duration>,
    },
}

impl CallError {
    /// What `reqwest` reports about a call of `url`.
    pub(crate) fn from_reqwest(error: reqwest::Error, url: &Url) -> Self {
        let host = host(url);
        let mut cause: &(dyn StdError + 'static) = &error;
        loop {
            if cause.is::<NoPublicAddress>() {
                return Self::AddressRefused { host };
            }
            match cause.source() {
                Some(source) => cause = source,
                None => break,
            }
        }
        let cause = match cause.downcast_ref::<reqwest::Error>() {
            // Nothing inside: what it says itself would print the URL.
            Some(_) => error.without_url().to_string(),
            None => cause.to_string(),
        };
        Self::Network { host, cause }
    }

    /// Stable, for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::InvalidUrl { .. } => "invalid_url",
            Self::InvalidRequest(_) => "invalid_request",
            Self::AddressRefused { .. } => "address_refused",
            Self::Network { .. } => "network",
            Self::TooManyRedirects { .. } => "too_many_redirects",
            Self::RequestTooLarge { .. } => "request_too_large",
            Self::ResponseTooLarge { .. } => "response_too_large",
            Self::Status { .. } => "http_status",
        }
    }

    /// Whether the same call may succeed later.
    fn is_retryable(&self) -> bool {
        match self {
            Self::Network { .. } => true,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            Self::InvalidUrl { .. }
            | Self::InvalidRequest(_)
            | Self::AddressRefused { .. }
            | Self::TooManyRedirects { .. }
            | Self::RequestTooLarge { .. }
            | Self::ResponseTooLarge { .. } => false,
        }
    }
}

impl From<CallError> for NodeFailure {
    fn from(error: CallError) -> Self {
        let class = match &error {
            CallError::Status { retry_after, .. } if error.is_retryable() => {
                FailureClass::Retry { after: *retry_after }
            }
            _ if error.is_retryable() => FailureClass::Retry { after: None },
            _ => FailureClass::Final,
        };
        let mut node_error = NodeError::new(error.code(), error.to_string());
        if let CallError::Status { status, body, .. } = error {
            node_error.details.insert("status".to_owned(), status.into());
            node_error.details.insert("body".to_owned(), body.into());
        }
        Self {
            error: node_error.into(),
            class,
            usage: None,
        }
    }
}

/// The URL's host, with the port where the URL names one.
pub(crate) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
