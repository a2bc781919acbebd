//! Error: everything that can go wrong with one request. What each means to the client is in `problem.rs` and nowhere
//! else.

use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use gristmill_core::access::Permission;
use gristmill_core::{ExecutionId, ExecutionStatus, Problem};
use gristmill_dispatch::{AdmissionError, Refusal};
use gristmill_store::Reached;

use crate::auth::rates::Rate;
use crate::auth::tokens::NoKeys;

/// Why a request was not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no route has this path")]
    UnknownRoute,
    #[error("the route does not know this method")]
    MethodNotAllowed,
    #[error("the request carries no API key and no token")]
    NoKey,
    #[error("the API key is unknown or revoked")]
    WrongKey,
    /// Reads like "it has expired".
    #[error("the token is not believed: {0}")]
    WrongToken(String),
    #[error(transparent)]
    NoTokenKeys(NoKeys),
    /// The caller is known, and may not do this.
    #[error("the caller lacks the permission {0}")]
    Forbidden(Permission),
    /// Also what another organization's object looks like: its existence is nobody else's business.
    #[error("no such {0}")]
    NotFound(&'static str),
    #[error("the body is no JSON: {0}")]
    MalformedJson(serde_json::Error),
    #[error("the content type is not application/json")]
    WrongContentType,
    #[error("the body exceeds {limit} bytes")]
    BodyTooLarge { limit: usize },
    #[error("the body ended early")]
    BodyCutOff,
    #[error("the query is malformed: {0}")]
    MalformedQuery(String),
    #[error("{} problem(s) with the request", .0.len())]
    Invalid(Vec<Problem>),
    #[error("the idempotency key was used for another request")]
    KeyReused(ExecutionId),
    #[error("the workflow is switched off")]
    InactiveWorkflow,
    /// What was asked for needs an execution that has not ended.
    #[error("the execution has ended as {0}")]
    Ended(ExecutionStatus),
    /// What was asked for needs an execution that has ended.
    #[error("the execution is {0}")]
    Unfinished(ExecutionStatus),
    #[error("the execution's parent has not ended")]
    ParentUnfinished,
    #[error("the execution is {0}, and only FAILED ones are retried")]
    NotFailed(ExecutionStatus),
    #[error("the execution was sent {limit} signals already")]
    MailLimit { limit: usize },
    #[error("as many batches are under way as this process takes")]
    TooManyBatches,
    #[error("as many follow executions as this process takes")]
    TooManyFollowers,
    #[error("the organization follows {limit} executions already")]
    FollowerLimit { limit: usize },
    /// The caller's copy is an old one.
    #[error("the workflow is not what `If-Match` says")]
    Stale,
    /// The organization's tier allows no more of it.
    #[error("{} of {} {what} are used", .reached.used, .reached.limit)]
    LimitReached { what: &'static str, reached: Reached },
    /// The caller sends more requests a second than it may.
    #[error("the caller sends too many requests")]
    TooFast(Rate),
    /// Whoever saves this workflow again and again is faster than this request.
    #[error("the workflow was saved again under way")]
    Overtaken,
    /// Nothing was done.
    #[error("the database is away")]
    Unavailable(#[source] BoxError),
    /// A write was begun, and whether it was committed nobody knows.
    #[error("the outcome of a write is unknown")]
    OutcomeUnknown(#[source] BoxError),
    #[error("the answer took longer than {limit:?}")]
    TimedOut { limit: Duration },
    #[error("no answer from {}", .0.join(", "))]
    NotReady(Vec<&'static str>),
    #[error("a handler panicked: {0}")]
    Panicked(String),
    /// A defect: ours, or of what is stored.
    #[error("the request failed inside")]
    Internal(#[source] BoxError),
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    /// A defect.
    pub(crate) fn internal(error: impl Into<BoxError>) -> Self {
        Self::Internal(error.into())
    }

    /// The body is JSON, but none of the kind that every body is.
    pub(crate) fn no_object() -> Self {
        Self::Invalid(vec![Problem::new("$", "wrong_type", "the body is a JSON object")])
    }

    /// A write to the store failed. Only when no connection could be had is it sure that nothing was done.
    pub(crate) fn from_write(error: gristmill_store::Error) -> Self {
        match error {
            gristmill_store::Error::Connect(_) => Self::Unavailable(error.into()),
            // Of what is written here, workflows are what has a limit that the store keeps by itself.
            gristmill_store::Error::LimitReached(reached) => Self::LimitReached {
                what: "workflows",
                reached,
            },
            _ if error.is_transient() => Self::OutcomeUnknown(error.into()),
            _ => Self::Internal(error.into()),
        }
    }

    /// A request that was to be recorded was not.
    fn from_submit(error: gristmill_store::GroupError) -> Self {
        match &error {
            gristmill_store::GroupError::Store(cause)
                if matches!(**cause, gristmill_store::Error::Connect(_)) =>
            {
                Self::Unavailable(error.into())
            }
            _ if error.is_transient() => Self::OutcomeUnknown(error.into()),
            _ => Self::Internal(error.into()),
        }
    }
}

/// A request for an execution was not answered.
impl From<AdmissionError> for Error {
    fn from(error: AdmissionError) -> Self {
        match error {
            AdmissionError::Read(error) => error.into(),
            AdmissionError::Write(error) => Self::from_submit(error),
        }
    }
}

/// No execution was recorded.
impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::KeyReused(id) => Self::KeyReused(id),
            Refusal::Invalid(problems) => Self::Invalid(problems),
            Refusal::InvalidDefinition(problems) => Self::Invalid(problems.to_vec()),
            Refusal::UnknownWorkflow => Self::NotFound("workflow"),
            Refusal::UnknownExecution => Self::NotFound("execution"),
            Refusal::InactiveWorkflow => Self::InactiveWorkflow,
            Refusal::LimitReached(reached) => Self::LimitReached {
                what: "executions this month",
                reached,
            },
            Refusal::Overtaken => Self::Overtaken,
        }
    }
}

/// A read from the store failed.
impl From<gristmill_store::Error> for Error {
    fn from(error: gristmill_store::Error) -> Self {
        if error.is_transient() {
            Self::Unavailable(error.into())
        } else {
            Self::Internal(error.into())
        }
    }
}

/// What an error's response carries on its way out: the outermost layer writes the body, since only that layer knows
/// the request's id, and logs what is to be logged, so that each failure has exactly one line.
#[derive(Debug, Clone)]
pub(crate) struct Failure(pub(crate) Arc<Error>);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        for (name, value) in self.headers() {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(Failure(Arc::new(self)));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submit_whose_outcome_is_unknown_says_how_to_repeat_it() {
        let error = Error::from_submit(gristmill_store::GroupError::Stopped);
        assert_eq!(error.status(), 503);
        assert!(
            error.detail().contains("with the same Idempotency-Key"),
            "{}",
            error.detail()
        );
    }

    #[test]
    fn only_a_missing_connection_promises_that_nothing_was_done() {
        let away = || gristmill_store::Error::Connect("refused".into());
        let submit = gristmill_store::GroupError::Store(Arc::new(away()));
        for error in [
            Error::from_write(away()),
            Error::from_submit(submit),
            Error::from(away()),
        ] {
            assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
            assert!(error.detail().contains("a repeat is safe"), "{}", error.detail());
        }
    }
}
