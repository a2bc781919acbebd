//! `GET /executions/{id}/events`

mod admission;
mod cursor;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use gristmill_core::access::Permission;
use gristmill_core::{ExecutionId, Problem};
use gristmill_dispatch::Full;

use crate::auth::principal::{Credential, Principal};
use crate::http::error::Error;
use crate::http::extract::Id;
use crate::http::openapi::schema;
use crate::state::AppState;
use admission::Admission;
pub(crate) use cursor::LastEventId;
use stream::EventStream;

/// How long a stream may be silent: shorter than the shortest time-out of common proxies.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// nginx would otherwise keep events until its buffer is full.
const UNBUFFERED: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-accel-buffering"),
    HeaderValue::from_static("no"),
);

/// What happens in an execution, as it happens, from the beginning or from behind `Last-Event-ID`: each journal entry
/// (`journal`), each status that is seen (`status`), and at last `end`. Whoever has seen all of that is answered 204, upon
/// which an `EventSource` connects no more.
#[utoipa::path(
    get,
    path = "/executions/{id}/events",
    operation_id = "followExecution",
    params(
        ("id" = schema::ExecutionId, Path, description = "The execution's id."),
        LastEventId,
    ),
    responses(
        (
            status = 200, content_type = "text/event-stream", body = String,
            description = "Events `journal` (data: a `JournalEntry`), `status` (data: `status` and `attempt`) and `end` (data: \
                           `reason`, `ended` or `deleted`, and `status`).",
            headers(
                ("cache-control" = String, description = "`no-cache`."),
                ("x-accel-buffering" = String, description = "`no`: a proxy is to hand on each event at once."),
            )
        ),
        (status = 204, description = "There is nothing to tell that was not told."),
        (status = 429, description = "`follower-limit`: the organization follows as many as it may."),
        (status = 503, description = "`too-many-followers`: so many are followed here."),
    )
)]
pub(crate) async fn events(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    credential: Credential,
    Id(id): Id<ExecutionId>,
    LastEventId(seen): LastEventId,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsView)?;
    let (store, tenant) = (state.services.store.clone(), principal.tenant());
    let found = store
        .execution(&tenant, &id)
        .await?
        .ok_or(Error::NotFound("execution"))?;
    if seen.entries > found.journal_len {
        let message = format!(
            "`Last-Event-ID` is none of this execution's: it has {} entries",
            found.journal_len
        );
        let problem = Problem::new("header Last-Event-ID", "invalid_parameter", message);
        return Err(Error::Invalid(vec![problem]));
    }
    let all = seen.entries == found.journal_len && seen.told == Some((found.status, found.attempt));
    if all && found.status.is_terminal() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    // Following begins before the past is read, so that nothing falls in between.
    let following = state.follow.follow(tenant.0.clone(), id.clone());
    let following = following.map_err(|full| match full {
        Full::Process => Error::TooManyFollowers,
        Full::Organization => Error::FollowerLimit {
            limit: state.options.max_followers_per_organization,
        },
    })?;
    let admission = Admission::of(&principal, credential, state.clone());
    let events = EventStream::new(store, tenant, id, following, seen, admission);
    let stream = Sse::new(events.into_stream()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(([UNBUFFERED], stream).into_response())
}
