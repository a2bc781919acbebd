//! The header `Idempotency-Key`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use gristmill_core::Problem;

use crate::error::Error;

/// The producer's key against doubles, when it sent one. One that cannot be kept is refused: ignoring it would take away
/// the protection that the producer counts on.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

/// The longest key, in characters.
const MAX_LEN: usize = 255;

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let mut values = parts.headers.get_all("idempotency-key").into_iter();
        let Some(first) = values.next() else {
            return Ok(Self(None));
        };
        if values.next().is_some() {
            return Err(refused("there must be one Idempotency-Key"));
        }
        let key = first.to_str().unwrap_or_default();
        if key.is_empty() || key.len() > MAX_LEN || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused(
                "an Idempotency-Key has 1 to 255 visible ASCII characters",
            ));
        }
        Ok(Self(Some(key.to_owned())))
    }
}

fn refused(message: &str) -> Error {
    Error::Invalid(vec![Problem::new(
        "header Idempotency-Key",
        "invalid_header",
        message,
    )])
}
