//! The refusal of queries where a route takes none: ignoring one would do something else than was asked for.

use axum::extract::{Query, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use gristmill_core::{Problem, shortened};

use crate::http::error::Error;

/// How many parameters are told.
const TOLD: usize = 100;

/// Answers 422 to a request with a query.
pub(crate) async fn refuse_query(request: Request, next: Next) -> Response {
    match problems(&request) {
        Ok(problems) if problems.is_empty() => next.run(request).await,
        Ok(problems) => Error::Invalid(problems).into_response(),
        Err(error) => error.into_response(),
    }
}

fn problems(request: &Request) -> Result<Vec<Problem>, Error> {
    let query = Query::<Vec<(String, String)>>::try_from_uri(request.uri());
    let Query(parameters) = query.map_err(|rejection| Error::MalformedQuery(rejection.body_text()))?;
    let problems = parameters.iter().take(TOLD).map(|(name, _)| {
        let name = shortened(name);
        let message = format!("unknown parameter `{name}`; there is none here");
        Problem::new(format_args!("query {name}"), "unknown_parameter", message)
    });
    Ok(problems.collect())
}
