//! The path of a signal: the execution and the signal's name.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use gristmill_core::{ExecutionId, Problem};

use crate::http::error::Error;

/// The `{id}` and the `{name}` of `executions/{id}/signals/{name}`.
pub(crate) struct SignalPath {
    pub(crate) id: ExecutionId,
    pub(crate) name: String,
}

/// The longest name of a signal, in bytes; the same as the node that waits for it allows.
const MAX_NAME: usize = 100;

impl<S: Send + Sync> FromRequestParts<S> for SignalPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((id, name)) = path.map_err(|_| Error::NotFound("execution"))?;
        let id = id.parse().map_err(|_| Error::NotFound("execution"))?;
        let is_name =
            (1..=MAX_NAME).contains(&name.len()) && !name.contains('/') && !name.contains(char::is_control);
        if !is_name {
            let message =
                format!("a signal's name has 1 to {MAX_NAME} bytes and no slash or control character");
            return Err(Error::Invalid(vec![Problem::new(
                "path name",
                "invalid_name",
                message,
            )]));
        }
        Ok(Self { id, name })
    }
}
