//! `GET /usage`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use gristmill_core::access::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::state::AppState;

/// What is used, and what may be.
#[derive(Serialize, ToSchema)]
#[schema(as = OrganizationUsage)]
struct Body {
    /// By the database's clock, in UTC.
    month: String,
    executions: Executions,
    workflows: Count,
    agents: Count,
}

/// What is used of the month's executions.
#[derive(Serialize, ToSchema)]
#[schema(as = UsedExecutions)]
#[serde(rename_all = "camelCase")]
struct Executions {
    #[serde(flatten)]
    count: Count,
    /// When the next month begins.
    #[schema(required)]
    resets_at: Option<DateTime<Utc>>,
}

/// What is used of a limit.
#[derive(Serialize, ToSchema)]
#[schema(as = Used)]
struct Count {
    used: i64,
    /// Null: as many as wanted.
    #[schema(required)]
    limit: Option<u32>,
}

/// What the organization has used, and what it may while this caller acts for it.
#[utoipa::path(
    get,
    path = "/usage",
    operation_id = "getUsage",
    responses((status = 200, description = "This month's figures.", body = Body))
)]
pub(crate) async fn get(State(state): State<Arc<AppState>>, principal: Principal) -> Result<Response, Error> {
    principal.require(Permission::Access)?;
    let limits = principal.standing.limits();
    let usage = state.services.store.usage(&principal.tenant()).await?;
    let body = Body {
        month: usage.month,
        executions: Executions {
            count: Count {
                used: usage.executions,
                limit: limits.executions_per_month,
            },
            resets_at: usage.resets_at,
        },
        workflows: Count {
            used: usage.workflows,
            limit: limits.workflows,
        },
        // There are none so far.
        agents: Count {
            used: 0,
            limit: limits.agents,
        },
    };
    json(StatusCode::OK, &body)
}
