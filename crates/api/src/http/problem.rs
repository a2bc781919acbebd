//! Problem documents (RFC 9457): what each error means to the client. The one place that knows status codes.
//!
//! `type` is stable and for programs; `detail` says what to do next and whether a repeat is safe. What went wrong on our
//! side is never shown, only logged.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use chrono::{DateTime, Utc};
use gristmill_core::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::BASE;
use crate::http::error::Error;
use crate::http::openapi::schema;

/// The body of every answer that is not a success (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "urn:gristmill:problem:invalid",
    "title": "The request is not valid",
    "status": 422,
    "detail": "Nothing was done. Correct what `errors` lists (1) before repeating.",
    "instance": "req_019a2025a1c8e70ba83d6b46f6b5e88f",
    "errors": [{"path": "$.name", "code": "missing", "message": "`name` is required"}]
}))]
pub(crate) struct Document<'a> {
    /// Stable, for programs: `urn:gristmill:problem:` and a word.
    r#type: String,
    /// What people call it.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What to do next, and whether a repeat is safe.
    detail: String,
    /// The request's id, as in the `x-request-id` header and in the logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    instance: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Problem]>::is_empty")]
    #[schema(value_type = Option<Vec<schema::Fault>>)]
    errors: &'a [Problem],
    #[serde(flatten)]
    #[schema(value_type = Limit)]
    limit: Option<Limit>,
}

/// What there is more of when a limit of the tier is reached.
#[derive(Serialize, ToSchema)]
#[schema(as = ProblemLimit)]
#[serde(rename_all = "camelCase")]
struct Limit {
    #[schema(required = false)]
    limit: u32,
    #[schema(required = false)]
    used: i64,
    /// Null where nothing but giving something up helps.
    resets_at: Option<DateTime<Utc>>,
}

/// Replaces the body of an error's response by the problem document.
pub(crate) fn write(error: &Error, request_id: &str, response: &mut Response<Body>) {
    let document = document(error, Some(request_id));
    // Strings and numbers only: serialization has nothing that could fail.
    *response.body_mut() = Body::from(serde_json::to_vec(&document).unwrap_or_default());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
}

impl Document<'_> {
    /// How many errors it lists.
    pub(crate) fn told(&self) -> usize {
        self.errors.len()
    }
}

/// The problem document, of a whole request or, without an id of its own, of a part of one.
fn document<'a>(error: &'a Error, request_id: Option<&'a str>) -> Document<'a> {
    let (kind, title) = error.kind();
    Document {
        r#type: format!("urn:gristmill:problem:{kind}"),
        title,
        status: error.status().as_u16(),
        detail: error.detail(),
        instance: request_id,
        errors: if let Error::Invalid(problems) = error {
            problems
        } else {
            &[]
        },
        limit: if let Error::LimitReached { reached, .. } = error {
            Some(Limit {
                limit: reached.limit,
                used: reached.used,
                resets_at: reached.resets_at,
            })
        } else {
            None
        },
    }
}

/// The problem document of a part of a request, with so many of its errors at most.
pub(crate) fn part(error: &Error, most: usize) -> Document<'_> {
    let mut document = document(error, None);
    document.errors = &document.errors[..document.errors.len().min(most)];
    document
}

/// By the clock of this process: whoever is sent too early because it is fast is told again.
fn seconds_until(time: DateTime<Utc>) -> u64 {
    let milliseconds = (time - Utc::now()).num_milliseconds();
    u64::try_from(milliseconds)
        .unwrap_or_default()
        .div_ceil(1_000)
        .max(1)
}

impl Error {
    /// The answer's status.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::MalformedJson(_) | Self::MalformedQuery(_) | Self::BodyCutOff => StatusCode::BAD_REQUEST,
            Self::NoKey | Self::WrongKey | Self::WrongToken(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::UnknownRoute | Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::KeyReused(_)
            | Self::InactiveWorkflow
            | Self::Ended(_)
            | Self::Unfinished(_)
            | Self::ParentUnfinished
            | Self::NotFailed(_)
            | Self::MailLimit { .. } => StatusCode::CONFLICT,
            Self::Stale => StatusCode::PRECONDITION_FAILED,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::WrongContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::FollowerLimit { .. } | Self::LimitReached { .. } | Self::TooFast(_) => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::TooManyFollowers
            | Self::TooManyBatches
            | Self::Overtaken
            | Self::NoTokenKeys(_)
            | Self::Unavailable(_)
            | Self::OutcomeUnknown(_)
            | Self::TimedOut { .. }
            | Self::NotReady(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Panicked(_) | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The headers that the status asks for.
    pub(crate) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let fixed = HeaderValue::from_static;
        match self.status() {
            StatusCode::UNAUTHORIZED => vec![(WWW_AUTHENTICATE, fixed(r#"Bearer realm="gristmill""#))],
            StatusCode::SERVICE_UNAVAILABLE => vec![(RETRY_AFTER, fixed("2"))],
            StatusCode::TOO_MANY_REQUESTS => self.retry_after().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// When a repeat has a chance, where that is known: in seconds, which clients read more often than dates.
    fn retry_after(&self) -> Option<(HeaderName, HeaderValue)> {
        let value = match self {
            Self::TooFast(rate) => rate.retry_after(),
            Self::FollowerLimit { .. } => HeaderValue::from_static("2"),
            Self::LimitReached { reached, .. } => HeaderValue::from(seconds_until(reached.resets_at?)),
            _ => return None,
        };
        Some((RETRY_AFTER, value))
    }

    /// The end of the `type` URN, and what people call it.
    pub(crate) fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::UnknownRoute => ("unknown-route", "No such route"),
            Self::MethodNotAllowed => ("method-not-allowed", "Method not allowed"),
            Self::NoKey | Self::WrongKey | Self::WrongToken(_) => {
                ("unauthenticated", "No valid API key or token")
            }
            Self::Forbidden(_) => ("forbidden", "Not allowed"),
            Self::NotFound(_) => ("not-found", "Not found"),
            Self::MalformedJson(_) => ("malformed-json", "The body is no JSON"),
            Self::BodyCutOff => ("body-cut-off", "The body ended early"),
            Self::MalformedQuery(_) => ("malformed-query", "The query is malformed"),
            Self::WrongContentType => ("unsupported-media-type", "Unsupported content type"),
            Self::BodyTooLarge { .. } => ("body-too-large", "The body is too large"),
            Self::Invalid(_) => ("invalid", "The request is not valid"),
            Self::KeyReused(_) => (
                "idempotency-key-reused",
                "The idempotency key was used for another request",
            ),
            Self::InactiveWorkflow => ("inactive-workflow", "The workflow is switched off"),
            Self::Ended(_) => ("execution-ended", "The execution has ended"),
            Self::Unfinished(_) => ("execution-unfinished", "The execution has not ended"),
            Self::ParentUnfinished => ("parent-unfinished", "The execution's parent has not ended"),
            Self::NotFailed(_) => ("not-failed", "The execution has not failed"),
            Self::MailLimit { .. } => ("mail-limit", "The execution was sent too many signals"),
            Self::TooManyBatches => ("too-many-batches", "Too many batches under way"),
            Self::TooManyFollowers => ("too-many-followers", "Too many follow executions"),
            Self::FollowerLimit { .. } => ("follower-limit", "The organization follows too many executions"),
            Self::Stale => ("stale", "The workflow has changed"),
            Self::LimitReached { .. } => ("limit", "A limit of the organization's tier is reached"),
            Self::TooFast(_) => ("rate-limit", "Too many requests"),
            Self::Overtaken => ("overtaken", "The workflow was saved under way"),
            Self::Unavailable(_) | Self::NoTokenKeys(_) => ("unavailable", "Temporarily unavailable"),
            Self::OutcomeUnknown(_) => ("outcome-unknown", "The outcome is unknown"),
            Self::TimedOut { .. } => ("timeout", "The answer took too long"),
            Self::NotReady(_) => ("not-ready", "Not ready"),
            Self::Panicked(_) | Self::Internal(_) => ("internal", "Internal error"),
        }
    }

    /// What to do next, and whether a repeat is safe.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::UnknownRoute => format!("No route has this path. The API is under {BASE}."),
            Self::MethodNotAllowed => "This path exists, but not with this method; see the `Allow` header.".to_owned(),
            Self::NoKey => "Send an API key or a token: `Authorization: Bearer gm_…`.".to_owned(),
            Self::WrongKey => "The API key is unknown, revoked or expired. A repeat with the same key does not help.".to_owned(),
            Self::WrongToken(why) => {
                format!("The token is not accepted: {why}. Get a new one; a repeat with the same one does not help.")
            }
            Self::NoTokenKeys(_) => "The keys that tokens are verified with cannot be had. Nothing was done; a repeat is \
                safe.".to_owned(),
            Self::Forbidden(permission) => format!(
                "This needs the permission `{permission}`, which your roles, the organization's tier and the key's scopes \
                 do not give. Nothing was done. A repeat does not help."
            ),
            Self::NotFound(what) => format!("There is no such {what}. A repeat does not help."),
            Self::MalformedJson(error) => format!("{error}. Correct the body before repeating."),
            Self::BodyCutOff => "The body could not be read to its end. Nothing was done; a repeat is safe.".to_owned(),
            Self::MalformedQuery(message) => format!("{message}. Correct the query before repeating."),
            Self::WrongContentType => "Send the body with `Content-Type: application/json`.".to_owned(),
            Self::BodyTooLarge { limit } => format!("The body may have at most {limit} bytes. Nothing was done."),
            Self::Invalid(problems) => {
                format!("Nothing was done. Correct what `errors` lists ({}) before repeating.", problems.len())
            }
            Self::KeyReused(id) => format!(
                "This Idempotency-Key belongs to another request, the one of execution {id}. \
                 Nothing was done; use a new key for a new request."
            ),
            Self::InactiveWorkflow => {
                "The workflow is switched off (`isActive` is false), so nothing was submitted. A repeat is safe once it \
                 is on again."
                    .to_owned()
            }
            Self::Ended(status) => {
                format!("The execution has ended as {status}, so nothing was done. A repeat does not help.")
            }
            Self::Unfinished(status) => format!(
                "The execution is {status}, so nothing was done. Wait for its end, or cancel it first."
            ),
            Self::ParentUnfinished => "The execution is the child of one that has not ended and may still ask for it, \
                so nothing was done. Wait for the parent's end, or cancel the parent first."
                .to_owned(),
            Self::NotFailed(status) => format!(
                "The execution is {status}, and only a FAILED one can be retried: nothing was done. To run the same \
                 input again, replay it."
            ),
            Self::MailLimit { limit } => format!(
                "The execution was sent {limit} signals, as many as `limits.max_mail` allows: this one was not \
                 delivered, and a repeat does not help."
            ),
            Self::TooManyBatches => "As many batches are under way here as its memory is meant for. Nothing was done; a \
                repeat is safe."
                .to_owned(),
            Self::TooManyFollowers => "As many clients follow executions here as `api.max_followers` allows. A repeat is \
                safe; until then, the execution and its journal can be read."
                .to_owned(),
            Self::FollowerLimit { limit } => format!(
                "Your organization follows {limit} executions already, as many as \
                 `api.max_followers_per_organization` allows. Close a stream that is no longer needed, or repeat later; \
                 until then, the execution and its journal can be read."
            ),
            Self::Stale => "The workflow has changed since it had the ETag that `If-Match` names, so nothing was done. Read it \
                again, and send the change with its present ETag."
                .to_owned(),
            Self::LimitReached { what, reached } => {
                let used = format!(
                    "The organization has used {} of the {} {what} that its tier allows, so nothing was done.",
                    reached.used, reached.limit
                );
                match reached.resets_at {
                    Some(at) => format!("{used} A repeat is safe, and has a chance from {} on.", at.to_rfc3339()),
                    None => format!("{used} Delete some, or change to a higher tier."),
                }
            }
            Self::TooFast(rate) => format!(
                "This key, or this member by tokens, may send {} requests a second (`api.requests_per_second`), and {} \
                 at once. Nothing was done; a repeat is safe after the time in `Retry-After`.",
                rate.per_second, rate.burst
            ),
            Self::Overtaken => "The workflow was saved again while this was being checked. Nothing was done; a \
                repeat is safe."
                .to_owned(),
            Self::Unavailable(_) => "The database does not answer. Nothing was done; a repeat is safe.".to_owned(),
            Self::OutcomeUnknown(_) => "The database stopped answering under way, and whether the request was carried \
                out is unknown. Repeat a submit with the same Idempotency-Key, and it is done once; without a key a \
                repeat may do it twice."
                .to_owned(),
            Self::TimedOut { limit } => format!(
                "There was no answer within {limit:?}. A read may be repeated; whether a write was done is unknown: \
                 repeat a submit only with the same Idempotency-Key."
            ),
            Self::NotReady(parts) => format!("No answer from: {}.", parts.join(", ")),
            Self::Panicked(_) | Self::Internal(_) => {
                "Something is wrong on our side. Report it with the `instance` of this answer; repeat a submit only with \
                 the same Idempotency-Key."
                    .to_owned()
            }
        }
    }
}
