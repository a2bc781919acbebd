//! Fetch: getting a set of keys from where it is.

use std::fmt;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

use crate::auth::tokens::KeySource;

/// How long it may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest set, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
const MAX_REDIRECTS: usize = 3;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A source, and what reads it.
pub(super) struct Fetcher {
    source: KeySource,
    client: Client,
}

impl Fetcher {
    pub(super) fn new(source: KeySource) -> Result<Self, reqwest::Error> {
        // What begins encrypted stays encrypted: no redirect leads to keys that anybody on the way can replace.
        let https = matches!(&source, KeySource::Url(url) if url.starts_with("https:"));
        let client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(Policy::limited(MAX_REDIRECTS))
            .https_only(https)
            .user_agent(concat!("gristmill/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { source, client })
    }

    /// The set as text.
    pub(super) async fn fetch(&self) -> Result<Vec<u8>, BoxError> {
        match &self.source {
            KeySource::File(path) => {
                let path = path.clone();
                Ok(tokio::task::spawn_blocking(move || std::fs::read(path)).await??)
            }
            KeySource::Url(url) => {
                let response = self.client.get(url).send().await;
                // Errors repeat the URL with its parameters.
                let response = response.and_then(Response::error_for_status);
                read(response.map_err(reqwest::Error::without_url)?).await
            }
        }
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, BoxError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BYTES {
            return Err(format!("the key set has more than {MAX_BYTES} bytes").into());
        }
    }
    Ok(body)
}

impl fmt::Display for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            KeySource::File(path) => path.display().fmt(f),
            KeySource::Url(url) => f.write_str(&without_secrets(url)),
        }
    }
}

/// A URL may hold a password, and parameters that are as good as one.
fn without_secrets(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) => format!("{}{}", url.origin().ascii_serialization(), url.path()),
        Err(_) => "its URL".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_told_without_its_secrets() {
        assert_eq!(
            without_secrets("https://me:secret@host:444/keys?token=secret"),
            "https://host:444/keys"
        );
        assert_eq!(without_secrets("https://secret@ho st/"), "its URL");
    }
}
