//! The body: a JSON object, read once for its meaning and once for its text.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, OptionalFromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::sync::Arc;

use crate::http::error::Error;
use crate::state::AppState;

/// A JSON object as it was sent. Definitions and inputs are kept byte for byte, so the text of each value is kept
/// beside the value. Of a key that stands there twice, the last one counts.
#[derive(Clone)]
pub(crate) struct Document {
    /// The values.
    pub(crate) values: Map<String, Value>,
    texts: HashMap<String, Box<RawValue>>,
}

impl Document {
    /// The text of a key's value; `otherwise` when there is none or it is null.
    pub(crate) fn text<'a>(&'a self, key: &str, otherwise: &'a str) -> &'a str {
        match self.texts.get(key).map(|text| text.get()) {
            None | Some("null") => otherwise,
            Some(text) => text,
        }
    }

    /// This document, with what `other` says instead wherever it says anything.
    pub(crate) fn overlaid(mut self, other: &Self) -> Self {
        let values = other.values.iter();
        self.values
            .extend(values.map(|(key, value)| (key.clone(), value.clone())));
        let texts = other.texts.iter();
        self.texts
            .extend(texts.map(|(key, text)| (key.clone(), text.clone())));
        self
    }

    /// Reads a text as a body is read.
    ///
    /// # Errors
    /// When it is no JSON object.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Error> {
        // This read comes first: it is the one that refuses what nests too deeply or holds half a surrogate pair.
        match serde_json::from_slice(body).map_err(Error::MalformedJson)? {
            Value::Object(values) => {
                let texts = serde_json::from_slice(body).map_err(Error::MalformedJson)?;
                Ok(Self { values, texts })
            }
            _ => Err(Error::no_object()),
        }
    }
}

impl FromRequest<Arc<AppState>> for Document {
    type Rejection = Error;

    async fn from_request(request: Request, state: &Arc<AppState>) -> Result<Self, Error> {
        let body = required(request, state, state.options.max_body_bytes).await?;
        Self::parse(&body)
    }
}

/// The bytes of a body that is said to be JSON.
pub(super) async fn required(request: Request, state: &Arc<AppState>, limit: usize) -> Result<Bytes, Error> {
    let json = is_json(&request);
    let body = read(request, state, limit).await?;
    if json {
        Ok(body)
    } else {
        Err(Error::WrongContentType)
    }
}

impl OptionalFromRequest<Arc<AppState>> for Document {
    type Rejection = Error;

    async fn from_request(request: Request, state: &Arc<AppState>) -> Result<Option<Self>, Error> {
        let json = is_json(&request);
        let body = read(request, state, state.options.max_body_bytes).await?;
        match (body.is_empty(), json) {
            (true, _) => Ok(None),
            (false, true) => Self::parse(&body).map(Some),
            (false, false) => Err(Error::WrongContentType),
        }
    }
}

/// A body of `limit` bytes at most.
async fn read(mut request: Request, state: &Arc<AppState>, limit: usize) -> Result<Bytes, Error> {
    DefaultBodyLimit::max(limit).apply(&mut request);
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Error::BodyTooLarge { limit },
            _ => Error::BodyCutOff,
        })
}

/// `application/json`, or a format built on it such as `application/ld+json`.
fn is_json(request: &Request) -> bool {
    let Some(Ok(content_type)) = request.headers().get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
