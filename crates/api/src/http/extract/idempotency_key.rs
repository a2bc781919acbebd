//! Idempotency key: the header `Idempotency-Key`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use gristmill_core::Problem;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Type};

use crate::http::error::Error;

/// The producer's key against doubles, when it sent one. One that cannot be kept is refused: ignoring it would take away
/// the protection that the producer counts on.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(MAX_LEN))
            .pattern(Some("^[!-~]+$"));
        let parameter = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .description(Some(
                "The producer's key against doubles: the same key again is answered with what was done the first time.",
            ))
            .schema(Some(schema))
            .example(Some("order-4711".into()));
        vec![parameter.build()]
    }
}

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
