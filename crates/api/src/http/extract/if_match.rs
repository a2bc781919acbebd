//! The header `If-Match`: which edition of a workflow the caller has seen.

use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use gristmill_core::Problem;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Type};

use crate::http::answer::etag;
use crate::http::error::Error;

/// The ETags that the caller accepts; `None` = whatever there is.
pub(crate) struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// Whether the caller has seen this edition, or does not care.
    pub(crate) fn accepts(&self, edition: i32) -> bool {
        self.0.as_ref().is_none_or(|tags| tags.contains(&etag(edition)))
    }

    /// Whether the caller names editions.
    pub(crate) fn is_given(&self) -> bool {
        self.0.is_some()
    }
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = ParameterBuilder::new()
            .name("If-Match")
            .parameter_in(ParameterIn::Header)
            .description(Some(
                "The `ETag` of an earlier answer: nothing is done when the workflow has changed since.",
            ))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .example(Some("\"7\"".into()));
        vec![parameter.build()]
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let mut tags = Vec::new();
        let mut any = false;
        let mut given = false;
        for value in parts.headers.get_all(IF_MATCH) {
            given = true;
            let value = value.to_str().map_err(|_| refused())?;
            for tag in value.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
                // A weak tag is one, and never equal here (RFC 9110 §13.1.1).
                let opaque = tag.strip_prefix("W/").unwrap_or(tag);
                match opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
                    _ if tag == "*" => any = true,
                    Some(_) => tags.push(tag.to_owned()),
                    None => return Err(refused()),
                }
            }
        }
        if given && !any && tags.is_empty() {
            return Err(refused());
        }
        Ok(Self((given && !any).then_some(tags)))
    }
}

fn refused() -> Error {
    Error::Invalid(vec![Problem::new(
        "header If-Match",
        "invalid_header",
        "If-Match is the ETag of an earlier answer, in its double quotes, or *",
    )])
}
