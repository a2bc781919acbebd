//! `POST /executions/{id}/signals/{name}`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gristmill_core::access::Permission;
use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_store::{Delivered, InboxMessage};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::principal::Principal;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::extract::{Document, IdempotencyKey, SignalPath};
use crate::http::openapi::schema;
use crate::state::AppState;

/// Which signal was taken in.
#[derive(Serialize, ToSchema)]
#[schema(as = SignalAnswer)]
struct Body {
    signal: View,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Signal)]
#[serde(rename_all = "camelCase")]
struct View {
    #[schema(value_type = schema::ExecutionId)]
    execution_id: ExecutionId,
    name: String,
}

/// Puts a signal into an execution's inbox. It is kept until a node asks for it, however early it comes. The same
/// `Idempotency-Key` again is the same signal, and is refused for another one.
#[utoipa::path(
    post,
    path = "/executions/{id}/signals/{name}",
    operation_id = "signalExecution",
    params(
        ("id" = schema::ExecutionId, Path, description = "The execution's id."),
        ("name" = String, Path, description = "What the signal is called: 1 to 100 bytes, no slash.", example = "approved"),
        IdempotencyKey,
    ),
    request_body(content = Option<Object>, example = json!({"by": "Grace"})),
    responses(
        (status = 202, description = "It is in the inbox.", body = Body),
        (
            status = 409,
            description = "`execution-ended`: nobody will read it. `mail-limit`: it was sent too many signals. \
                `idempotency-key-reused`: for a signal of another name or body."
        ),
    )
)]
pub(crate) async fn signal(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    SignalPath { id, name }: SignalPath,
    IdempotencyKey(key): IdempotencyKey,
    payload: Option<Document>,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsExecute)?;
    let message = InboxMessage {
        execution_id: id.clone(),
        key: format!("signal:{}", key.unwrap_or_else(|| Uuid::new_v4().to_string())),
        name: format!("signal:{name}"),
        body: payload.map_or_else(
            || "{}".to_owned(),
            |payload| Value::Object(payload.values).to_string(),
        ),
    };
    let (store, tenant) = (&state.services.store, principal.tenant());
    let limit = state.options.max_mail;
    let delivered = store
        .protocol()
        .deliver(
            &tenant,
            &principal.actor(),
            &message,
            i32::try_from(limit).unwrap_or(i32::MAX),
        )
        .await
        .map_err(Error::from_write)?;
    match delivered {
        Delivered::Yes => state.services.wakeups.relay.wake(),
        Delivered::Known => {}
        Delivered::KeyReused => return Err(Error::KeyReused(id)),
        Delivered::Full => return Err(Error::MailLimit { limit }),
        Delivered::UnknownExecution => return Err(Error::NotFound("execution")),
        Delivered::Ended => {
            let found = store.execution(&tenant, &id).await?;
            let status = found.map_or(ExecutionStatus::Completed, |execution| execution.status);
            return Err(Error::Ended(status));
        }
    }
    let signal = View {
        execution_id: id,
        name,
    };
    json(StatusCode::ACCEPTED, &Body { signal })
}
