//! Error: what can go wrong with a call.

use std::time::Duration;

use reqwest::StatusCode;

use crate::problem::Problem;

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL is none of an API.
    #[error("`{0}` is no URL of an API: expected http://HOST:PORT or https://HOST")]
    Url(String),
    /// The key cannot be sent: it has a line break, for one.
    #[error("the API key has characters that no API key has")]
    Key,
    /// The HTTP client could not be set up.
    #[error("no HTTP client")]
    Setup(#[source] reqwest::Error),
    /// What was to be sent is no JSON.
    #[error("the body cannot be written as JSON")]
    Body(#[source] serde_json::Error),
    /// No answer, or not all of it. Whether anything was done is unknown.
    #[error("the API did not answer")]
    NoAnswer(#[source] reqwest::Error),
    /// Neither an answer nor the end of the connection. Whether anything was done is unknown.
    #[error("the API was silent for {0:?}")]
    Silent(Duration),
    /// The API answered, and says why not.
    #[error("the API answered {0}")]
    Refused(Box<Problem>),
    /// The API did what was asked, but its answer is not what was expected.
    #[error("the API answered {status} with a body that cannot be read")]
    Unreadable {
        /// The answer's status.
        status: StatusCode,
        /// What is wrong with the body.
        #[source]
        source: serde_json::Error,
    },
}

impl Error {
    /// What the API says, where it has answered.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether there was no connection to the API at all, so that nothing was done.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::NoAnswer(source) if source.is_connect())
    }

    /// Whether this is the API's answer of that kind: `not-found`, `limit`, ….
    pub fn is(&self, kind: &str) -> bool {
        self.problem().is_some_and(|problem| problem.kind() == kind)
    }
}
