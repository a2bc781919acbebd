//! `GET /api/v1/ai-hub/usage`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use gristmill_core::access::Permission;
use serde::Serialize;

use crate::answer::json;
use crate::error::Error;
use crate::principal::Principal;
use crate::state::AppState;

#[derive(Serialize)]
struct Body {
    /// By the database's clock, in UTC.
    month: String,
    executions: Executions,
    workflows: Count,
    agents: Count,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Executions {
    #[serde(flatten)]
    count: Count,
    resets_at: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct Count {
    used: i64,
    /// Null: as many as wanted.
    limit: Option<u32>,
}

/// What the organization has used, and what it may while this caller acts for it.
pub(crate) async fn usage(
    State(state): State<Arc<AppState>>,
    principal: Principal,
) -> Result<Response, Error> {
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
