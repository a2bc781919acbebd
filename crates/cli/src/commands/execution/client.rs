//! One call of the API.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use gristmill_core::ExecutionId;
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use url::Url;

use crate::account::KEY_FILE;
use crate::config::Config;
use crate::error::Error;

/// Whoever calls the API.
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    key: String,
}

impl Client {
    /// A client of the API at `url`, or else of the one that is configured, with `key`, or else the one that
    /// `gristmill dev` keeps.
    ///
    /// # Errors
    /// When there is no key, or the URL is none.
    pub(super) fn new(url: Option<String>, key: Option<String>, config: &Config) -> Result<Self, Error> {
        let url = url.unwrap_or_else(|| format!("http://{}", reachable(config.api.listen)));
        let base = Url::parse(&url).ok().filter(|url| !url.cannot_be_a_base());
        let base = base.ok_or_else(|| {
            Error::Usage(format!(
                "`{url}` is no URL of an API: expected http://HOST:PORT or https://HOST"
            ))
        })?;
        let key = match key {
            Some(key) => key,
            None => kept_key(config)?,
        };
        Ok(Self {
            http: reqwest::Client::new(),
            base,
            key,
        })
    }

    /// Has something done to an execution.
    pub(super) async fn order(&self, id: &ExecutionId, order: &str, body: Value) -> Result<Value, Error> {
        self.ask(Method::POST, &format!("/executions/{id}/{order}"), Some(&body))
            .await
    }

    /// Sends a signal. Its name may be anything, so it is made a part of the path first.
    pub(super) async fn signal(&self, id: &ExecutionId, name: &str, payload: &Value) -> Result<Value, Error> {
        let mut path = self.url(&format!("/executions/{id}/signals"));
        if let Ok(mut segments) = path.path_segments_mut() {
            segments.push(name);
        }
        self.call(Method::POST, path, Some(payload)).await
    }

    /// A page of executions.
    pub(super) async fn list(&self, query: &[(&str, String)]) -> Result<Value, Error> {
        let mut url = self.url("/executions");
        url.query_pairs_mut().extend_pairs(query);
        self.call(Method::GET, url, None).await
    }

    /// The stream of an execution's events behind the last one seen; `None` when there are none left.
    pub(super) async fn follow(&self, id: &ExecutionId, last: &str) -> Result<Option<Response>, Error> {
        let request = self
            .http
            .get(self.url(&format!("/executions/{id}/events")))
            .bearer_auth(&self.key)
            .header("last-event-id", last);
        let response = request.send().await.map_err(failed)?;
        match response.status() {
            StatusCode::NO_CONTENT => Ok(None),
            status if status.is_success() => Ok(Some(response)),
            status => Err(refused(status, response.text().await.map_err(failed)?)),
        }
    }

    /// Calls a path below `/api/v1/ai-hub`. An answer without a body is null.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        self.call(method, self.url(path), body).await
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let base = self.base.path().trim_end_matches('/');
        url.set_path(&format!("{base}/api/v1/ai-hub{path}"));
        url
    }

    async fn call(&self, method: Method, url: Url, body: Option<&Value>) -> Result<Value, Error> {
        let mut request = self.http.request(method, url).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        let text = response.text().await.map_err(failed)?;
        if status.is_success() {
            return Ok(serde_json::from_str(&text).unwrap_or_default());
        }
        Err(refused(status, text))
    }
}

const DOING: &str = "calling the API";

fn failed(source: reqwest::Error) -> Error {
    Error::Http { doing: DOING, source }
}

/// A problem document says what to do next, and what exactly is wrong.
fn refused(status: StatusCode, text: String) -> Error {
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    let mut body = document["detail"].as_str().map_or(text, str::to_owned);
    for problem in document["errors"].as_array().into_iter().flatten() {
        let part = |key: &str| problem[key].as_str().unwrap_or_default();
        body = format!("{body}\n  {}: {}", part("path"), part("message"));
    }
    Error::Refused {
        doing: DOING,
        status,
        body,
    }
}

/// Where a client finds what listens everywhere.
fn reachable(mut listens: SocketAddr) -> SocketAddr {
    if listens.ip().is_unspecified() {
        listens.set_ip(match listens {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listens
}

fn kept_key(config: &Config) -> Result<String, Error> {
    let path = config.data_dir.join(KEY_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::Usage(format!(
            "there is no API key: give --api-key, set GRISTMILL_API_KEY, or name with --data-dir the directory of a \
             `gristmill dev`; there is none in {}",
            path.display()
        ))),
        Err(source) => Err(Error::File {
            what: "cannot read the API key in",
            path,
            source,
        }),
    }
}
