//! `GET /workflows/stats`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{Days, NaiveDate};
use gristmill_core::Problem;
use gristmill_core::access::Permission;
use gristmill_store::{Stats, StatsRange};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::{Params, time};
use crate::http::openapi::query;
use crate::state::AppState;

/// How many days are counted unless asked otherwise, today included.
const DAYS: u64 = 30;

/// What has become of the executions.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkflowStats)]
#[serde(rename_all = "camelCase")]
struct Body {
    total_workflows: i64,
    active_workflows: i64,
    /// Ended ones, of all times.
    total_executions: i64,
    /// The first and the last day of what follows, in UTC, both included.
    from: NaiveDate,
    to: NaiveDate,
    /// How many ended in the range.
    executions: i64,
    by_status: ByStatus,
    /// COMPLETED among COMPLETED and FAILED ones, 0 to 1; null when there are none.
    #[schema(required)]
    success_rate: Option<f64>,
    duration: Durations,
    tokens_used: i64,
    cost_micros: i64,
    /// Dollars, for display; `cost_micros` is the amount.
    cost: f64,
}

/// How many ended how.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct ByStatus {
    completed: i64,
    failed: i64,
    cancelled: i64,
}

/// From the first claim to the end, of COMPLETED and FAILED ones, right to a twentieth.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Durations {
    #[schema(required)]
    p50_ms: Option<i64>,
    #[schema(required)]
    p95_ms: Option<i64>,
}

/// What has become of the organization's executions, a few seconds late.
#[utoipa::path(
    get,
    path = "/workflows/stats",
    operation_id = "getStats",
    params(
        query::Stats,
    ),
    responses(
        (status = 200, description = "The figures.", body = Body),
    )
)]
pub(crate) async fn stats(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    mut params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsView)?;
    let store = &state.services.store;
    let from = params.read("from", "wrong_type", |value| day("from", value));
    let to = params.read("to", "wrong_type", |value| day("to", value));
    let workflow = params.id("workflowId");
    params.finish()?;
    let to = match to {
        Some(to) => to,
        None => store.now().await?.date_naive(),
    };
    let from = from
        .or_else(|| to.checked_sub_days(Days::new(DAYS - 1)))
        .unwrap_or(to);
    if from > to {
        let message = format!("`from` is later than `to`, which is {to}");
        let problem = Problem::new("query from", "out_of_range", message);
        return Err(Error::Invalid(vec![problem]));
    }
    let range = StatsRange {
        days: (number(from), number(to)),
        workflow,
    };
    let stats = store.stats(&principal.tenant(), &range).await?;
    json(StatusCode::OK, &body(&stats, from, to))
}

/// A date, or the day of a time.
fn day(name: &str, value: &str) -> Result<NaiveDate, String> {
    // A date is the day of a time, so that both have the same limits.
    time(value)
        .or_else(|| time(&format!("{value}T00:00:00Z")))
        .map(|time| time.date_naive())
        .ok_or_else(|| {
            format!(
                "`{name}` is a day such as 2030-01-31, or a time by RFC 3339, whose day in UTC counts as a whole, from \
                 1970 to 9999"
            )
        })
}

/// Counted from 1970.
fn number(day: NaiveDate) -> i32 {
    let days = day.signed_duration_since(NaiveDate::default()).num_days();
    i32::try_from(days).unwrap_or(i32::MAX)
}

fn body(stats: &Stats, from: NaiveDate, to: NaiveDate) -> Body {
    let judged = stats.completed + stats.failed;
    Body {
        total_workflows: stats.total_workflows,
        active_workflows: stats.active_workflows,
        total_executions: stats.total_executions,
        from,
        to,
        executions: judged + stats.cancelled,
        by_status: ByStatus {
            completed: stats.completed,
            failed: stats.failed,
            cancelled: stats.cancelled,
        },
        success_rate: (judged > 0).then(|| stats.completed as f64 / judged as f64),
        duration: Durations {
            p50_ms: stats.p50_ms,
            p95_ms: stats.p95_ms,
        },
        tokens_used: stats.tokens_used,
        cost_micros: stats.cost_micros,
        cost: stats.cost_micros as f64 / 1_000_000.0,
    }
}
