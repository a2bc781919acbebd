//! Id: the id in a path.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use gristmill_core::{ApiKeyId, ExecutionId, TemplateId, WorkflowId};

use crate::http::error::Error;

/// The `{id}` of the path. A text that is no such id names nothing, so it is answered like an unknown one.
pub(crate) struct Id<T>(pub(crate) T);

/// What an id names, for people.
pub(crate) trait Names: FromStr {
    /// `workflow`, `execution`, `template`.
    const NOUN: &'static str;
}

impl Names for WorkflowId {
    const NOUN: &'static str = "workflow";
}

impl Names for ExecutionId {
    const NOUN: &'static str = "execution";
}

impl Names for TemplateId {
    const NOUN: &'static str = "template";
}

impl Names for ApiKeyId {
    const NOUN: &'static str = "API key";
}

impl<S: Send + Sync, T: Names> FromRequestParts<S> for Id<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = path.map_err(|_| Error::NotFound(T::NOUN))?;
        text.parse().map(Self).map_err(|_| Error::NotFound(T::NOUN))
    }
}
