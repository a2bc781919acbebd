//! Making calls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

use crate::call::Call;
use crate::error::Error;
use crate::problem::Problem;
use crate::retry::Retry;

/// A client of the API. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Ends with `/api/v1/ai-hub`.
    base: Url,
    key: Arc<str>,
    retry: Retry,
}

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// How long an answer may take, not counting what it was asked to wait: longer than the API itself gives it, so that its
/// own word about that is heard.
const ANSWER_WITHIN: Duration = Duration::from_secs(40);

impl Client {
    /// A client of the API at `url`, such as `https://mill.example`, with an API key.
    ///
    /// # Errors
    /// [`Error::Url`], or TLS cannot be set up.
    pub fn new(url: &str, key: &str) -> Result<Self, Error> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Err: another thread was first, with a provider that is as good.
            rustls::crypto::ring::default_provider().install_default().ok();
        }
        let http = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).build();
        Ok(Self {
            http: http.map_err(Error::Setup)?,
            base: base(url).ok_or_else(|| Error::Url(url.to_owned()))?,
            key: key.into(),
            retry: Retry::default(),
        })
    }

    /// The same client with other ideas about repeats.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Makes a call, again and again where that is safe and may help, and reads the answer. One without a body reads like
    /// `null`.
    ///
    /// # Errors
    /// The last attempt's.
    pub async fn call<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Error> {
        let began = Instant::now();
        let mut attempt = 1;
        loop {
            let error = match self.call_once(call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match self
                .retry
                .pause(&error, call.repeatable, attempt, began.elapsed())
            {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
            attempt += 1;
        }
    }

    async fn call_once<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Error> {
        let response = self.request(call).send().await.map_err(Error::NoAnswer)?;
        let status = response.status();
        if !status.is_success() {
            return Err(Error::Refused(Box::new(Problem::read(response).await)));
        }
        read(response, status).await
    }

    fn request(&self, call: &Call) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(&call.path);
        }
        let mut request = self
            .http
            .request(call.method.clone(), url)
            .bearer_auth(&self.key)
            .timeout(ANSWER_WITHIN + call.wait.unwrap_or_default());
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(wait) = call.wait {
            request = request.header("Prefer", format!("wait={}", wait.as_secs()));
        }
        if let Some(body) = &call.body {
            request = request
                .header("Content-Type", "application/json")
                .body(body.get().to_owned());
        }
        request
    }

    /// The pause after a look that changed nothing.
    pub(crate) fn pause_between_looks(&self, looks: u32) -> Duration {
        self.retry.growing_pause(looks)
    }
}

async fn read<T: DeserializeOwned>(response: Response, status: StatusCode) -> Result<T, Error> {
    // A body that breaks off: what was done is done, and reading it again may work.
    let bytes = response.bytes().await.map_err(Error::NoAnswer)?;
    let text: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
    serde_json::from_slice(text).map_err(|source| Error::Unreadable { status, source })
}

fn base(url: &str) -> Option<Url> {
    let mut base = Url::parse(url).ok()?;
    if !matches!(base.scheme(), "http" | "https") {
        return None;
    }
    base.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend(["api", "v1", "ai-hub"]);
    base.set_query(None);
    base.set_fragment(None);
    Some(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_have_a_path_and_must_be_one_of_http() {
        for (url, expected) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v1/ai-hub"),
            ("https://a.example/", "https://a.example/api/v1/ai-hub"),
            (
                "https://a.example/mill/?x#y",
                "https://a.example/mill/api/v1/ai-hub",
            ),
        ] {
            assert_eq!(base(url).map(String::from).as_deref(), Some(expected));
        }
        for url in ["", "127.0.0.1:8080", "mailto:a@b", "postgres://h/d"] {
            assert_eq!(base(url), None, "{url}");
        }
    }
}
