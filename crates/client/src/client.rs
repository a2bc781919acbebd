//! Client: making calls.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, ETAG, HeaderValue, IF_MATCH};
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use url::Url;

use crate::call::Call;
use crate::error::Error;
use crate::problem::Problem;
use crate::retry::Retry;

/// A client of the API. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Ends with `/api/v1/ai-hub`.
    base: Url,
    /// `Authorization`
    key: HeaderValue,
    retry: Retry,
    /// Whether the API has ever answered.
    answered: Arc<AtomicBool>,
    on_retry: Option<OnRetry>,
}

/// What is told of a first attempt that failed, and how long there are others.
type OnRetry = Arc<dyn Fn(&Error, Duration) + Send + Sync>;

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// How long an answer may take, not counting what it was asked to wait: longer than the API itself gives it, so that its
/// own word about that is heard.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(40);

impl Client {
    /// A client of the API at `url`, such as `https://mill.example`, with an API key.
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::Key`], or TLS cannot be set up.
    pub fn new(url: &str, key: &str) -> Result<Self, Error> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Err: another thread was first, with a provider that is as good.
            rustls::crypto::ring::default_provider().install_default().ok();
        }
        let mut bearer = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| Error::Key)?;
        bearer.set_sensitive(true);
        let http = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).build();
        Ok(Self {
            http: http.map_err(Error::Setup)?,
            base: base(url).ok_or_else(|| Error::Url(url.to_owned()))?,
            key: bearer,
            retry: Retry::default(),
            answered: Arc::default(),
            on_retry: None,
        })
    }

    /// The same client with other ideas about repeats.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// The same client, which tells of each call whose first attempt has failed, and how long it will go on with others.
    #[must_use]
    pub fn on_retry(mut self, tell: impl Fn(&Error, Duration) + Send + Sync + 'static) -> Self {
        self.on_retry = Some(Arc::new(tell));
        self
    }

    /// Makes a call, again and again where that is safe and may help, and reads the answer. One without a body reads like
    /// `null`.
    ///
    /// # Errors
    /// The last attempt's.
    pub async fn call<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Error> {
        Ok(self.call_tagged(call).await?.0)
    }

    /// The same, with the tag of what was read (`ETag`), where it has one.
    ///
    /// # Errors
    /// The last attempt's.
    pub async fn call_tagged<T: DeserializeOwned>(&self, call: &Call) -> Result<(T, Option<String>), Error> {
        let began = Instant::now();
        let mut attempt = 1;
        loop {
            let error = match self.call_once(call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            self.rest(error, call.repeatable, attempt, began.elapsed())
                .await?;
            attempt += 1;
        }
    }

    /// The pause after an attempt that failed, which is told of when it was the first.
    ///
    /// # Errors
    /// The attempt's, when there is to be no other.
    pub(crate) async fn rest(
        &self,
        error: Error,
        repeatable: bool,
        attempt: u32,
        elapsed: Duration,
    ) -> Result<(), Error> {
        let answered = self.answered.load(Ordering::Relaxed);
        let Some(pause) = self.retry.pause(&error, repeatable, answered, attempt, elapsed) else {
            return Err(error);
        };
        if let Some(tell) = self.on_retry.as_ref().filter(|_| attempt == 1) {
            let until = self.retry.give_up_after(&error, answered);
            tell(&error, until.saturating_sub(elapsed));
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }

    async fn call_once<T: DeserializeOwned>(&self, call: &Call) -> Result<(T, Option<String>), Error> {
        let within = ANSWER_WITHIN + call.wait.unwrap_or_default();
        let response = self.send(self.request(call).timeout(within)).await?;
        let tag = response.headers().get(ETAG);
        let tag = tag.and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        Ok((read(response).await?, tag))
    }

    /// Makes a call once, whose answer may last. Neither its beginning nor any piece of it takes longer than
    /// [`ANSWER_WITHIN`]; the pieces are for the caller to see to.
    pub(crate) async fn stream(&self, call: &Call) -> Result<Response, Error> {
        let sent = tokio::time::timeout(ANSWER_WITHIN, self.send(self.request(call)));
        sent.await.unwrap_or(Err(Error::Silent(ANSWER_WITHIN)))
    }

    fn request(&self, call: &Call) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(&call.path);
        }
        let mut request = self
            .http
            .request(call.method.clone(), url)
            .header(AUTHORIZATION, &self.key);
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(tag) = &call.if_match {
            request = request.header(IF_MATCH, tag);
        }
        if let Some(id) = &call.last_event_id {
            request = request.header("Last-Event-ID", id);
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

    async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let response = request.send().await.map_err(Error::NoAnswer)?;
        self.answered.store(true, Ordering::Relaxed);
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(Error::Refused(Box::new(Problem::read(response).await)))
        }
    }

    /// How this client repeats.
    pub(crate) fn retry_policy(&self) -> &Retry {
        &self.retry
    }
}

/// Without the key.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.base.as_str())
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Error> {
    let status = response.status();
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
