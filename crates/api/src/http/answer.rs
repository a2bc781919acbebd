//! Answer: answers that are successes.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::http::error::Error;

/// What an ETag says of an edition.
pub(crate) fn etag(edition: i32) -> String {
    format!("\"{edition}\"")
}

/// An answer with a JSON body.
///
/// # Errors
/// When the body cannot be written as JSON, which is a defect.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<Response, Error> {
    let body = serde_json::to_vec(body).map_err(Error::internal)?;
    Ok((
        status,
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        body,
    )
        .into_response())
}

/// A stored document, to be handed on as the text that it is.
///
/// # Errors
/// When it is no JSON, which is a defect.
pub(crate) fn raw(text: String) -> Result<Box<RawValue>, Error> {
    RawValue::from_string(text).map_err(Error::internal)
}
