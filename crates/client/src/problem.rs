//! Problem: what the API says when it does not do what was asked (RFC 9457).

use std::fmt;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A problem document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Problem {
    /// Stable, for programs: `urn:gristmill:problem:` and a word.
    pub r#type: String,
    /// What people call it.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What to do next, and whether a repeat is safe.
    pub detail: String,
    /// The request's id.
    #[serde(default)]
    pub instance: String,
    /// Everything that is wrong with the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// What this kind of problem says besides, such as `limit` and `used`.
    #[serde(flatten)]
    pub more: Map<String, Value>,
    /// When a repeat may help.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// One thing wrong with a request, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// A JSON path from the body's root, or the header, parameter or part of the path.
    pub path: String,
    /// Stable, for programs.
    pub code: String,
    /// For people.
    pub message: String,
}

/// How much is kept of a body that is no problem document, in characters.
const KEPT: usize = 500;

impl Problem {
    /// What `type` ends with: `not-found`, `invalid`, ….
    pub fn kind(&self) -> &str {
        self.r#type.rsplit(':').next().unwrap_or_default()
    }

    /// Reads an answer. What stands between client and API may answer, too, and knows no problem documents.
    pub(crate) async fn read(response: Response) -> Self {
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let body = response.bytes().await.unwrap_or_default();
        let mut problem = serde_json::from_slice(&body).unwrap_or_else(|_| Self::of(status, &body));
        problem.retry_after = retry_after.map(Duration::from_secs);
        problem
    }

    fn of(status: StatusCode, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        Self {
            r#type: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: text.trim().chars().take(KEPT).collect(),
            instance: String::new(),
            errors: Vec::new(),
            more: Map::new(),
            retry_after: None,
        }
    }
}

impl fmt::Display for Problem {
    /// The status, the advice, and a line for each fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.title)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        for fault in &self.errors {
            write!(f, "\n  {}: {}", fault.path, fault.message)?;
        }
        Ok(())
    }
}
