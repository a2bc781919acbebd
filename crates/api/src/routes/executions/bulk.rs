//! `POST /executions:cancel` and `POST /executions:retry`: one order for many executions.
//!
//! Each execution is ordered by itself, through the same statement as alone, so that one that cannot be had changes
//! nothing for the others, and a request that is cut short has done what it has done: the same request again does the
//! rest.

mod order;
mod request;

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::{StreamExt, stream};
use gristmill_core::ExecutionId;
use gristmill_core::access::Permission;
use gristmill_store::{Actor, Cursor, Tenant};
use serde::Serialize;
use tracing::{info, warn};
use utoipa::ToSchema;

use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::cursor;
use crate::http::error::Error;
use crate::http::extract::Document;
use crate::http::openapi::schema;
use crate::state::AppState;
use order::{Order, Outcome};
use request::Request;

/// How many executions are looked up at a time.
const BATCH: usize = 100;

/// How many are ordered at a time: each waits for a commit of its own, and none of the connections of others is taken.
const AT_ONCE: usize = 4;

/// How many are counted before "at least" must do.
const COUNTED: usize = 10_000;

/// How many failures are told one by one.
const TOLD: usize = 10;

/// Cancels what the filter finds unfinished.
#[utoipa::path(
    post,
    path = "/executions:cancel",
    operation_id = "cancelExecutions",
    request_body = schema::BulkRequest,
    responses(
        (status = 200, description = "What was done, or what was counted.", body = Answer),
    )
)]
pub(crate) async fn cancel_many(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    document: Document,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsExecute)?;
    carry_out(&state, &principal, &document, Order::Cancel).await
}

/// Takes up again what the filter finds FAILED.
#[utoipa::path(
    post,
    path = "/executions:retry",
    operation_id = "retryExecutions",
    request_body = schema::BulkRequest,
    responses(
        (status = 200, description = "What was done, or what was counted.", body = Answer),
    )
)]
pub(crate) async fn retry_many(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    document: Document,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsExecute)?;
    carry_out(&state, &principal, &document, Order::Retry).await
}

async fn carry_out(
    state: &AppState,
    principal: &Principal,
    document: &Document,
    order: Order,
) -> Result<Response, Error> {
    let request = Request::read(document, order).map_err(Error::Invalid)?;
    let work = Work {
        state,
        tenant: principal.tenant(),
        actor: principal.actor(),
        began: Instant::now(),
        request,
        order,
    };
    let answer = if work.request.dry_run {
        Answer::Counted(work.count().await?)
    } else {
        Answer::Done(work.run().await?)
    };
    json(StatusCode::OK, &answer)
}

/// What an order is answered with.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkAnswer)]
#[serde(untagged)]
enum Answer {
    Counted(Counted),
    Done(Done),
}

/// What a dry run answers.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkCount)]
#[serde(rename_all = "camelCase")]
struct Counted {
    dry_run: bool,
    matched: usize,
    /// Whether there may be more than `matched`.
    at_least: bool,
}

/// What was done.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = BulkResult)]
#[serde(rename_all = "camelCase")]
struct Done {
    dry_run: bool,
    /// How many executions were found.
    matched: usize,
    /// How many of them were cancelled, or retried.
    done: usize,
    /// How many had moved on by themselves in the meantime.
    skipped: usize,
    /// How many could not be had.
    failed: usize,
    /// Some of these, and why.
    failures: Vec<Told>,
    /// Whether there may be more: then the same request again, with this cursor.
    remaining: bool,
    #[schema(required)]
    next_cursor: Option<String>,
}

/// One that could not be had, and why.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkFailure)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[schema(value_type = schema::ExecutionId)]
    execution_id: ExecutionId,
    detail: String,
}

struct Work<'a> {
    state: &'a AppState,
    tenant: Tenant,
    actor: Actor,
    began: Instant,
    request: Request,
    order: Order,
}

impl Work<'_> {
    async fn count(&self) -> Result<Counted, Error> {
        let mut after = self.request.after.clone();
        let mut matched = 0;
        loop {
            let page = self.page(after.as_ref(), (COUNTED - matched).min(1_000)).await?;
            matched += page.0.len();
            after = page.1;
            let at_least = after.is_some();
            if !at_least || matched >= COUNTED || self.is_late() {
                return Ok(Counted {
                    dry_run: true,
                    matched,
                    at_least,
                });
            }
        }
    }

    async fn run(&self) -> Result<Done, Error> {
        let mut done = Done::default();
        let mut after = self.request.after.clone();
        loop {
            let wanted = (self.request.limit - done.matched).min(BATCH);
            let (ids, next) = self.page(after.as_ref(), wanted).await?;
            let outcomes: Vec<_> = stream::iter(ids)
                .map(|id| async {
                    let outcome = self
                        .order
                        .carry_out(self.state, &self.tenant, &self.actor, &id)
                        .await;
                    (id, outcome)
                })
                .buffered(AT_ONCE)
                .collect()
                .await;
            let away = done.add(outcomes)?;
            // What could not be had because the database is away is tried again from here.
            if !away {
                after = next;
            }
            done.remaining = away || after.is_some();
            if away || after.is_none() || done.matched >= self.request.limit || self.is_late() {
                break;
            }
        }
        done.next_cursor = after.as_ref().filter(|_| done.remaining).map(cursor::write);
        if done.done > 0 {
            let (order, executions) = (self.order.as_str(), done.done);
            info!(order, executions, failed = done.failed, "ordered by filter");
            self.state.services.wakeups.relay.wake();
        }
        Ok(done)
    }

    async fn page(
        &self,
        after: Option<&Cursor<ExecutionId>>,
        limit: usize,
    ) -> Result<(Vec<ExecutionId>, Option<Cursor<ExecutionId>>), Error> {
        let store = &self.state.services.store;
        let page = store
            .list_executions(&self.tenant, &self.request.filter, after, limit)
            .await?;
        let ids = page.executions.into_iter().map(|found| found.id);
        Ok((ids.collect(), page.next))
    }

    /// Whether it is time to answer: what is under way must not run into the request's own time-out.
    fn is_late(&self) -> bool {
        self.began.elapsed() > self.state.options.request_timeout / 2
    }
}

impl Done {
    /// Takes in what became of a batch; `true` when the database did not answer for some of them, so that going on makes no
    /// sense.
    ///
    /// # Errors
    /// When it did not answer, and nothing has been done at all.
    fn add(&mut self, outcomes: Vec<(ExecutionId, Outcome)>) -> Result<bool, Error> {
        let mut away = false;
        for (id, outcome) in outcomes {
            self.matched += 1;
            match outcome {
                Outcome::Done => self.done += 1,
                Outcome::MovedOn => self.skipped += 1,
                Outcome::Failed(error) => {
                    if error.status().is_server_error() {
                        let cause: &dyn std::error::Error = &error;
                        warn!(execution.id = %id, error = cause, "an order of many could not be carried out");
                    }
                    self.failed += 1;
                    away |= matches!(error, Error::Unavailable(_));
                    if away && self.done == 0 {
                        return Err(error);
                    }
                    if self.failures.len() < TOLD {
                        self.failures.push(Told {
                            execution_id: id,
                            detail: error.detail(),
                        });
                    }
                }
            }
        }
        Ok(away)
    }
}
