//! A small HTTP client: one connection for each that is in flight, and no more work than that takes, since whatever the
//! load generator burns is taken from the system that it measures.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::Url;

use crate::Error;

/// Where the API is, and how to be let in.
#[derive(Clone)]
pub struct Target {
    authority: HeaderValue,
    address: String,
    authorization: HeaderValue,
}

/// One kept-alive connection.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    target: Target,
}

const BASE: &str = "/api/v1/ai-hub";

impl Target {
    /// The API at `url`, and a key of an organization.
    ///
    /// # Errors
    /// [`Error::Url`] when this is no plain HTTP URL.
    pub fn new(url: &str, api_key: &str) -> Result<Self, Error> {
        let parsed = Url::parse(url).map_err(|error| Error::Url(format!("{url} is no URL: {error}")))?;
        let port = parsed.port_or_known_default().unwrap_or(80);
        let Some(host) = parsed.host_str().filter(|_| parsed.scheme() == "http") else {
            return Err(Error::Url(format!(
                "{url} is no plain HTTP address: name the API process itself, as in http://127.0.0.1:8080"
            )));
        };
        let address = format!("{host}:{port}");
        let value = |text: String| {
            HeaderValue::from_str(&text)
                .map_err(|_| Error::Url("the URL or the API key cannot be sent in a header".to_owned()))
        };
        Ok(Self {
            authority: value(address.clone())?,
            authorization: value(format!("Bearer {api_key}"))?,
            address,
        })
    }
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn open(target: &Target) -> Result<Self, Error> {
        let failed = |source| Error::Connect {
            address: target.address.clone(),
            source,
        };
        let stream = TcpStream::connect(&target.address).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(|source| Error::Http {
                doing: "connecting to the API",
                source,
            })?;
        tokio::spawn(async move {
            // Whoever sends on it hears of it, too.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the API ended");
            }
        });
        Ok(Self {
            sender,
            target: target.clone(),
        })
    }

    /// Sends a JSON document and answers with the one that comes back; `prefer` is the header of that name.
    ///
    /// # Errors
    /// When the API does not answer, or not with a success.
    pub async fn post(
        &mut self,
        doing: &'static str,
        path: &str,
        prefer: Option<HeaderValue>,
        body: String,
    ) -> Result<Bytes, Error> {
        self.send(doing, Method::POST, path, prefer, body).await
    }

    /// Answers with the document at `path`.
    ///
    /// # Errors
    /// When the API does not answer, or not with a success.
    pub async fn get(&mut self, doing: &'static str, path: &str) -> Result<Bytes, Error> {
        self.send(doing, Method::GET, path, None, String::new()).await
    }

    async fn send(
        &mut self,
        doing: &'static str,
        method: Method,
        path: &str,
        prefer: Option<HeaderValue>,
        body: String,
    ) -> Result<Bytes, Error> {
        let failed = |source| Error::Http { doing, source };
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = format!("{BASE}{path}")
            .parse()
            .map_err(|_| Error::Url(format!("{path} is no path")))?;
        let headers = request.headers_mut();
        headers.insert(HOST, self.target.authority.clone());
        headers.insert(AUTHORIZATION, self.target.authorization.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(prefer) = prefer {
            headers.insert("prefer", prefer);
        }
        self.sender.ready().await.map_err(failed)?;
        let response = self.sender.send_request(request).await.map_err(failed)?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(failed)?.to_bytes();
        if (200..300).contains(&status) {
            return Ok(body);
        }
        Err(Error::Refused {
            doing,
            status,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}
